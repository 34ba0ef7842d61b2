/** The conservation account: `received = recorded + pending + dead + duplicate + shed`, in calls. */
export interface Account {
  journalId: string;
  received: number;
  /** Of those received, the calls that were taken in. */
  accepted: number;
  recorded: number;
  pending: number;
  dead: number;
  /** Dead letters that there have been, those that were tried anew included: it never falls. */
  everDead: number;
  duplicate: number;
  shed: Record<string, number>;
  /** Calls of which the body was given up for want of room; they are recorded without it. */
  bodiesShed: number;
  /** Calls of which the body was given up because the external redactor failed. */
  bodiesUnvetted: number;
  /** Whether the sum holds, and `pending` is what is really there. */
  addsUp: boolean;
  /** Unix milliseconds at which the oldest pending call was received. */
  oldestPendingAt?: number;
  /** Bytes in use on disk, and the most that may be. */
  bytes: number;
  maxBytes: number;
  /** Whether calls are taken in at present. */
  accepting: boolean;
  /** What was made of calls, and how runs are chosen now. */
  detail: DetailCounts;
  /** The disk fails: since when, in Unix milliseconds, and how. */
  trouble?: { since: number; message: string };
}

/** What is written of calls beside their counts. */
export interface DetailCounts {
  /** Runs that are complete, chunks and traces that are kept. */
  runs: number;
  chunks: number;
  traces: number;
  /** Chunks, and traces of calls, that could not be kept. */
  chunksGivenUp: number;
  tracesGivenUp: number;
  /** Second runs, of a call or a chunk, that were found and deleted. */
  secondRunsDeleted: number;
  /** When the oldest chunk that is not kept was begun, in Unix milliseconds. */
  oldestChunkAt?: number;
  /** Calls that were chosen to have no run, by the reason. */
  noRun: Record<string, number>;
  /** Calls that wait for a run, for a chunk that is being filled or sent, for a trace. */
  runsPending: number;
  chunkPending: number;
  /** Calls in chunks that are open, or closed and not kept yet. */
  notInChunks: number;
  tracesPending: number;
  /** MLflow takes no traces at present, so that no call waits for one. */
  tracesWaived: boolean;
  /** The rate at which successes get a run, 0 to 1. */
  sampleRate: number;
  /** Runs a second that MLflow takes, as far as it is known. */
  runsPerSecond?: number;
  /** How many of the runs of a day are left. */
  runsLeftOfDay: number;
  /** What keeps `sampleRate` below 1: the time to send what waits for a run, or the runs of the day. */
  limitedBy?: 'drain' | 'day';
  /** Runs a second at this pace, over time; absent before that is known. */
  runsChosenPerSecond?: number;
}
