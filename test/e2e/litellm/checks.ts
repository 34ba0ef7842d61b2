import assert from 'node:assert/strict';
import { keys } from '../../support/litellm-keys.ts';
import { listOf, recordOf } from '../../support/upstream-request.ts';
import { answerTo, chatMetrics, headerMetrics, overheadMetric } from './answered.ts';
import { assertRun, callJson } from './assert-run.ts';
import type { CallName } from './calls.ts';
import type { RunFacts } from './expected-run.ts';
import { chatFacts, type ErrorFacts, failedFacts } from './kinds.ts';
import type { MadeCall } from './made-call.ts';
import type { PostedEvent } from './posted-event.ts';
import type { FiledRun, Stage } from './stage.ts';

/** A call with its only run. */
export type CheckedCall = FiledRun & { readonly call: MadeCall };

/** Comparing the calls of a stage with their runs, by name. */
export interface Checks {
  /** A call with its run, of which there is exactly one. */
  only(name: CallName, facts: RunFacts): CheckedCall;
  /** A chat that was answered. */
  chat(name: CallName, model: string, more?: Partial<RunFacts>): CheckedCall;
  /** A chat from LiteLLM's cache with the one that filled it. */
  hit(name: CallName, missed: CallName, metrics: Record<string, number>): CheckedCall;
  /** A request with an attempt that failed and one that did not; model and group of each. */
  two(
    name: CallName,
    error: ErrorFacts,
    served: Record<'failed' | 'succeeded', [model: string, group: string]>,
  ): [failed: FiledRun, succeeded: FiledRun];
  /** A call with LiteLLM's id, also where the client did not get it. */
  call(name: CallName): MadeCall;
  event(name: CallName, status?: 'success' | 'failure'): PostedEvent;
  runs(name: CallName): FiledRun[];
  /** What call.json holds. */
  file(name: CallName): Record<string, unknown>;
  response(name: CallName): Record<string, unknown>;
  /** The answered message in it. */
  message(name: CallName): Record<string, unknown>;
}

export function createChecks({ made, runs, events, upstreamUrl }: Stage): Checks {
  const callIds = new Set(Object.values(made).map(({ callId }) => callId));
  const checks: Checks = {
    only: (name, facts) => {
      const call = checks.call(name);
      const filed = only(checks.runs(name), `run of ${name}`);
      assertRun(filed, call, checks.event(name, facts.status), facts);
      return { ...filed, call };
    },

    chat: (name, model, more = {}) => {
      const call = made[name];
      assert.equal(call.status, 200);
      const facts = chatFacts(call, upstreamUrl, model);
      const metrics = { ...chatMetrics(call, model), ...(!facts.stream && headerMetrics(call)) };
      const checked = checks.only(name, { ...facts, metrics, ...more });
      const cost = call.answerHeaders.get('x-litellm-response-cost');
      if (cost !== null) assert.equal(checked.run.metrics['cost_usd'], Number(cost));
      const { content } = checks.message(name);
      if (facts.parameters['tools'] === undefined) assert.equal(content, answerTo(call));
      else assert.equal(content, null);
      return checked;
    },

    hit: (name, missed, metrics) => {
      const call = made[name];
      assert.deepEqual(call.upstream, [], 'the upstream was not asked');
      const facts = chatFacts(made[missed], upstreamUrl, 'gpt-4o-mini');
      const responseId = String(checks.event(name)['id']);
      assert.match(responseId, new RegExp(`^${facts.responseId}_cache_hit\\d+`));
      const checked = checks.only(name, {
        ...facts,
        // LiteLLM logs a hit before it has put them together.
        parameters: {},
        responseId,
        cacheHit: true,
        metrics: {
          ...chatMetrics(made[missed], 'gpt-4o-mini'),
          ...(!facts.stream && overheadMetric(call)),
          ...metrics,
          cost_usd: 0,
        },
      });
      assert.equal(checks.message(name)['content'], answerTo(made[missed]));
      return checked;
    },

    two: (name, error, { failed: [failedModel, failedGroup], succeeded: [model, group] }) => {
      const call = made[name];
      const attempts = checks
        .runs(name)
        .sort((one, other) => one.run.startTime - other.run.startTime);
      const [failed, succeeded] = attempts;
      assert.ok(failed !== undefined && succeeded !== undefined && attempts.length === 2);
      assertRun(
        failed,
        { ...call, upstream: call.upstream.slice(0, 1) },
        checks.event(name, 'failure'),
        failedFacts(call, upstreamUrl, failedModel, error, { group: failedGroup }),
      );
      assertRun(
        succeeded,
        { ...call, upstream: call.upstream.slice(1) },
        checks.event(name, 'success'),
        {
          ...chatFacts(call, upstreamUrl, model, group),
          metrics: { ...chatMetrics(call, model), ...headerMetrics(call) },
        },
      );
      assert.ok((failed.run.endTime ?? 0) <= succeeded.run.startTime);
      const traceIds = attempts.map(({ run }) => run.tags['litellm_trace_id']);
      assert.equal(new Set(traceIds).size, 1);
      return [failed, succeeded];
    },

    call: (name) => {
      const call = made[name];
      if (call.callId !== '') return call;
      // LiteLLM refused it without telling an id; it is known by who made it.
      const user = keys[call.key]?.user_id ?? null;
      const event = only(
        events.filter(
          ({ litellm_call_id: id, metadata }) =>
            !callIds.has(String(id)) && recordOf(metadata)['user_api_key_user_id'] === user,
        ),
        `event of ${name}`,
      );
      return { ...call, callId: String(event['litellm_call_id']) };
    },

    event: (name, status = 'success') => {
      const { callId } = checks.call(name);
      const found = events.filter(
        (event) => event['litellm_call_id'] === callId && event['status'] === status,
      );
      return only(found, `event of ${name}`);
    },

    runs: (name) => {
      const { callId } = checks.call(name);
      return runs.filter(({ run }) => run.tags['request_id'] === callId);
    },

    file: (name) => callJson(only(checks.runs(name), `run of ${name}`).files),
    response: (name) => recordOf(checks.file(name)['response']),
    message: (name) => recordOf(recordOf(listOf(checks.response(name)['choices'])[0])['message']),
  };
  return checks;
}

function only<T>(found: readonly T[], what: string): T {
  const [first] = found;
  assert.ok(first !== undefined && found.length === 1, `${found.length} of the ${what}`);
  return first;
}
