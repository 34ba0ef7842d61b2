/**
 * The ids of a call's trace, so that the same call has the same trace whoever sends it and how often:
 * the first 128 bits of its record id, and for the span the 64 bits behind them. Lower-case hex.
 */
export function traceIdsOf(recordId: string): { traceId: string; spanId: string } {
  return { traceId: recordId.slice(0, 32), spanId: recordId.slice(32, 48) };
}
