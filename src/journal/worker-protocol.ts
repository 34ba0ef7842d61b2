import type { UsageReport, UsageRunState, UsageTotals } from '../call/usage-report.ts';
import type { Account } from './account.ts';
import type { DeadLetter, DeadLetterContent, DeadLetterFilter } from './dead-letter.ts';
import type { ChunkedCall, PendingChunk, TracedCall } from './detail.ts';
import type { DiskTrouble } from './disk-watch.ts';
import type {
  AppendReceipt,
  JournalErrorCode,
  JournalPolicy,
  Postponement,
  Progress,
  ReplayRequest,
  SentUsage,
  Settlement,
  TakenCalls,
  UsageRunKey,
} from './journal.ts';
import type { Damage } from './salvage/damage.ts';

/** What the main thread asks of the journal's thread. */
export type Command =
  | { op: 'append'; body: Uint8Array<ArrayBuffer>; receivedAt: number }
  | { op: 'take'; limit: number; destination: string; now: number }
  | { op: 'progress'; seq: number; progress: Progress }
  | { op: 'postpone'; seq: number; postponement: Postponement }
  | { op: 'settle'; seq: number; settlement: Settlement; now: number }
  | { op: 'body'; seq: number; place?: Uint8Array<SharedArrayBuffer> | undefined }
  | { op: 'account' }
  | { op: 'listDead'; filter: DeadLetterFilter; limit: number }
  | { op: 'showDead'; deadId: number }
  | { op: 'requeueDead'; filter: DeadLetterFilter; now: number }
  | { op: 'purgeDead'; filter: DeadLetterFilter; now: number }
  | { op: 'replay'; request: ReplayRequest; now: number }
  | { op: 'usageReport'; destination: string; now: number; from: number }
  | { op: 'usageTotals'; destination: string; now: number }
  | { op: 'keepUsageRun'; run: UsageRunKey; state: UsageRunState }
  | { op: 'usageSent'; run: UsageRunKey; sent: SentUsage }
  | { op: 'takeChunk'; destination: string; now: number; closeNow: boolean }
  | { op: 'chunkPage'; chunk: number; after: number }
  | { op: 'chunkProgress'; chunk: number; progress: Progress }
  | { op: 'postponeChunk'; chunk: number; postponement: Postponement }
  | { op: 'settleChunk'; chunk: number; end: 'kept' | 'given up' }
  | { op: 'wantingTraces'; limit: number; after: number }
  | { op: 'beginTraces'; seqs: readonly number[]; now: number }
  | { op: 'tracesEnded'; seqs: readonly number[]; end: 'kept' | 'given up'; now: number }
  | { op: 'waiveTraces'; isWaived: boolean }
  | { op: 'setPace'; runsPerSecond: number | undefined }
  | { op: 'reconfigure'; policy: JournalPolicy }
  | { op: 'close' };

/** What each command answers. */
export interface Answers {
  append: AppendReceipt;
  take: TakenCalls;
  progress: undefined;
  postpone: undefined;
  settle: undefined;
  body: Uint8Array | undefined;
  account: Account;
  listDead: DeadLetter[];
  showDead: DeadLetterContent | undefined;
  requeueDead: { requeued: number; left: number };
  purgeDead: { purged: number };
  replay: { replayed: number };
  usageReport: UsageReport | undefined;
  usageTotals: UsageTotals | undefined;
  keepUsageRun: undefined;
  usageSent: undefined;
  takeChunk: PendingChunk | undefined;
  chunkPage: ChunkedCall[];
  chunkProgress: undefined;
  postponeChunk: undefined;
  settleChunk: undefined;
  wantingTraces: TracedCall[];
  beginTraces: undefined;
  tracesEnded: undefined;
  waiveTraces: undefined;
  setPace: undefined;
  reconfigure: undefined;
  close: undefined;
}

export type Answer = Answers[keyof Answers];

export interface Request {
  id: number;
  command: Command;
}

export type Reply =
  | { id: number; ok: true; value: Answer }
  | { id: number; ok: false; code: JournalErrorCode; message: string };

/** What the thread says of itself: once at its start, then with each commit and change. */
export type Message =
  | { kind: 'opened'; damage?: Damage }
  | { kind: 'refused'; code: JournalErrorCode; message: string }
  | { kind: 'replies'; replies: Reply[] }
  | { kind: 'disk'; trouble: DiskTrouble | undefined };
