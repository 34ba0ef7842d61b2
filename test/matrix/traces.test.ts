import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { contractReleases } from '../support/mlflow-releases.ts';
import { type MlflowServer, startMlflow } from '../support/mlflow-server.ts';
import { startTraceLine, type TraceLine } from '../support/trace-line.ts';
import { type MlflowTrace, traceReader } from '../support/trace-reader.ts';

/*
 * Traces as each release of MLflow gives them back, by whichever way they go there.
 */

const timeout = 600_000;
const second = 1_000;

const at = (version: string, least: number) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= least);
};

/** Calls of each kind that a trace tells apart; a trace stays in the experiment in which it was first. */
function events(first: number): Record<string, unknown>[] {
  const metadata = (cached: number) => ({
    user_api_key_user_id: '42',
    user_api_key_team_alias: 'payments',
    usage_object: {
      ...{ prompt_tokens: 21, completion_tokens: 7, total_tokens: 28 },
      prompt_tokens_details: { cached_tokens: cached },
    },
  });
  const priced = { cost_breakdown: { input_cost: 0.000_003_15, output_cost: 0.000_004_2 } };
  const failed = {
    ...{ error_class: 'RateLimitError', error_code: '429', error_message: 'slow\ud800 down\0' },
    traceback: 'Traceback',
  };
  const odd = '\0\ud800 😀 "\\u0000" '.repeat(2_000);
  return [
    litellmEvent(first, { ...priced, session_id: 'talk', metadata: metadata(5) }),
    litellmEvent(first + 1, { session_id: 'talk', metadata: metadata(0) }),
    litellmEvent(first + 2, { cache_hit: true, response_cost: 0, metadata: metadata(0) }),
    // A model that MLflow has a price for, and LiteLLM has none.
    litellmEvent(first + 3, { response_cost: 0, metadata: metadata(0) }),
    litellmEvent(first + 4, {
      ...{ status: 'failure', response: {}, response_cost: 0, error_information: failed },
    }),
    litellmEvent(first + 5, {
      ...{ session_id: 's'.repeat(400), messages: [{ role: 'user', content: odd }] },
      request_tags: [odd, 'a/../b', '@(team)'],
      metadata: { ...metadata(0), user_api_key_user_id: odd },
    }),
    litellmEvent(first + 6, { call_type: 'aembedding', metadata: metadata(0) }),
  ];
}

const perRound = 7;
const cost = 0.000_007_35;

describe('traces are read back from MLflow', { concurrency: 1, timeout }, () => {
  for (const version of contractReleases()) {
    describe(version, { concurrency: 1, timeout }, () => {
      let mlflow: MlflowServer;
      let proxy: FaultProxy;
      before(
        async () => {
          mlflow = await startMlflow({ version });
          proxy = await startFaultProxy(mlflow.url);
        },
        { timeout: 300_000 },
      );
      after(async () => {
        await proxy.close();
        await mlflow.close();
      });

      const byNumber = async (line: TraceLine, experiment: string) => {
        const traces = await traceReader(mlflow.url).traces(experiment);
        const byId = new Map(traces.map((trace) => [trace.id, trace]));
        assert.equal(byId.size, traces.length, 'each is there once');
        return (number: number): MlflowTrace => {
          const trace = byId.get(line.traceIdOf(number));
          assert.ok(trace, `trace ${number}`);
          return trace;
        };
      };

      it('says what each call was, used and cost', { timeout }, async (t) => {
        const line = startTraceLine(t, proxy.url, { wish: 'on' });
        line.append(events(1), '/e');
        await line.pass(60 * second);
        if (!at(version, 2)) {
          assert.deepEqual(line.ways, ['none']);
          assert.ok(line.isWaived());
          return;
        }
        const isOtlp = at(version, 6);
        assert.deepEqual(line.ways, [isOtlp ? 'otlp' : 'v3']);
        assert.deepEqual(line.counts(), { waiting: 0, kept: perRound, givenUp: 0 });
        const trace = await byNumber(line, '/e');
        assert.equal(trace(1).state, 'OK');
        assert.equal(trace(5).state, 'ERROR');
        assert.equal(trace(1).startTime, 1_795_531_722_525);
        const used = { input_tokens: 21, output_tokens: 7, total_tokens: 28 };
        assert.deepEqual(trace(1).tokens, { ...used, cache_read_input_tokens: 5 });
        assert.deepEqual(trace(1).cost, {
          ...{ input_cost: 0.000_003_15, output_cost: 0.000_004_2, total_cost: cost },
        });
        assert.equal(trace(2).cost['total_cost'], cost);
        assert.equal(trace(3).cost['total_cost'], 0);
        assert.ok((trace(4).cost['total_cost'] ?? 0) === 0, 'no cost is made up');
        assert.match(trace(1).request ?? '', /question 1 /);
        assert.match(trace(1).response ?? '', /answer 1 /);
        // 3.6 to 3.12 keep the quotes of a JSON text; they are the same for all of a session.
        assert.equal(trace(1).session?.replaceAll('"', ''), 'talk');
        assert.equal(trace(1).session, trace(2).session);
        const hasTags = !isOtlp || at(version, 13);
        if (hasTags) {
          assert.equal(trace(1).user, '42');
          assert.equal(trace(1).tags['team_alias'], 'payments');
          assert.equal(trace(1).tags['mlflow.traceName'], 'gpt-4o-mini acompletion');
          assert.equal(trace(5).tags['error_type'], 'rate_limit');
        }
      });

      it('is summed up as it was sent, each call once', {
        timeout,
        skip: !at(version, 9),
      }, async (t) => {
        const line = startTraceLine(t, proxy.url);
        for (let round = 0; round < 30; round += 1)
          line.append(events(1_000 + round * perRound), '/s');
        await line.pass(60 * second);
        assert.equal(line.counts().kept, 30 * perRound);
        const reader = traceReader(mlflow.url);
        assert.equal(await reader.sum('/s', 'TRACES', 'total_tokens'), 30 * perRound * 28);
        const spent = await reader.sum('/s', 'SPANS', 'total_cost');
        assert.ok(Math.abs(spent - 30 * 4 * cost) < 1e-9 * spent, `${spent}`);
      });

      it('doubles nothing over lost answers and kills, and loses nothing', {
        timeout,
        skip: !at(version, 6),
      }, async (t) => {
        const line = startTraceLine(t, proxy.url);
        const kinds = ['lose_answer', 'reset_answer', 'reset_request'] as const;
        let posts = 0;
        proxy.harm(({ path }) => {
          if (path !== '/v1/traces') return undefined;
          const kind = kinds[posts % 4];
          posts += 1;
          return kind && { kind };
        });
        for (let round = 0; round < 8; round += 1) {
          line.append(events(2_000 + round * perRound), '/l');
          await line.pass(5 * second);
          await line.stop();
          line.start();
        }
        await line.pass(600 * second);
        proxy.heal();
        await line.pass(300 * second);
        assert.ok(posts > 4);
        assert.deepEqual(line.counts(), { waiting: 0, kept: 8 * perRound, givenUp: 0 });
        const reader = traceReader(mlflow.url);
        assert.equal((await reader.traces('/l')).length, 8 * perRound);
        if (!at(version, 9)) return;
        assert.equal(await reader.sum('/l', 'TRACES', 'total_tokens'), 8 * perRound * 28);
      });
    });
  }
});
