import { type AdmittedElement, admitBody, admitVettedBody } from '../admit/admit-body.ts';
import type { Redactor } from '../admit/vet-texts.ts';
import type { Account } from './account.ts';
import { createAppender } from './append-body.ts';
import { type Chunks, createChunks } from './chunks.ts';
import { compilePolicy } from './compile-policy.ts';
import { createDeadLetterDesk, type DeadLetterDesk } from './dead-letter-desk.ts';
import { createDeadLetters } from './dead-letters.ts';
import {
  type AppendReceipt,
  JournalError,
  type JournalPolicy,
  type Postponement,
  type Progress,
  type ReplayRequest,
  type Settlement,
  type TakenCalls,
} from './journal.ts';
import { createLedger } from './ledger.ts';
import { createMakeRoom } from './make-room.ts';
import { type OwnDatabase, openOwnDatabase } from './open-own-database.ts';
import { createAccountant } from './read-account.ts';
import { createBodyReader } from './read-body.ts';
import { createReplay } from './replay.ts';
import { createRun } from './run-commands.ts';
import { createRuns } from './runs.ts';
import type { Damage } from './salvage/damage.ts';
import { makeOnSound } from './salvage/make-on-sound.ts';
import { createSeenIds } from './seen-ids.ts';
import { createSettler } from './settle-calls.ts';
import { createSpace } from './space.ts';
import { createTaker } from './take-calls.ts';
import { createTaken } from './taken.ts';
import { createTraces, type Traces } from './traces.ts';
import { createTransactions } from './transactions.ts';
import { createFindUnreadable } from './unreadable.ts';
import { createUsage, type Usage, type UsageOptions } from './usage/usage.ts';

export interface JournalOptions extends JournalPolicy {
  /** How calls are added up over time; absent: they are not. */
  usage?: UsageOptions;
  /** The data folder; it is made when it is not there. */
  folder: string;
  maxBytes: number;
  /** The most ids of calls gone by that are remembered, and for how many milliseconds. */
  dedupeEntries: number;
  dedupeMs: number;
}

/**
 * The journal's commands on one SQLite file, without a thread: each is called within `run`, and all
 * that share a `run` share its commit. See `journal.ts` for what each does.
 */
export interface SqliteJournal {
  /** What was damaged when the journal was opened, and has been salvaged. */
  damage?: Damage;
  /** @throws JournalError `JOURNAL_DAMAGED`, and then for good. */
  run<T>(commands: (() => T)[]): PromiseSettledResult<T>[];
  /** `now`: when it is committed, which is when its calls count in usage; `receivedAt` unless told. */
  append(body: Uint8Array, receivedAt: number, now?: number): AppendReceipt;
  /** Makes calls of a body, without `run`, and shows their texts to the external redactor. */
  vet(body: Uint8Array, receivedAt: number, redactor: Redactor): Promise<AdmittedElement[]>;
  /** Takes in what `vet` made of a body. */
  appendVetted(
    body: Uint8Array,
    elements: Iterable<AdmittedElement>,
    receivedAt: number,
    now: number,
  ): AppendReceipt;
  take(limit: number, destination: string, now: number): TakenCalls;
  progress(seq: number, progress: Progress): void;
  postpone(seq: number, postponement: Postponement): void;
  settle(seq: number, settlement: Settlement, now: number): void;
  body(seq: number, place?: Uint8Array): Uint8Array | undefined;
  account(): Account;
  dead: DeadLetterDesk;
  /** Absent where calls are not added up. */
  usage?: Usage;
  chunks: Chunks;
  traces: Traces;
  setPace(runsPerSecond: number | undefined): void;
  replay(request: ReplayRequest, now: number): { replayed: number };
  /** Forgets what was kept long enough and gives space back, a step at a time; true: call again. */
  tidy(now: number): boolean;
  /** What the disk did not give it gives again: the next opening has nothing to salvage. */
  diskWorks(): void;
  /** Writes something, within `run`, and leaves nothing of it. */
  probe(): void;
  /** Calls that come from now on are treated by this policy. */
  reconfigure(policy: JournalPolicy): void;
  close(): void;
}

/** Recorded calls that one step of `tidy` forgets. */
const forgottenAStep = 500;

/**
 * Opens the journal, and salvages it where it is damaged, also where that shows only as its parts are
 * made.
 *
 * @throws JournalError when the file cannot be opened.
 */
export function openSqliteJournal(options: JournalOptions): SqliteJournal {
  const policy = compilePolicy(options);
  return makeOnSound(
    () => openOwnDatabase(options.folder, policy.naming.nameFor),
    (own) => journalOn(own, options, policy),
  );
}

type Policy = ReturnType<typeof compilePolicy>;

