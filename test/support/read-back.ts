import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CallRecord } from '../../src/call/call-record.ts';
import { createMlflowClient } from '../../src/mlflow/client.ts';
import { createHttpTransport } from '../../src/mlflow/http-transport.ts';
import { planRun } from '../../src/record/plan-run.ts';
import { anyCall } from './any-call.ts';
import { type MlflowRun, mlflowReader } from './mlflow-reader.ts';
import type { Way } from './signed-transport.ts';

/*
 * The oracle below says again, in its own words, what docs/architecture.md says of truncation and
 * names: what MLflow holds is compared with the call, not with what the serializer made of it.
 */

/**
 * Records calls by chance, each in an experiment of its own, and reads each run back from `url`.
 *
 * @param by How MLflow is reached for the recording: at `url` unless told.
 */
export async function assertAnyCallReadsBack(
  url: string,
  cases: number,
  by: Way = { url: new URL(url) },
): Promise<void> {
  const transport = createHttpTransport({ timeoutMs: () => 30_000, connections: 1, ...by });
  const client = createMlflowClient(transport.send, { now: Date.now, onOutcome: () => undefined });
  const reader = mlflowReader(url);
  let made = 0;

  const record = async (name: string, call: CallRecord): Promise<void> => {
    const experiment = await client.createExperiment(name);
    assert.ok(experiment.kind === 'done', JSON.stringify(experiment));
    const plan = planRun(call);
    const created = await client.createRun(experiment.value, plan);
    assert.ok(created.kind === 'done', JSON.stringify(created));
    const metrics = [...plan.metrics].map(([metric, value]) => ({
      ...{ name: metric, value, timestamp: plan.endTime, step: 0 },
    }));
    const data = { params: plan.params, metrics, tags: [] };
    const logged = await client.logBatch(created.value.id, data);
    assert.equal(logged.kind, 'done', JSON.stringify(logged));
    const ended = await client.updateRun(created.value.id, plan);
    assert.equal(ended.kind, 'done', JSON.stringify(ended));
  };

  const property = fc.asyncProperty(anyCall, async (call) => {
    made += 1;
    const name = `/any/${made}`;
    await record(name, call);
    const [run, ...others] = await reader.runs(name);
    assert.ok(run !== undefined && others.length === 0);
    assertHolds(run, call);
  });
  try {
    await fc.assert(property, { numRuns: cases });
  } finally {
    await transport.close();
  }
  assert.ok(made >= cases);
}

function assertHolds(run: MlflowRun, call: CallRecord): void {
  assert.equal(run.status, call.status === 'failure' ? 'FAILED' : 'FINISHED');
  assert.equal(run.startTime, Math.round(call.times.start));
  assert.equal(run.endTime, Math.round(call.times.end));
  for (const [tag, value] of Object.entries(expectedTags(call))) {
    assert.equal(run.tags[tag], value === undefined ? undefined : held(value, 5_000), tag);
  }
  for (const [metric, value] of Object.entries(expectedMetrics(call))) {
    assert.equal(run.metrics[metric], Number.isFinite(value) ? value : undefined, metric);
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
  assert.ok(run.runName.length <= 250);
}

/** A text as MLflow can hold it. */
function held(text: string, most: number): string {
  const kept: string[] = [];
  let length = 0;
  for (const character of text.toWellFormed().replaceAll('\0', '')) {
    length += character.length;
    if (length > most) break;
    kept.push(character);
  }
  return kept.join('');
}

/** Expected tags, by the table in README.md. Absent ones must be absent. */
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
