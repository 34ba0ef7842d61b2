import { limits } from './limits.ts';

export type Entries = Iterable<readonly [name: string, value: string]>;

/** A metric's value at a time in Unix milliseconds. */
export interface MetricPoint {
  name: string;
  value: number;
  timestamp: number;
  step: number;
}

export interface RunStart {
  name: string;
  /** Unix milliseconds. */
  startTime: number;
  tags: Entries;
}

export interface RunData {
  params: Entries;
  metrics: Iterable<MetricPoint>;
  tags: Entries;
}

export interface RunEnd {
  status: 'FINISHED' | 'FAILED';
  /** Unix milliseconds. */
  endTime: number;
}

/*
 * The only place that makes request bodies. MLflow drops what it cannot parse, and all that follows
 * it in the request, and answers 200; so each value is brought to its type and within its limits
 * here: ids, keys and values are well-formed strings without NUL, times and steps are whole numbers
 * that are not negative, metrics are finite, and no key comes twice.
 */

export function createRunBody(experimentId: string, run: RunStart): string {
  // Where a run's name is empty MLflow makes one up, then refuses the request: two for one run.
  const name = cut(text(run.name), limits.runNameLength) || '_';
  return JSON.stringify({
    experiment_id: text(experimentId),
    start_time: wholeNumber(run.startTime),
    tags: pairs([...run.tags, ['mlflow.runName', name]], {
      valueLength: limits.tagValueLength,
      most: limits.createTags,
      ascii: false,
    }),
  });
}

export function logBatchBody(runId: string, data: RunData): string {
  const params = pairs(data.params, {
    valueLength: limits.paramValueLength,
    most: limits.params,
    ascii: true,
  });
  const tags = pairs(data.tags, {
    valueLength: limits.tagValueLength,
    most: limits.tags,
    ascii: false,
  });
  const metrics = metricPoints(data.metrics, limits.batch - params.length - tags.length);
  return JSON.stringify({ run_id: text(runId), params, metrics, tags });
}

export function updateRunBody(runId: string, end: RunEnd): string {
  return JSON.stringify({
    run_id: text(runId),
    status: end.status,
    end_time: wholeNumber(end.endTime),
  });
}

export function deleteRunBody(runId: string): string {
  return JSON.stringify({ run_id: text(runId) });
}

export function presignUploadBody(runId: string, path: string): string {
  return JSON.stringify({ run_id: text(runId), path: text(path) });
}

export function createExperimentBody(name: string): string {
  return JSON.stringify({ name: text(name) });
}

export function restoreExperimentBody(experimentId: string): string {
  return JSON.stringify({ experiment_id: text(experimentId) });
}

/** Runs, deleted ones included, that carry `tag` and began exactly at `startTime`. */
export function searchRunsBody(
  experimentId: string,
  tag: readonly [name: string, value: string],
  startTime: number,
): string {
  const [name, value] = tag;
  const literal = text(value).replaceAll("'", '');
  return JSON.stringify({
    experiment_ids: [text(experimentId)],
    filter: `tags.\`${key(name, false)}\` = '${literal}' and attributes.start_time = ${wholeNumber(startTime)}`,
    run_view_type: 'ALL',
    max_results: 10,
  });
}

interface PairLimits {
  valueLength: number;
  most: number;
  ascii: boolean;
}

function pairs(entries: Entries, { valueLength, most, ascii }: PairLimits) {
  const byKey = new Map<string, string>();
  for (const [name, value] of entries) {
    const safeKey = freeKey(key(name, ascii), byKey);
    if (byKey.size < most) byKey.set(safeKey, cut(text(value), valueLength));
  }
  return [...byKey].map(([name, value]) => ({ key: name, value }));
}

/** `name`, or with a number behind it where it is taken: no value may hide another. */
export function freeKey(name: string, taken: ReadonlyMap<string, unknown>): string {
  let candidate = name;
  for (let copy = 2; taken.has(candidate); copy += 1) {
    const suffix = `_${copy}`;
    candidate = name.slice(0, limits.keyLength - suffix.length) + suffix;
  }
  return candidate;
}

function metricPoints(points: Iterable<MetricPoint>, most: number) {
  return [...points]
    .filter((point) => Number.isFinite(point.value))
    .slice(0, most)
    .map((point) => ({
      key: key(point.name, true),
      value: point.value,
      timestamp: wholeNumber(point.timestamp),
      step: wholeNumber(point.step),
    }));
}

/**
 * A name that MLflow takes: of `[\w/.\- :]`, its own normal form as a path, and not beginning with two
 * dots, whatever follows them. Python's `\w` knows fewer letters than JavaScript's newest Unicode, so
 * params and metrics, which are checked, keep to ASCII.
 */
export function key(name: string, ascii: boolean): string {
  const refused = ascii ? /[^\w/.\- :]/g : /[^\p{L}\p{N}_/.\- :]/gu;
  const parts = cut(text(name).replace(refused, '_'), limits.keyLength)
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (part === '.' || part === '..' ? '_'.repeat(part.length) : part));
  return parts.join('/').replace(/^\.\./, '__') || '_';
}

export function text(value: string): string {
  return value.toWellFormed().replaceAll('\0', '');
}

/** The first `length` units of `value`, without half a character at the end. */
export function cut(value: string, length: number): string {
  if (value.length <= length) return value;
  const last = value.charCodeAt(length - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return value.slice(0, splitsPair ? length - 1 : length);
}

export function wholeNumber(value: number): number {
  const whole = Math.round(value);
  return Number.isSafeInteger(whole) && whole >= 0 ? whole : 0;
}
