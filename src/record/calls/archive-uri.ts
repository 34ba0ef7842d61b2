/**
 * Where the whole calls of a chunk lie below `prefix` (`s3://BUCKET[/PREFIX]`), in partitions by the hour
 * in UTC, as Athena and DuckDB read them: `PREFIX/dt=2026-11-24/hour=13/CHUNK.jsonl.gz`.
 *
 * @param beganAt When the first of its calls was received, in Unix milliseconds.
 */
export function archiveUri(prefix: string, chunkId: string, beganAt: number): string {
  const [date, time = ''] = new Date(beganAt).toISOString().split('T');
  const folder = `${prefix.replace(/\/+$/, '')}/dt=${date}/hour=${time.slice(0, 2)}`;
  return `${folder}/${chunkId}.jsonl.gz`;
}
