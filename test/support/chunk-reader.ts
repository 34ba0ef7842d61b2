import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import type { MlflowReader } from './mlflow-reader.ts';

/** What the calls table and the archive hold of calls, by LiteLLM's call id. */
export interface KeptCalls {
  /** How often each call is in a table. */
  tables: ReadonlyMap<string, number>;
  /** How often each is in the archive. */
  archive: ReadonlyMap<string, number>;
  chunks: number;
}

/**
 * Reads every chunk of an experiment back; all of them have to be finished.
 *
 * @param archived Reads an archive that does not lie below its chunk's run.
 */
export async function readChunks(
  reader: MlflowReader,
  experiment: string,
  archived?: (uri: string) => Promise<Uint8Array>,
): Promise<KeptCalls> {
  const tables = new Map<string, number>();
  const archive = new Map<string, number>();
  const runs = await reader.runs(experiment);
  const count = (counts: Map<string, number>, id: unknown) =>
    counts.set(String(id), (counts.get(String(id)) ?? 0) + 1);
  for (const run of runs) {
    assert.equal(run.status, 'FINISHED', `chunk ${run.runName}`);
    const table: { columns: string[]; data: unknown[][] } = JSON.parse(
      await reader.artifact(run, 'calls.json'),
    );
    const at = table.columns.indexOf('request_id');
    for (const row of table.data) count(tables, row[at]);
    const index: { file: string }[] = JSON.parse(await reader.artifact(run, 'calls.index.json'));
    for (const file of new Set(index.map((member) => member.file))) {
      const bytes = archived?.(file) ?? reader.artifactBytes(run, file);
      const lines = gunzipSync(await bytes)
        .toString()
        .trimEnd()
        .split('\n');
      for (const line of lines) {
        const call: { request_id: string } = JSON.parse(line);
        count(archive, call.request_id);
      }
    }
  }
  return { tables, archive, chunks: runs.length };
}
