import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CallRecord } from '../../src/call/call-record.ts';
import { createMlflowClient } from '../../src/mlflow/client.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import { planRun } from '../../src/record/plan-run.ts';
import { mlflowReader } from '../support/mlflow-reader.ts';
import { startMlflow } from '../support/mlflow-server.ts';

/*
 * The oracle below says again, in its own words, what docs/architecture.md says of truncation and
 * names: what MLflow holds is compared with the call, not with what the serializer made of it.
 */

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('', ' ', '..', '/', 'a/b', "it's", '{"a":1}', '😀', 'x'.repeat(9_000)),
);
const filled = anyText.filter((text) => text !== '');
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const money = fc.double({ min: 0, max: 1e6, noNaN: true });
const start = fc.double({ min: 946_684_800_000, max: 4_102_444_799_000, noNaN: true });

const anyCall: fc.Arbitrary<CallRecord> = fc.record(
  {
    recordId: fc.stringMatching(/^[0-9a-f]{64}$/),
    status: fc.constantFrom('success', 'failure'),
    stream: fc.boolean(),
    cacheHit: fc.boolean(),
    times: fc
      .tuple(start, fc.double({ min: 0, max: 86_400_000, noNaN: true }))
      .map(([from, length]) => ({ start: from, end: from + length, source: 'call' as const })),
    tokens: fc.record(
      { prompt: count, completion: count, total: count, cacheRead: count, reasoning: count },
      { requiredKeys: [] },
    ),
    cost: fc.record({ usd: money, savedUsd: money }, { requiredKeys: [] }),
    caller: fc.record(
      { userId: filled, teamId: filled, teamAlias: filled, keyAlias: filled, endUser: filled },
      { requiredKeys: [] },
    ),
    requestTags: fc.uniqueArray(filled, { maxLength: 8 }),
    parameters: fc.dictionary(anyText, anyText, { maxKeys: 12 }),
    callId: filled,
    responseId: filled,
    model: filled,
    modelGroup: filled,
    provider: filled,
    apiBase: filled,
    retries: count,
    overheadMs: money,
  },
  {
    requiredKeys: [
      'recordId',
      'status',
      'stream',
      'cacheHit',
      'times',
      'tokens',
      'cost',
      'caller',
      'requestTags',
      'parameters',
    ],
  },
);

/** A text as MLflow can hold it. */
const held = (text: string, most: number) =>
  [...text.toWellFormed().replaceAll('\0', '')]
    .reduce(
      (kept, character) =>
        kept.length + character.length <= most && !kept.endsWith('\0')
          ? kept + character
          : `${kept}\0`,
      '',
    )
    .replaceAll('\0', '');

/** Expected tags, by the design's table. Absent ones must be absent. */
function expectedTags(call: CallRecord): Record<string, string | undefined> {
  return {
    status: call.status,
    model: call.model,
    request_id: call.callId,
    response_id: call.responseId,
    model_group: call.modelGroup,
    provider: call.provider,
    stream: call.stream ? 'true' : 'false',
    cache_hit: call.cacheHit ? 'true' : 'false',
    user_id: call.caller.userId,
    team_id: call.caller.teamId,
    team_alias: call.caller.teamAlias,
    key_alias: call.caller.keyAlias,
    end_user: call.caller.endUser,
    'mlflow.user': call.caller.userId ?? call.caller.keyAlias,
    'sidecar.record': 'call',
    'sidecar.record_id': call.recordId,
  };
}

function expectedMetrics(call: CallRecord): Record<string, number | undefined> {
  return {
    prompt_tokens: call.tokens.prompt,
    completion_tokens: call.tokens.completion,
    total_tokens: call.tokens.total,
    cache_read_input_tokens: call.tokens.cacheRead,
    reasoning_tokens: call.tokens.reasoning,
    cost_usd: call.cost.usd,
    saved_cost_usd: call.cost.savedUsd,
    cache_hit: call.cacheHit ? 1 : 0,
    error: call.status === 'failure' ? 1 : 0,
    retries: call.retries,
    litellm_overhead_ms: call.overheadMs,
  };
}

test('any call that can be made reads back from a real MLflow as it was', {
  timeout: 240_000,
}, async (t) => {
  const mlflow = await startMlflow();
  t.after(() => mlflow.close());
  const transport = createHttpTransport({
    url: new URL(mlflow.url),
    timeoutMs: () => 30_000,
    connections: 1,
  });
  t.after(() => transport.close());
  const client = createMlflowClient(transport.send, { now: Date.now, onOutcome: () => undefined });
  const reader = mlflowReader(mlflow.url);
  let cases = 0;

  await fc.assert(
    fc.asyncProperty(anyCall, async (call) => {
      cases += 1;
      const name = `/any/${cases}`;
      const experiment = await client.createExperiment(name);
      assert.ok(experiment.kind === 'done');
      const plan = planRun(call);
      const created = await client.createRun(experiment.value, plan);
      assert.ok(created.kind === 'done', JSON.stringify(created));
      const metrics = [...plan.metrics].map(([metric, value]) => ({
        name: metric,
        value,
        timestamp: plan.endTime,
        step: 0,
      }));
      const logged = await client.logBatch(created.value.id, {
        params: plan.params,
        metrics,
        tags: [],
      });
      assert.equal(logged.kind, 'done', JSON.stringify(logged));
      assert.equal((await client.updateRun(created.value.id, plan)).kind, 'done');

      const [run, ...others] = await reader.runs(name);
      assert.ok(run !== undefined && others.length === 0);
      assert.equal(run.status, call.status === 'failure' ? 'FAILED' : 'FINISHED');
      assert.equal(run.startTime, Math.round(call.times.start));
      assert.equal(run.endTime, Math.round(call.times.end));
      for (const [tag, value] of Object.entries(expectedTags(call))) {
        assert.equal(run.tags[tag], value === undefined ? undefined : held(value, 5_000), tag);
      }
      for (const [metric, value] of Object.entries(expectedMetrics(call))) {
        assert.equal(run.metrics[metric], value, metric);
      }
      assert.deepEqual(
        [...Object.values(run.params)].sort(),
        [call.model, call.apiBase, ...Object.values(call.parameters)]
          .filter((value) => value !== undefined)
          .map((value) => held(value, 6_000))
          .sort(),
        'each parameter is there, whatever its name had to become',
      );
      const labels = Object.keys(run.tags).filter((tag) => tag.startsWith('label.'));
      assert.equal(labels.length, call.requestTags.length);
    }),
    { numRuns: 200 },
  );
  assert.ok(cases >= 200);
});
