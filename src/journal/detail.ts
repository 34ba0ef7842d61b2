import type { CallRecord } from '../call/call-record.ts';
import type { Postponement, Progress } from './journal.ts';

/** What of the journal those need that write chunks; a promise means the same as in `journal.ts`. */
export interface ChunkJournal {
  /**
   * The oldest chunk that is closed and due at `now`, none of which is with somebody already. An open
   * one is closed when its time has come; `closeNow`: whenever it holds a call, and a chunk that failed
   * need not wait for its next try.
   */
  takeChunk(
    destination: string,
    now: number,
    closeNow?: boolean,
  ): Promise<PendingChunk | undefined>;
  /** Some calls of a chunk behind `after`, in their order; none when there are no more. */
  chunkPage(chunk: number, after: number): Promise<ChunkedCall[]>;
  /** Keeps how far a taken chunk has come. */
  chunkProgress(chunk: number, progress: Progress): Promise<void>;
  /** Gives a taken chunk back, to be taken again at `dueAt` (Unix milliseconds). */
  postponeChunk(chunk: number, postponement: Postponement): Promise<void>;
  /** Ends a taken chunk: its calls need nothing more of it. `given up`: it cannot be kept anywhere. */
  settleChunk(chunk: number, end: 'kept' | 'given up'): Promise<void>;
}

/** What of the journal those need that write traces. */
export interface TraceJournal {
  /** Up to `limit` calls that want a trace, the oldest behind `after` first. */
  wantingTraces(limit: number, after: number): Promise<TracedCall[]>;
  /** Marks calls: from now on it is known that a request may have gone out for them. */
  beginTraces(seqs: readonly number[], now: number): Promise<void>;
  /** These calls need no trace any more: they have it, or cannot have one (`given up`). */
  tracesEnded(seqs: readonly number[], end: 'kept' | 'given up', now: number): Promise<void>;
  /** Whether nothing waits for a trace any more, and no call that comes gets one; not so after a restart. */
  waiveTraces(isWaived: boolean): Promise<void>;
}

/** A closed chunk: calls that are kept together, each call in one chunk. Times are Unix milliseconds. */
export interface PendingChunk {
  /** Its number in this journal. */
  id: number;
  calls: number;
  /** When the first and the last of them were received. */
  beganAt: number;
  endedAt: number;
  attempts: number;
  progress?: Progress;
}

/** A call as its chunk keeps it. */
export interface ChunkedCall {
  seq: number;
  receivedAt: number;
  record: CallRecord;
  /** The bytes of its `call.json` where they are few; `Journal.body` has those of any. */
  body?: Uint8Array;
  /** The length of its `call.json`; 0 where there is none. */
  bodyBytes: number;
  /** Its run, where it has one already. */
  runId?: string;
  /** It has a trace, or is to get one. */
  isTraced?: true;
  /** With which probability it was chosen to have a run; absent where that was not by chance. */
  sampleRate?: number;
}

/** A call that wants a trace. */
export interface TracedCall {
  seq: number;
  receivedAt: number;
  /** The name of the experiment of its run. */
  experiment: string;
  record: CallRecord;
  bodyBytes: number;
  /** A trace may have been sent for it whose answer is not known. */
  begunBefore: boolean;
  runId?: string;
}
