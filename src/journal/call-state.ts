/**
 * How a call stands, as its row keeps it. Pending in the account are `pending`, which has its run to
 * come, and `waiting`, which has or needs none, but wants a place in a chunk or a trace.
 */
export const callState = {
  pending: 0,
  recorded: 1,
  dead: 2,
  waiting: 3,
  /** It is shed, and kept only until its chunk has it. */
  gone: 4,
} as const;

/** What a call wants beside its run, in the bits of `wants`. */
export const want = { chunk: 1, trace: 2 } as const;
/** Other bits can only come from damage: nothing would ever take them from the call. */
export const wantsAll = want.chunk | want.trace;
