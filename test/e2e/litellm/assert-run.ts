import assert from 'node:assert/strict';
import { recordOf } from '../../support/upstream-request.ts';
import { expectedRun, type RunFacts } from './expected-run.ts';
import type { MadeCall } from './made-call.ts';
import { errorIn, type PostedEvent } from './posted-event.ts';
import type { FiledRun } from './stage.ts';

/** What two processes on one machine may differ by, in milliseconds: LiteLLM logs when it comes to it. */
const slack = 1000;

/** For streamed messages LiteLLM's clock starts with the upstream's headers, so much later at most. */
const headersAfter = 250;

/** Compares a run with all that is known of its call. Its answer is looked at by the caller. */
export function assertRun(
  { run, files }: FiledRun,
  call: MadeCall,
  event: PostedEvent,
  facts: RunFacts,
): void {
  const expected = expectedRun(call, event, facts);
  const { 'mlflow.note.content': note = '', ...tags } = run.tags;
  const { cost_usd: cost, ...metrics } = run.metrics;
  const { cost_usd: expectedCost, ...expectedMetrics } = expected.metrics;
  assert.deepEqual(
    { ...run, metrics, tags },
    {
      ...expected,
      metrics: expectedMetrics,
      runId: run.runId,
      artifactUri: run.artifactUri,
      lifecycle: 'active',
    },
  );
  assertClose(cost, expectedCost);
  assertTimes(run.startTime, run.endTime ?? 0, run.metrics, call);
  assertNote(note, call, facts);
  assertFiles(files, call, event, facts);
}

/** LiteLLM adds prices up in an order of its own, so the last digits differ. */
export function assertClose(actual: number | undefined, expected: number | undefined): void {
  if (actual === undefined || expected === undefined) assert.equal(actual, expected);
  else assert.ok(Math.abs(actual - expected) <= expected * 1e-9, `${actual} is not ${expected}`);
}

function assertTimes(
  start: number,
  end: number,
  metrics: Readonly<Record<string, number>>,
  call: MadeCall,
): void {
  const { latency_ms: latency = -1, time_to_first_token_ms: first } = metrics;
  assert.ok(start >= Math.floor(call.from), `began ${call.from - start} ms before it was made`);
  assert.ok(end <= call.to + slack, `ended ${end - call.to} ms after its answer`);
  assert.ok(Math.abs(end - start - latency) <= 1, 'latency is the time from start to end');
  const { upstream } = call;
  const asked = upstream.some(({ at }) => at >= start - headersAfter && at <= end + 1);
  assert.ok(upstream.length === 0 || asked, 'the upstream was asked within it');
  if (first === undefined) return;
  assert.ok(first <= latency, `first token ${first} ms, latency ${latency} ms`);
  const seen = call.firstByte - call.from;
  assert.ok(first <= seen + 1, `first token after ${first} ms, its client saw it after ${seen} ms`);
}

function assertNote(note: string, call: MadeCall, facts: RunFacts): void {
  assert.match(note, facts.status === 'success' ? /^\*\*success\*\*/ : /^\*\*failure\*\*: \w+/);
  const total = facts.metrics['total_tokens'];
  if (total !== undefined) assert.ok(note.includes(` ${total} tokens`), note);
  assert.ok(call.prompt === '' || !note.includes(call.prompt), note);
  for (const { answer } of call.upstream) assert.ok(answer === undefined || !note.includes(answer));
}

function assertFiles(
  files: ReadonlyMap<string, string>,
  call: MadeCall,
  event: PostedEvent,
  facts: RunFacts,
): void {
  const { error, traceback } = errorIn(event);
  assert.deepEqual(
    [...files.keys()],
    ['call.json', ...(traceback === '' ? [] : ['traceback.txt'])],
  );
  assert.equal(files.get('traceback.txt') ?? '', traceback);
  if (facts.status === 'success') assert.equal(traceback, '');

  const { request, response, context, ...rest } = callJson(files);
  assert.deepEqual(rest, {});
  const { model_parameters: parameters, messages, ...restOfRequest } = recordOf(request);
  assert.deepEqual(restOfRequest, {});
  assert.deepEqual(parameters, facts.parameters);
  assert.deepEqual(messages, facts.messages ?? messagesOf(call));
  assert.deepEqual(response, event['response']);
  if (facts.status === 'failure') assert.deepEqual(response, {});

  const {
    error_str: errorText,
    messages: _messages,
    response: _response,
    model_parameters: _parameters,
    model_map_information: prices,
    ...other
  } = event;
  assert.notEqual(prices, undefined, 'LiteLLM sent the price list that is left out');
  const repeats = errorText === error['error_message'];
  assert.deepEqual(masked(context), {
    ...recordOf(masked(other)),
    error_information: masked(error),
    ...(!repeats && { error_str: errorText }),
  });
}

export function callJson(files: ReadonlyMap<string, string>): Record<string, unknown> {
  const parsed: unknown = JSON.parse(files.get('call.json') ?? '');
  return recordOf(parsed);
}

/** As LiteLLM logs what was asked, whatever the interface. */
function messagesOf({ body }: MadeCall): unknown {
  const sent = recordOf(typeof body === 'string' ? safeParse(body) : body);
  if (sent['input'] === undefined) return sent['messages'] ?? null;
  return [sent['input']].flat().map((content) => ({ role: 'user', content }));
}

function safeParse(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text.replace(/: (NaN|-?Infinity|\d{16,})/g, ': "$1"'));
    return parsed;
  } catch {
    return {};
  }
}

/** Secrets vanish between LiteLLM and the run; what they are, a test of its own says. */
function masked(value: unknown): unknown {
  const text = JSON.stringify(value);
  const members = /"(cookie|x-amz-security-token|api_key|password)":"[^"]*"/g;
  const parsed: unknown = JSON.parse(
    text.replace(members, '"$1":"***"').replace(/sk-fake/g, 'sk-***'),
  );
  return parsed;
}
