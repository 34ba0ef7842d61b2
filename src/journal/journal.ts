import type { RedactionOptions } from '../admit/redaction-options.ts';
import type { RunChoiceOptions } from '../admit/run-choice.ts';
import type { CallRecord } from '../call/call-record.ts';
import type { UnusableReason } from '../call/read-batch.ts';
import type { UsageReport, UsageRunState, UsageTotals } from '../call/usage-report.ts';
import type { Account } from './account.ts';
import type { DeadLetter, DeadLetterContent, DeadLetterFilter } from './dead-letter.ts';
import type { ChunkJournal, TraceJournal } from './detail.ts';

/**
 * The durable, bounded queue between LiteLLM and MLflow.
 *
 * A promise that resolves means *on disk*. One that rejects, with a `JournalError`, means that
 * nothing of the command took effect.
 */
export interface Journal extends JournalDesk, ChunkJournal, TraceJournal {
  /**
   * Takes in a posted body: splits, parses, admits and commits it. The bytes are handed over; the
   * caller must not touch them again.
   *
   * @param receivedAt Unix milliseconds of the POST. In usage its calls count when they are committed.
   */
  append(body: Uint8Array<ArrayBuffer>, receivedAt: number): Promise<AppendReceipt>;
  /**
   * Up to `limit` pending calls that are due at `now`, oldest first, none of which is with somebody
   * already. Each is marked as begun towards `destination` before this resolves, so that after a
   * kill it is known that a request may have gone out for it.
   */
  take(limit: number, destination: string, now: number): Promise<TakenCalls>;
  /** Keeps how far a taken call has come. */
  progress(seq: number, progress: Progress): Promise<void>;
  /** Gives a taken call back, to be taken again at `dueAt` (Unix milliseconds). */
  postpone(seq: number, postponement: Postponement): Promise<void>;
  /** Ends a taken call. */
  settle(seq: number, settlement: Settlement, now: number): Promise<void>;
  /**
   * The bytes of a call's `call.json`; absent when they were shed or are damaged. They are written
   * to `place` where it is given and large enough.
   */
  body(seq: number, place?: Uint8Array<SharedArrayBuffer>): Promise<Uint8Array | undefined>;
  /**
   * What calls add up to, in intervals that have closed and were not sent to `destination`: those of
   * the oldest day, of the ones that begin at `from` or later, of which there are some.
   */
  usageReport(destination: string, now: number, from: number): Promise<UsageReport | undefined>;
  /** What a series has added up to, whose own run is the longest behind; absent where none is. */
  usageTotals(destination: string, now: number): Promise<UsageTotals | undefined>;
  /** Keeps a run that is about to be made, or that was found or made: it has been sent nothing yet. */
  keepUsageRun(run: UsageRunKey, state: UsageRunState): Promise<void>;
  /** Keeps what a run has been sent. */
  usageSent(run: UsageRunKey, sent: SentUsage): Promise<void>;
  /** How many runs a second the destination takes, as far as it is known. */
  setPace(runsPerSecond: number | undefined): Promise<void>;
  /** Calls that are posted from now on are treated by `policy`. */
  reconfigure(policy: JournalPolicy): Promise<void>;
  /** Waits for what was asked, then closes the file. */
  close(): Promise<void>;
}

/** How often a series' own run is due, in milliseconds. */
export const totalsEvery = 3_600_000;

/** A run that holds the usage of a day, or of a series on that day. */
export interface UsageRunKey {
  day: string;
  /** `''` for all calls. */
  series: string;
  destination: string;
}

export interface SentUsage {
  /** Unix milliseconds: what came until then was sent. */
  until: number;
  /** Nothing more is to be sent. */
  ended: boolean;
}

/** What may change while the journal is open. */
export interface JournalPolicy {
  /** How long recorded calls are kept, in milliseconds. */
  retainMs: number;
  /** The template of the experiments' names. */
  experiment: string;
  /** What is redacted; absent: what always is. */
  redact?: RedactionOptions;
  /** Which calls get a run; absent: all. */
  runs?: RunChoiceOptions;
  /** Whether calls are kept in chunks, and whether they want a trace. */
  chunks?: boolean;
  traces?: boolean;
}

/** What an operator asks of a journal, whether a daemon owns it or not. */
export interface JournalDesk {
  account(): Promise<Account>;
  /** The newest first, `limit` at the most. */
  listDead(filter: DeadLetterFilter, limit: number): Promise<DeadLetter[]>;
  showDead(id: number): Promise<DeadLetterContent | undefined>;
  /** Makes dead calls pending again; parts of posts that are no calls are left. */
  requeueDead(filter: DeadLetterFilter, now: number): Promise<{ requeued: number; left: number }>;
  /** Forgets dead letters and what they keep. They stay dead in the account. */
  purgeDead(filter: DeadLetterFilter, now: number): Promise<{ purged: number }>;
  /** Makes recorded calls that are still kept pending again, wherever calls go by then. */
  replay(request: ReplayRequest, now: number): Promise<{ replayed: number }>;
}