function journalOn(own: OwnDatabase, options: JournalOptions, first: Policy): SqliteJournal {
  let policy = first;
  const { database } = own;
  const space = createSpace(database, options.folder, options.maxBytes);
  const transactions = createTransactions(database, options.folder, {
    onBegin: space.beginLogAnew,
    onFailure: ({ code }) => {
      if (code === 'JOURNAL_FULL') space.diskWasFull();
      if (code === 'JOURNAL_UNAVAILABLE') space.commitFailed();
    },
  });
  const ledger = createLedger(database);
  const deadLetters = createDeadLetters(database, (bytes) => policy.keepBroken(bytes));
  const taken = createTaken(transactions);
  const seen = createSeenIds(database, transactions, {
    maxAgeMs: options.dedupeMs,
    maxEntries: options.dedupeEntries,
  });
  const settler = createSettler({ database, ledger, deadLetters, taken, seen });
  const runs = createRuns(database, ledger, policy.runs, Date.now());
  const chunks = createChunks({ database, transactions, settler, ledger });
  const traces = createTraces(database, settler, ledger, () => policy.traces);
  const makeRoom = createMakeRoom(database, ledger, settler, space, transactions, traces);
  const usage = options.usage && createUsage(database, transactions, options.usage);
  const appendElements = createAppender({
    usage,
    runs,
    chunks: () => (policy.chunks ? chunks : undefined),
    traces,
    database,
    ledger,
    deadLetters,
    seen,
    naming: () => policy.naming,
  });
  const setProgress = database.prepare('UPDATE calls SET progress = ? WHERE seq = ?');
  const setPostponed = database.prepare(
    'UPDATE calls SET due_at = ?, attempts = ?, progress = ? WHERE seq = ?',
  );
  const insertProbe = database.prepare("INSERT INTO meta (name, value) VALUES ('probe', '')");
  const deleteProbe = database.prepare("DELETE FROM meta WHERE name = 'probe'");

  const append: SqliteJournal['appendVetted'] = (body, elements, receivedAt, now) => {
    if (!makeRoom(body.byteLength, receivedAt)) {
      throw new JournalError('JOURNAL_FULL', `the journal's ${space.maxBytes} bytes are used up`);
    }
    space.admitted(body.byteLength);
    return appendElements(bufferOf(body), elements, receivedAt, now);
  };

  const replay = createReplay(database, ledger);
  const dead = createDeadLetterDesk(database, ledger, settler);
  const run = createRun(transactions, {
    findUnreadable: createFindUnreadable(options.folder),
    onUnsound: own.noteDamage,
  });

  return {
    ...(own.damage && { damage: own.damage }),
    run: (commands) => {
      const results = run(commands);
      space.committed();
      return results;
    },
    append: (body, receivedAt, now = receivedAt) =>
      append(body, admitBody(policy.admission, bufferOf(body), receivedAt), receivedAt, now),
    vet: (body, receivedAt, redactor) =>
      admitVettedBody(policy.admission, bufferOf(body), receivedAt, redactor),
    appendVetted: append,
    take: createTaker({ database, taken, settle: settler.settle }),
    progress: (seq, progress) => {
      setProgress.run(JSON.stringify(progress), seq);
    },
    postpone: (seq, { dueAt, attempts, progress }) => {
      setPostponed.run(Math.ceil(dueAt), attempts, JSON.stringify(progress), seq);
      taken.giveBack(seq);
    },
    settle: (seq, settlement, now) => {
      settler.settle(seq, settlement, now);
      runs.ended();
    },
    body: createBodyReader(database),
    account: createAccountant({
      ...{ database, ledger, space, traces },
      runs: () => runs.report(Date.now()),
    }),
    dead: {
      ...dead,
      requeue: (filter, now) => {
        const requeued = dead.requeue(filter, now);
        runs.recount();
        return requeued;
      },
    },
    ...(usage && { usage }),
    chunks,
    traces,
    setPace: runs.setPace,
    replay: (request, now) => {
      const replayed = replay(request, now);
      runs.recount();
      return replayed;
    },
    tidy: (now) => {
      const [tidied] = run([
        () => {
          usage?.tidy(now);
          runs.tidy(now);
          const letGo = [chunks.release(now), traces.release(now)];
          const forgotten = settler.forgetRecorded(now - policy.retainMs, forgottenAStep, now);
          return letGo.includes(true) || forgotten === forgottenAStep;
        },
      ]);
      if (tidied?.status !== 'fulfilled') return false;
      const givesBack = space.tidy();
      return givesBack || tidied.value;
    },
    diskWorks: own.withdrawNote,
    probe: () => {
      insertProbe.run();
      deleteProbe.run();
    },
    reconfigure: (next) => {
      policy = compilePolicy(next);
      runs.reconfigure(policy.runs, Date.now());
    },
    close: () => {
      try {
        run([() => runs.keep(Date.now())]);
        // What was kept just before a stop is recorded when it has stopped.
        const releaseSome = () => run([() => chunks.release(Date.now())])[0];
        for (let some = releaseSome(); some?.status === 'fulfilled' && some.value; ) {
          some = releaseSome();
        }
      } finally {
        own.close();
      }
    },
  };
}

function bufferOf(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
