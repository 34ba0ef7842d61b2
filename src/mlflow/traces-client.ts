import { createAsk } from './ask.ts';
import type { ClientOptions } from './client.ts';
import { member, parsed, textMember } from './json-answer.ts';
import { otlpBody } from './otlp.ts';
import { compressed } from './otlp-compress.ts';
import { mapDone, type Outcome } from './outcome.ts';
import type { TraceData } from './trace-data.ts';
import { askWhetherServed, findTracesWay } from './traces-find-way.ts';
import { startTraceBody, tracesFile } from './traces-start.ts';
import type { TracesAsk, TracesWay, TracesWish } from './traces-way.ts';
import type { Send } from './transport.ts';

export type { TracesAsk, TracesWay, TracesWish } from './traces-way.ts';

/** What of MLflow's API is about traces, one method a request unless said. None throws. */
export interface TracesClient {
  /** How traces go to this server; asks up to eight times. */
  findWay(wish: TracesWish): Promise<Outcome<TracesWay>>;
  /** Whether the server answers us at all: what it refuses otherwise, it refuses for itself. */
  serves(): Promise<Outcome<void>>;
  /** Sends traces by OTLP. */
  post(experimentId: string, traces: readonly TraceData[], gzip: boolean): Promise<Outcome<void>>;
  /** Which of these the server has, by their ids of 32 hex digits; a request for some of them at a time. */
  present(traceIds: readonly string[], by: TracesAsk): Promise<Outcome<ReadonlySet<string>>>;
  /** Makes a trace without its spans; safe to send again. Where its files go; `''` where nobody said. */
  start(experimentId: string, trace: TraceData): Promise<Outcome<string>>;
  /** `traces.json`, which holds the spans of a trace that was made so. No request. */
  spansFile(trace: TraceData): Uint8Array;
}

/** So many are asked for at once: infos are small; whole traces come with all that was said in them. */
const askedAtOnce: Readonly<Record<TracesAsk, number>> = {
  'traces/batchGetInfos': 100,
  'traces/batchGet': 20,
};

export function createTracesClient(send: Send, options: ClientOptions): TracesClient {
  const ask = createAsk(send, options);

  const presentOf = (ids: readonly string[], by: TracesAsk): Promise<Outcome<string[]>> => {
    const trace_ids = ids.map((id) => `tr-${id}`);
    const path = `/api/3.0/mlflow/${by}`;
    if (by === 'traces/batchGetInfos') {
      const body = JSON.stringify({ trace_ids });
      return ask(
        { name: by, method: 'POST', path, contentType: 'application/json', body },
        (answer) => idsIn(parsed(answer), 'trace_infos', (info) => info),
      );
    }
    const query = new URLSearchParams(trace_ids.map((id): [string, string] => ['trace_ids', id]));
    return ask({ name: by, method: 'GET', path: `${path}?${query}` }, (answer) =>
      idsIn(parsed(answer), 'traces', (trace) => member(trace, 'trace_info')),
    );
  };

  return {
    findWay: (wish) => findTracesWay(ask, wish),
    serves: () => askWhetherServed(ask),
    post: async (experimentId, traces, gzip) => {
      const body = await otlpBody(traces);
      const posted = await ask(
        {
          name: 'v1/traces',
          method: 'POST',
          path: '/v1/traces',
          contentType: 'application/x-protobuf',
          headers: {
            'x-mlflow-experiment-id': experimentId,
            ...(gzip && { 'content-encoding': 'gzip' }),
          },
          body: gzip ? await compressed(body) : body,
        },
        // Its answer is an empty message; a page in the place of MLflow has text.
        (answer) => (answer.length < longestAnswer && !answer.includes('<') ? true : undefined),
      );
      return mapDone(posted, () => undefined);
    },
    present: async (traceIds, by) => {
      const found = new Set<string>();
      for (let at = 0; at < traceIds.length; at += askedAtOnce[by]) {
        const some = await presentOf(traceIds.slice(at, at + askedAtOnce[by]), by);
        if (some.kind !== 'done') return some;
        for (const id of some.value) found.add(id);
      }
      return { kind: 'done', value: found };
    },
    spansFile: tracesFile,
    start: (experimentId, trace) =>
      ask(
        {
          name: 'traces/create',
          method: 'POST',
          path: '/api/3.0/mlflow/traces',
          contentType: 'application/json',
          body: startTraceBody(experimentId, trace),
        },
        (answer) => {
          const info = member(member(parsed(answer), 'trace'), 'trace_info');
          if (textMember(info, 'trace_id') === undefined) return undefined;
          return textMember(member(info, 'tags'), 'mlflow.artifactLocation') ?? '';
        },
      ),
  };
}

const longestAnswer = 1_000;

/** The ids, without `tr-`, of what an answer lists; an answer without the list, as for none, is `{}`. */
function idsIn(
  answer: unknown,
  list: string,
  infoOf: (item: unknown) => unknown,
): string[] | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const items = member(answer, list) ?? [];
  if (!Array.isArray(items)) return undefined;
  const ids = items.map((item) => textMember(infoOf(item), 'trace_id'));
  return ids.filter((id) => id !== undefined).map((id) => id.replace(/^tr-/, ''));
}
