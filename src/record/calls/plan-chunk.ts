import { type RunPlan, recordIdTag } from '../run-plan.ts';
import { siblingExperiment } from '../sibling-experiment.ts';
import type { ChunkSums } from './chunk-sums.ts';

/** A chunk, as its run tells of it. */
export interface ChunkFacts {
  /** `JOURNALID-N` */
  chunkId: string;
  journalId: string;
  /** When the first and the last of its calls were received, in Unix milliseconds. */
  beganAt: number;
  endedAt: number;
  sums: ChunkSums;
  /** Bytes of the whole calls, compressed. */
  bytes: number;
  /** Where they lie, if not under the run. */
  archiveUri?: string;
}

/** The files of a chunk's run. */
export const chunkFileNames = {
  table: 'calls.json',
  lines: 'calls.jsonl.gz',
  index: 'calls.index.json',
} as const;

/** The run of a chunk of calls. */
export function planChunk(chunk: ChunkFacts): RunPlan {
  const { chunkId, journalId, beganAt, endedAt, archiveUri } = chunk;
  const listed = [{ path: chunkFileNames.table, type: 'table' }];
  return {
    recordId: chunkId,
    name: `calls ${periodOf(beganAt, endedAt)}`,
    startTime: beganAt,
    endTime: endedAt,
    status: 'FINISHED',
    tags: new Map([
      ['sidecar.record', 'chunk'],
      ['sidecar.chunk_id', chunkId],
      [recordIdTag, chunkId],
      ['sidecar.journal_id', journalId],
      // By this tag MLflow's UI and `load_table` know of the table.
      ['mlflow.loggedArtifacts', JSON.stringify(listed)],
      ['mlflow.source.name', 'litellm-mlflow-sidecar'],
      ['mlflow.source.type', 'LOCAL'],
      ['mlflow.note.content', noteOf(chunk)],
      ...(archiveUri === undefined ? [] : [['sidecar.archive_uri', archiveUri] as const]),
    ]),
    params: new Map(),
    metrics: metricsOf(chunk),
  };
}

/** The experiment of the chunks: beside that of the calls' own runs. */
export function callsExperiment(template: string): string {
  return siblingExperiment(template, 'calls');
}

function metricsOf({ sums, bytes }: ChunkFacts): Map<string, number> {
  const { calls, failures, totalTokens, costUsd } = sums;
  return new Map([
    ['calls', calls],
    ['failures', failures],
    ...(totalTokens === undefined ? [] : [['total_tokens', totalTokens] as const]),
    ...(costUsd === undefined ? [] : [['cost_usd', costUsd] as const]),
    ['bytes', bytes],
  ]);
}

/** `2026-11-24 13:05 – 13:20`, in UTC; with both dates where there are two. */
function periodOf(beganAt: number, endedAt: number): string {
  const [from, to] = [beganAt, endedAt].map(
    (at) => new Date(at).toISOString().slice(0, 16).split('T') as [date: string, time: string],
  );
  if (from === undefined || to === undefined) return '';
  return `${from.join(' ')} – ${from[0] === to[0] ? to[1] : to.join(' ')}`;
}

function noteOf({ sums, archiveUri }: ChunkFacts): string {
  const { table, lines, index } = chunkFileNames;
  return [
    `${sums.calls} calls, ${sums.failures} of them failed, by the time at which they were received (UTC). Every call is in one chunk, whether it has a run of its own or not.`,
    '',
    `- \`${table}\`: a row a call. \`MlflowClient().load_table\` reads it, for many chunks at once.`,
    archiveUri === undefined
      ? `- \`${lines}\`: the whole calls, a line of JSON each.`
      : `- \`${archiveUri}\`: the whole calls, a line of JSON each.`,
    `- \`${index}\`: where in there a call lies, so that it can be fetched alone.`,
  ].join('\n');
}
