import { parentPort, workerData } from 'node:worker_threads';
import type { Account } from './account.ts';
import { createDiskWatch, type DiskWatch } from './disk-watch.ts';
import type { ExternalRedactor } from './external-redactor.ts';
import { JournalError } from './journal.ts';
import { type JournalOptions, openSqliteJournal, type SqliteJournal } from './sqlite-journal.ts';
import type { Answer, Command, Message, Reply, Request } from './worker-protocol.ts';

/*
 * The journal's thread. Whatever has arrived by the time that it is free is run in one transaction
 * and answered after its one commit: so POSTs that come together share an fsync. Where there is an
 * external redactor, a POST asks it first, while others go on; only then does it wait for its turn.
 */

/** How often what was kept long enough is forgotten, in milliseconds. */
const tidyInterval = 5_000;
/** Between two steps of it, where there is more: no post waits for more than one. */
const tidyPause = 20;
/** How often a disk that fails is tried, in milliseconds. */
const troubleInterval = 2_000;

const port = parentPort;
if (port === null) throw new Error('the journal runs in a worker thread only');
const say = (message: Message, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

try {
  const options = workerData as JournalOptions;
  const journal = openSqliteJournal(options);
  serve(journal, await redactorOf(options.redact));
  say({ kind: 'opened', ...(journal.damage && { damage: journal.damage }) });
} catch (error) {
  if (!(error instanceof JournalError)) throw error;
  say({ kind: 'refused', code: error.code, message: error.message });
  port.close();
}

/** A request whose turn comes with the next commit. */
interface Ready {
  id: number;
  op: Command['op'];
  run: () => Answer;
}

/** The external redactor, where there is one; its HTTP client takes 12 MB, and is loaded then only. */
async function redactorOf(redact: JournalOptions['redact']): Promise<ExternalRedactor | undefined> {
  if (redact?.url === undefined) return undefined;
  const { createExternalRedactor } = await import('./external-redactor.ts');
  return createExternalRedactor(redact.url, redact.timeout);
}

function serve(journal: SqliteJournal, firstRedactor: ExternalRedactor | undefined): void {
  let redactor = firstRedactor;
  const vetting = new Set<Promise<void>>();
  let waiting: Ready[] = [];
  const disk = createDiskWatch(Date.now, (trouble) => {
    if (trouble === undefined) journal.diskWorks();
    say({ kind: 'disk', trouble });
  });

  const enqueue = (ready: Ready) => {
    waiting.push(ready);
    if (waiting.length === 1) setImmediate(runWaiting);
  };

  const vet = async (id: number, { op, body, receivedAt }: Command & { op: 'append' }) => {
    const vetted = redactor && (await journal.vet(body, receivedAt, redactor.forPost()));
    const run = () =>
      vetted === undefined
        ? journal.append(body, receivedAt, Date.now())
        : journal.appendVetted(body, vetted, receivedAt, Date.now());
    enqueue({ id, op, run });
  };

  port?.on('message', ({ id, command }: Request) => {
    const ready: Ready = { id, op: command.op, run: () => answer(journal, disk, command) };
    if (command.op === 'append' && redactor !== undefined) {
      const fail = (error: unknown) => {
        const run = (): never => {
          throw error;
        };
        enqueue({ id, op: command.op, run });
      };
      const asked = vet(id, command)
        .catch(fail)
        .finally(() => vetting.delete(asked));
      vetting.add(asked);
    } else if (command.op === 'reconfigure') {
      void redactorOf(command.policy.redact).then((next) => {
        const before = redactor;
        redactor = next;
        void Promise.all(vetting).then(() => before?.close());
        enqueue(ready);
      });
    } else if (command.op === 'close') {
      void Promise.all(vetting).then(() => enqueue(ready));
    } else enqueue(ready);
  });

  const runWaiting = () => {
    const requests = waiting.filter(({ op }) => op !== 'close');
    const close = waiting.find(({ op }) => op === 'close');
    waiting = [];
    const results = journal.run(requests.map(({ run }) => run));
    requests.forEach(({ op }, index) => {
      disk.note(op, failureIn(results[index]));
    });
    const replies = requests.map(({ id }, index) => replyTo(id, results[index]));
    say({ kind: 'replies', replies }, replies.flatMap(bytesIn));
    if (close !== undefined) {
      clearTimeout(tidying);
      journal.close();
      void redactor?.close();
      say({ kind: 'replies', replies: [{ id: close.id, ok: true, value: undefined }] });
      port?.close();
    }
  };

  const tidy = () => {
    disk.tick(() => failureIn(journal.run([journal.probe])[0]));
    const pause = journal.tidy(Date.now()) ? tidyPause : tidyInterval;
    tidying = setTimeout(tidy, disk.trouble() === undefined ? pause : troubleInterval);
  };
  let tidying = setTimeout(tidy, tidyInterval);
}

function answer(journal: SqliteJournal, disk: DiskWatch, command: Command): Answer {
  switch (command.op) {
    case 'append':
      return journal.append(command.body, command.receivedAt, Date.now());
    case 'take':
      return journal.take(command.limit, command.destination, command.now);
    case 'progress':
      journal.progress(command.seq, command.progress);
      return undefined;
    case 'postpone':
      journal.postpone(command.seq, command.postponement);
      return undefined;
    case 'settle':
      journal.settle(command.seq, command.settlement, command.now);
      return undefined;
    case 'body':
      return journal.body(command.seq, command.place);
    case 'account':
      return withTrouble(journal.account(), disk);
    case 'listDead':
      return journal.dead.list(command.filter, command.limit);
    case 'showDead':
      return journal.dead.show(command.deadId);
    case 'requeueDead':
      return journal.dead.requeue(command.filter, command.now);
    case 'purgeDead':
      return journal.dead.purge(command.filter, command.now);
    case 'replay':
      return journal.replay(command.request, command.now);
    case 'usageReport':
      return journal.usage?.report(command.destination, command.now, command.from);
    case 'usageTotals':
      return journal.usage?.totals(command.destination, command.now);
    case 'keepUsageRun':
      journal.usage?.keepRun(command.run, command.state);
      return undefined;
    case 'usageSent':
      journal.usage?.sent(command.run, command.sent);
      return undefined;
    case 'takeChunk':
      return journal.chunks.take(command.destination, command.now, command.closeNow);
    case 'chunkPage':
      return journal.chunks.page(command.chunk, command.after);
    case 'chunkProgress':
      journal.chunks.progress(command.chunk, command.progress);
      return undefined;
    case 'postponeChunk':
      journal.chunks.postpone(command.chunk, command.postponement);
      return undefined;
    case 'settleChunk':
      journal.chunks.settle(command.chunk, command.end);
      return undefined;
    case 'wantingTraces':
      return journal.traces.wanting(command.limit, command.after);
    case 'beginTraces':
      journal.traces.begin(command.seqs, command.now);
      return undefined;
    case 'tracesEnded':
      journal.traces.ended(command.seqs, command.end, command.now);
      return undefined;
    case 'waiveTraces':
      journal.traces.waive(command.isWaived);
      return undefined;
    case 'setPace':
      journal.setPace(command.runsPerSecond);
      return undefined;
    case 'reconfigure':
      journal.reconfigure(command.policy);
      return undefined;
    case 'close':
      return undefined;
  }
}

function withTrouble(account: Account, disk: DiskWatch): Account {
  const trouble = disk.trouble();
  const accepting = account.accepting && disk.keepsPosts();
  return { ...account, accepting, ...(trouble && { trouble }) };
}

function failureIn(result: PromiseSettledResult<unknown> | undefined): JournalError | undefined {
  return result?.status === 'fulfilled' ? undefined : failureOf(result);
}

function failureOf(result: PromiseRejectedResult | undefined): JournalError {
  const error: unknown = result?.reason;
  return error instanceof JournalError
    ? error
    : new JournalError('JOURNAL_UNAVAILABLE', String(error));
}

function replyTo(id: number, result: PromiseSettledResult<Answer> | undefined): Reply {
  if (result?.status === 'fulfilled') return { id, ok: true, value: result.value };
  const { code, message } = failureOf(result);
  return { id, ok: false, code, message };
}

/** Bodies change hands instead of being copied. */
function bytesIn(reply: Reply): ArrayBuffer[] {
  if (!reply.ok || !(reply.value instanceof Uint8Array)) return [];
  return reply.value.buffer instanceof ArrayBuffer ? [reply.value.buffer] : [];
}
