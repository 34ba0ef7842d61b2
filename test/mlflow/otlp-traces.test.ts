import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { otlpBody } from '../../src/mlflow/otlp.ts';
import { safeJson, safeSpan, traceLimits } from '../../src/mlflow/traces-serialize.ts';
import { startTraceBody, tracesFile } from '../../src/mlflow/traces-start.ts';
import { planTrace } from '../../src/record/trace/plan-trace.ts';
import { anyCall, anyText } from '../support/any-call.ts';
import { decodeSpans } from '../support/otlp-decode.ts';

const anyBody = fc
  .tuple(anyText, anyText, fc.dictionary(anyText, fc.jsonValue(), { maxKeys: 4 }))
  .map(([question, answer, model_parameters]) =>
    Buffer.from(
      JSON.stringify({
        request: { messages: [{ role: 'user', content: question }], model_parameters },
        response: { choices: [{ message: { role: 'assistant', content: answer } }] },
        context: {},
      }),
    ),
  );
const anyError = fc.option(
  fc.record({ type: fc.constant('unknown' as const), class: anyText, message: anyText }),
  { nil: undefined },
);

test('any call is a trace that decodes to what it is, within all limits', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyCall, anyBody, anyText, anyError), { minLength: 1, maxLength: 4 }),
      async (calls) => {
        const plans = calls.map(([call, body, sessionId, error]) =>
          planTrace({ ...call, sessionId, ...(error && { error }) }, body, 'run'),
        );
        const spans = decodeSpans(await otlpBody(plans));
        assert.equal(spans.length, plans.length);
        for (const [index, span] of spans.entries()) {
          const plan = plans[index];
          assert.ok(plan);
          const safe = safeSpan(plan);
          assert.match(span.traceId, /^[0-9a-f]{32}$/);
          assert.match(span.spanId, /^[0-9a-f]{16}$/);
          assert.deepEqual(span.attributes, safe.attributes);
          assert.equal(span.statusCode, plan.status === 'ERROR' ? 2 : 1);
          assert.equal(span.events.length, plan.error === undefined ? 0 : 1);
          assert.ok(span.startNs <= span.endNs && span.endNs < 2n ** 63n);
          const startMs = Math.min(Math.max(plan.startTime, 0), 9_223_372_035_000);
          assert.ok(Math.abs(Number(span.startNs / 1_000n) - startMs * 1_000) <= 2);
          assertWithin(span.attributes, [span.name]);
        }
      },
    ),
    { numRuns: 150 },
  );
});

function assertWithin(attributes: Record<string, string>, names: string[]): void {
  for (const text of [...Object.entries(attributes).flat(), ...names]) {
    assert.ok(text.isWellFormed() && !text.includes('\0'));
  }
  for (const name of ['mlflow.spanInputs', 'mlflow.spanOutputs']) {
    const said = attributes[name];
    if (said === undefined) continue;
    assertClean(JSON.parse(said));
  }
  const tokens: unknown = JSON.parse(attributes['mlflow.chat.tokenUsage'] ?? '{}');
  assert.ok(Object.values(tokens as object).every(Number.isSafeInteger));
  const cost: unknown = JSON.parse(attributes['mlflow.llm.cost'] ?? '');
  assert.ok(Object.values(cost as object).every(Number.isFinite));
  assert.ok((attributes['session.id'] ?? '').length <= traceLimits.session);
  assert.ok((attributes['user.id'] ?? '').length <= traceLimits.user);
  const tags = Object.keys(attributes).filter((name) => name.startsWith('mlflow.traceTag.'));
  assert.ok(tags.length <= traceLimits.tags + 1);
  for (const tag of tags) {
    assert.ok(tag.length <= 'mlflow.traceTag.'.length + 250);
    assert.ok((attributes[tag] ?? '').length <= traceLimits.tagValue);
  }
}

/** What a database is given once the server has read the JSON. */
function assertClean(value: unknown): void {
  if (typeof value === 'string') assert.ok(value.isWellFormed() && !value.includes('\0'));
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(assertClean);
}

test('JSON loses the characters that a database refuses, and nothing else', () => {
  fc.assert(
    fc.property(fc.jsonValue(), anyText, (value, text) => {
      // Halves that only a NUL parts were none of one character.
      const clean = (from: string) => from.toWellFormed().replaceAll('\0', '');
      const json = JSON.stringify({ value, text });
      const expected = JSON.parse(json, (_, found: unknown) =>
        typeof found === 'string' ? clean(found) : found,
      );
      const cleaned: { text: string } = JSON.parse(safeJson(json));
      assert.equal(cleaned.text, expected.text);
    }),
  );
  assert.equal(safeJson('"\\\\u0000 \\u0000\\\\ud800"'), '"\\\\u0000 \\\\ud800"');
  assert.equal(safeJson('"\\ud83d\\ude00 \\ud83d"'), '"\\ud83d\\ude00 \\ufffd"');
});

test('a trace made by itself and its file say the same as its span', () => {
  fc.assert(
    fc.property(anyCall, anyBody, (call, body) => {
      const plan = planTrace(call, body, 'run-1');
      const { attributes, startTime } = safeSpan(plan);
      const info = JSON.parse(startTraceBody('7', plan)).trace.trace_info;
      assert.equal(info.trace_id, `tr-${plan.traceId}`);
      assert.equal(info.trace_metadata['mlflow.sourceRun'], 'run-1');
      assert.equal(info.trace_metadata['mlflow.trace.user'], attributes['user.id']);
      assert.match(info.execution_duration, /^\d+\.\d{6}s$/);
      assert.match(info.request_time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(Object.values(info.tags).every((value) => typeof value === 'string'));
      assert.ok((info.request_preview ?? '').length <= 1_000);

      const text = Buffer.from(tracesFile(plan)).toString();
      const [span] = JSON.parse(text).spans;
      assert.equal(Buffer.from(span.trace_id, 'base64').toString('hex'), plan.traceId);
      assert.equal(span.attributes['mlflow.spanInputs'], attributes['mlflow.spanInputs']);
      const nanos = BigInt(startTime[0]) * 1_000_000_000n + BigInt(startTime[1]);
      assert.ok(text.includes(`"start_time_unix_nano":${nanos},`));
    }),
    { numRuns: 100 },
  );
});
