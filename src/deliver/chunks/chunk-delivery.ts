import type { ChunkJournal, PendingChunk } from '../../journal/detail.ts';
import { JournalError, type Progress } from '../../journal/journal.ts';
import { archiveUri } from '../../record/calls/archive-uri.ts';
import { planChunk } from '../../record/calls/plan-chunk.ts';
import type { DeliverParts } from '../attempt.ts';
import { type Backoff, fullJitter } from '../backoff.ts';
import type { CallEnd } from '../call-end.ts';
import { deliverRun } from '../deliver-run.ts';
import { recorded } from '../judge.ts';
import { chunkFiles } from './chunk-files.ts';
import { type ChunkWriterParts, type WrittenChunk, writeChunk } from './write-chunk.ts';

export interface ChunkDeliveryParts extends DeliverParts, Omit<ChunkWriterParts, 'journal'> {
  journal: ChunkJournal;
  journalId: string;
  /** What progress is bound to. */
  destination: string;
  /** The name of the experiment of chunks that begin now. */
  experiment: () => string;
  /** `s3://BUCKET[/PREFIX]`, where the whole calls go; absent: below each chunk's run. */
  archive: () => string | undefined;
  /** Ends it. */
  over: AbortSignal;
  /** Told of a chunk that MLflow takes in no way, and that will not be sent again. */
  onLoss: (chunk: PendingChunk, reason: string) => void;
  /** Told of a chunk that could not be written to this disk, by the error's code; it is tried again. */
  onDiskTrouble: (chunk: PendingChunk, code: string) => void;
}

/** Sends closed chunks of calls, one at a time, the oldest first. */
export interface ChunkDelivery {
  /** Resolves when `over` has ended it; rejects with a `JournalError` where the journal is lost. */
  ended: Promise<void>;
  /**
   * Sends what is due now, with `closeNow` the open chunk, too. Resolves when nothing is left that can be
   * sent at present.
   */
  flush(closeNow: boolean): Promise<void>;
}

/** How often it looks whether a chunk has closed, in milliseconds. */
const look = 5_000;
const waits: Backoff = { first: 2_000, longest: 300_000 };

/**
 * Makes a run of each chunk. The chunk is on this disk, in files, before its run is begun; the files stay
 * as long as the chunk is the one that was tried last, and are written anew after a restart.
 */
export function deliverChunks(parts: ChunkDeliveryParts): ChunkDelivery {
  const { journal, holds, destination, clock, untilKept, over } = parts;
  const desk = createDesk(parts);

  const mayGoOn = () =>
    !over.aborted && holds.mlflow.allows() !== 'none' && holds.artifacts.allows() !== 'none';

  const sendAll = async (closeNow: boolean): Promise<void> => {
    const tried = new Set<number>();
    while (mayGoOn()) {
      const isFirst = tried.size === 0;
      const now = clock.now();
      const chunk = await untilKept(() => journal.takeChunk(destination, now, closeNow && isFirst));
      if (chunk === undefined || tried.has(chunk.id)) return;
      tried.add(chunk.id);
      await endChunk(parts, chunk, await desk.send(chunk));
    }
  };

  // One after the other: the chunk in hand is not taken from who sends it.
  let sending: Promise<void> = Promise.resolve();
  const inTurn = (closeNow: boolean): Promise<void> => {
    const turn = sending.then(() => sendAll(closeNow));
    sending = turn.catch(() => undefined);
    return turn;
  };

  const loop = async (): Promise<void> => {
    try {
      while (!over.aborted) {
        await inTurn(false);
        await clock.sleep(look, over);
      }
      await sending;
    } finally {
      await desk.clear();
    }
  };

  return {
    ended: loop(),
    flush: inTurn,
  };
}

interface Desk {
  send(chunk: PendingChunk): Promise<CallEnd>;
  /** Removes what was written. */
  clear(): Promise<void>;
}