/** Which recorded calls are replayed; all conditions that are given must hold. */
export interface ReplayRequest {
  /** When they were received, in Unix milliseconds: from then on, and before then. */
  from?: number | undefined;
  to?: number | undefined;
  /** The model's full name or its public one. */
  model?: string | undefined;
  /** The team's id or alias. */
  team?: string | undefined;
  status?: 'success' | 'failure' | undefined;
  /**
   * Makes a second run of each on purpose. In the account a call stays what it is: recorded once.
   */
  again?: boolean | undefined;
}

/** What became of a posted body, in calls. `received` = accepted + duplicates + rejected. */
export interface AppendReceipt {
  received: number;
  accepted: number;
  duplicates: number;
  rejected: { index: number; reason: UnusableReason | 'internal_error' }[];
}

export interface TakenCalls {
  calls: PendingCall[];
  /** Unix milliseconds at which the next call is due that is not due yet. */
  nextDueAt?: number;
}

export interface PendingCall {
  seq: number;
  receivedAt: number;
  /** The experiment's name, as it was resolved when the call was admitted. */
  experiment: string;
  record: CallRecord;
  /** How often it was tried and given back because of its own failure. */
  attempts: number;
  /** The length of its `call.json`. */
  bodyBytes: number;
  /** How far an earlier attempt towards the same destination came; absent where there was none. */
  progress?: Progress;
  /** It has a trace, or is to get one. */
  isTraced?: true;
  /** With which probability it was chosen to have a run; absent where that was not by chance. */
  sampleRate?: number;
}

/** Stands for every destination, in progress of which it is not known towards which it was. */
export const anyDestination = '*';

/** How far a call has come towards one destination. */
export interface Progress {
  destination: string;
  /** Unix milliseconds since when a create may have been sent whose answer is not known. */
  begunAt?: number;
  /** Of a chunk: the name of the experiment in which its run may have been made, as long as that is not known. */
  experiment?: string;
  experimentId?: string;
  runId?: string;
  artifactUri?: string;
  /** Steps that MLflow has answered, by name. */
  done?: string[];
  /** A create was sent again after an unclear one, so there may come to be a second run. */
  resent?: true;
  /** How many second runs were found and deleted; they are counted when the call ends. */
  secondRunsDeleted?: number;
  /** Parts that had to be left out, by name. */
  shed?: string[];
  /**
   * How often the server failed over this call, at which request, while it did the same for others
   * between; and when it last did, in Unix milliseconds.
   */
  failures?: { request: string; lastAt: number; times: number };
  /** The call was recorded before, wherever: its run is searched for before anything is sent. */
  replayed?: true;
  /** The run that it had when it was replayed, by which it is known until that is found, or another made. */
  earlierRunId?: string;
  /** How far it had come towards the destination before this one, should that come back. */
  before?: Progress;
  /** The call was recorded before; when a second run of it was asked for, in Unix milliseconds. */
  again?: number;
}

export interface Postponement {
  dueAt: number;
  attempts: number;
  progress: Progress;
}

/** How a call ends. `detail` may quote a value of the call: it is kept with it, and never logged. */
export type Settlement =
  /** `progress`: how far it had come, where that is not kept yet. */
  | { kind: 'recorded'; progress?: Progress }
  | { kind: 'dead'; reason: string; detail: string }
  | { kind: 'shed'; reason: string };

/**
 * `JOURNAL_FULL`: no room for more calls. `JOURNAL_UNAVAILABLE`: the disk failed or the journal is
 * closed. `JOURNAL_IN_USE`: another process owns it. `JOURNAL_TOO_NEW`: a later version wrote it.
 * `JOURNAL_ON_NETWORK_DISK`, `JOURNAL_NOT_WRITABLE`: the data folder cannot hold it.
 * `JOURNAL_DAMAGED`: the file is damaged; opening it anew salvages what reads.
 */
export type JournalErrorCode =
  | 'JOURNAL_FULL'
  | 'JOURNAL_UNAVAILABLE'
  | 'JOURNAL_IN_USE'
  | 'JOURNAL_TOO_NEW'
  | 'JOURNAL_ON_NETWORK_DISK'
  | 'JOURNAL_NOT_WRITABLE'
  | 'JOURNAL_DAMAGED';

export class JournalError extends Error {
  readonly code: JournalErrorCode;

  constructor(code: JournalErrorCode, message: string) {
    super(message);
    this.name = 'JournalError';
    this.code = code;
  }
}
