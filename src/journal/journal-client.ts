import { Worker } from 'node:worker_threads';
import type { DiskTrouble } from './disk-watch.ts';
import { type Journal, JournalError } from './journal.ts';
import type { Damage } from './salvage/damage.ts';
import type { JournalOptions } from './sqlite-journal.ts';
import type { Answers, Command, Message, Reply } from './worker-protocol.ts';

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: JournalError) => void;
}

/**
 * Opens the journal in a thread of its own, so that neither a large batch nor an fsync stops the
 * event loop.
 *
 * @param onDeath Called when the thread ends though nobody closed it: what it was asked may or may
 *   not be on disk, so the process should end and start anew.
 * @param onDamage Told once, before this resolves, of what was damaged and has been salvaged.
 * @param onDisk Told once when the disk begins to fail, and once, of nothing, when it works again.
 * @throws JournalError when the journal cannot be opened.
 */
export async function openJournal(
  options: JournalOptions,
  onDeath: (reason: string) => void,
  onDamage: (damage: Damage) => void = () => undefined,
  onDisk: (trouble: DiskTrouble | undefined) => void = () => undefined,
): Promise<Journal> {
  const worker = new Worker(workerFile(), { workerData: options });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let opened = false;
  let closed = false;

  const settle = (reply: Reply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) asked?.resolve(reply.value as never);
    else asked?.reject(new JournalError(reply.code, reply.message));
  };

  const ask = <Op extends keyof Answers>(
    command: Command & { op: Op },
    transfer: ArrayBuffer[] = [],
  ): Promise<Answers[Op]> => {
    if (closed) {
      return Promise.reject(new JournalError('JOURNAL_UNAVAILABLE', 'the journal is closed'));
    }
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, command }, transfer);
    });
  };

  const end = (reason: string) => {
    for (const asked of waiting.values()) {
      asked.reject(new JournalError('JOURNAL_UNAVAILABLE', reason));
    }
    waiting.clear();
    if (closed) return;
    closed = true;
    if (opened) onDeath(reason);
  };

  await new Promise<void>((resolve, reject) => {
    worker.on('message', (message: Message) => {
      switch (message.kind) {
        case 'opened':
          opened = true;
          if (message.damage !== undefined) onDamage(message.damage);
          resolve();
          break;
        case 'refused':
          closed = true;
          reject(new JournalError(message.code, message.message));
          break;
        case 'disk':
          onDisk(message.trouble);
          break;
        case 'replies':
          message.replies.forEach(settle);
          break;
      }
    });
    worker.on('error', (error) => {
      const reason = error instanceof Error ? error.message : String(error);
      reject(new JournalError('JOURNAL_UNAVAILABLE', `the journal's thread failed: ${reason}`));
      end(`the journal's thread failed: ${reason}`);
    });
    worker.on('exit', () => end("the journal's thread ended"));
  });

  return {
    append: (body, receivedAt) => ask({ op: 'append', body, receivedAt }, [body.buffer]),
    take: (limit, destination, now) => ask({ op: 'take', limit, destination, now }),
    progress: (seq, progress) => ask({ op: 'progress', seq, progress }),
    postpone: (seq, postponement) => ask({ op: 'postpone', seq, postponement }),
    settle: (seq, settlement, now) => ask({ op: 'settle', seq, settlement, now }),
    body: async (seq, place) => {
      const body = await ask({ op: 'body', seq, place });
      // What hashes and sends it knows memory that threads share as a Buffer only.
      return body && Buffer.from(body.buffer, body.byteOffset, body.length);
    },
    account: () => ask({ op: 'account' }),
    listDead: (filter, limit) => ask({ op: 'listDead', filter, limit }),
    showDead: (deadId) => ask({ op: 'showDead', deadId }),
    requeueDead: (filter, now) => ask({ op: 'requeueDead', filter, now }),
    purgeDead: (filter, now) => ask({ op: 'purgeDead', filter, now }),
    replay: (request, now) => ask({ op: 'replay', request, now }),
    usageReport: (destination, now, from) => ask({ op: 'usageReport', destination, now, from }),
    usageTotals: (destination, now) => ask({ op: 'usageTotals', destination, now }),
    keepUsageRun: (run, state) => ask({ op: 'keepUsageRun', run, state }),
    usageSent: (run, sent) => ask({ op: 'usageSent', run, sent }),
    takeChunk: (destination, now, closeNow = false) =>
      ask({ op: 'takeChunk', destination, now, closeNow }),
    chunkPage: (chunk, after) => ask({ op: 'chunkPage', chunk, after }),
    chunkProgress: (chunk, progress) => ask({ op: 'chunkProgress', chunk, progress }),
    postponeChunk: (chunk, postponement) => ask({ op: 'postponeChunk', chunk, postponement }),
    settleChunk: (chunk, end) => ask({ op: 'settleChunk', chunk, end }),
    wantingTraces: (limit, after) => ask({ op: 'wantingTraces', limit, after }),
    beginTraces: (seqs, now) => ask({ op: 'beginTraces', seqs, now }),
    tracesEnded: (seqs, end, now) => ask({ op: 'tracesEnded', seqs, end, now }),
    waiveTraces: (isWaived) => ask({ op: 'waiveTraces', isWaived }),
    setPace: (runsPerSecond) => ask({ op: 'setPace', runsPerSecond }),
    reconfigure: (policy) => ask({ op: 'reconfigure', policy }),
    close: async () => {
      if (closed) return;
      const answered = ask({ op: 'close' });
      closed = true;
      await answered;
      await worker.terminate();
    },
  };
}

/** The thread's file, as this one runs: TypeScript in a checkout, JavaScript when built. */
function workerFile(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./worker.${extension}`, import.meta.url);
}