/** Keeps the files of the chunk that was tried last: those that wait for a destination are tried often. */
function createDesk(parts: ChunkDeliveryParts): Desk {
  const { journal, journalId, destination, clock, random, untilKept } = parts;
  let last: { id: number; written: WrittenChunk } | undefined;

  const clear = async () => {
    await last?.written.remove();
    last = undefined;
  };

  const written = async (chunk: PendingChunk): Promise<WrittenChunk> => {
    if (last?.id === chunk.id) return last.written;
    await clear();
    last = { id: chunk.id, written: await writeChunk(parts, chunk) };
    return last.written;
  };

  const send = async (chunk: PendingChunk): Promise<CallEnd> => {
    const isAnew = last?.id !== chunk.id;
    const before: Progress = chunk.progress ?? { destination };
    let files: WrittenChunk;
    try {
      files = await written(chunk);
    } catch (error) {
      if (error instanceof JournalError) throw error;
      parts.onDiskTrouble(chunk, codeOf(error));
      const dueAt = clock.now() + fullJitter(waits, chunk.attempts, random);
      return { kind: 'later', dueAt, attempts: chunk.attempts + 1, progress: before };
    }
    // Damage may have taken all of its calls.
    if (files.sums.calls === 0) return recorded;
    // Where its run may have been made it is searched for, whatever the settings say by now.
    const experiment = before.experiment ?? parts.experiment();
    const keep = (kept: Progress) =>
      untilKept(() => journal.chunkProgress(chunk.id, begunIn(experiment, kept)));
    const progress = isAnew ? withoutFiles(before) : before;
    // That a create may be under way is on disk before it is.
    if (progress.runId === undefined && progress.begunAt === undefined) {
      await keep({ ...progress, begunAt: clock.now() });
    }
    const chunkId = `${journalId}-${chunk.id}`;
    const prefix = parts.archive();
    const archive = prefix && archiveUri(prefix, chunkId, chunk.beganAt);
    const plan = planChunk({
      ...{ chunkId, journalId, beganAt: chunk.beganAt, endedAt: chunk.endedAt },
      ...{ sums: files.sums, bytes: files.lines.bytes },
      ...(archive !== undefined && { archiveUri: archive }),
    });
    const end = await deliverRun(parts, {
      plan,
      experiment,
      files: chunkFiles(files, archive),
      attempts: chunk.attempts,
      progress,
      keep,
      isOfMany: true,
    });
    if (end.kind === 'settled') return end;
    const isShut = end.kind === 'held' && end.outcome.reason === 'forbidden';
    // Where nobody may look any more it would hold up all that comes for ever.
    const isLeft = isShut && experiment !== parts.experiment();
    return { ...end, progress: begunIn(isLeft ? undefined : experiment, end.progress) };
  };

  return {
    send: async (chunk) => {
      const end = await send(chunk);
      if (end.kind === 'settled') await clear();
      return end;
    },
    clear,
  };
}

/**
 * The files of a chunk that is written anew may differ from those that were sent, by runs that its calls
 * got meanwhile; all of them are sent again, so that they fit each other. Once the run says what it goes
 * without, all are there that will be.
 */
function withoutFiles(progress: Progress): Progress {
  const { done, shed: _, ...rest } = progress;
  if (done?.includes('shed')) return progress;
  return done?.includes('logged') ? { ...rest, done: ['logged'] } : rest;
}

/** Says in which experiment a create may act, while one may; a refused one binds the chunk to none. */
function begunIn(experiment: string | undefined, progress: Progress): Progress {
  const { experiment: _, ...rest } = progress;
  const isBegun = experiment !== undefined && rest.begunAt !== undefined;
  return isBegun ? { ...rest, experiment } : rest;
}

async function endChunk(
  { journal, holds, clock, untilKept, onLoss }: ChunkDeliveryParts,
  chunk: PendingChunk,
  end: CallEnd,
): Promise<void> {
  const { id, attempts } = chunk;
  switch (end.kind) {
    case 'settled': {
      const { settlement } = end;
      const isKept = settlement.kind === 'recorded';
      if (!isKept) onLoss(chunk, settlement.reason);
      return untilKept(() => journal.settleChunk(id, isKept ? 'kept' : 'given up'));
    }
    case 'later':
      return untilKept(() => journal.postponeChunk(id, end));
    case 'held': {
      const { by, outcome, progress } = end;
      holds[by].refused(outcome);
      const state = holds[by].state();
      const dueAt = state.state === 'held' ? state.probeAt : clock.now();
      return untilKept(() => journal.postponeChunk(id, { dueAt, attempts, progress }));
    }
  }
}

/** The code of a file system's error, such as `ENOSPC`. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
