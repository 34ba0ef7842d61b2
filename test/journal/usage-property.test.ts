import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { UsageCounts, UsageReport } from '../../src/call/usage-report.ts';
import type { SqliteJournal } from '../../src/journal/sqlite-journal.ts';
import { bodyOf, litellmEvent } from '../support/litellm-event.ts';
import {
  addedUp,
  type Delivered,
  day0,
  failedEvent,
  hour,
  minute,
  openUsageJournal,
  sumOver,
} from '../support/usage-journal.ts';

const runs = Number(process.env['USAGE_RUNS'] ?? 60);
const day = 24 * hour;

const call = fc.record({
  /** Few, so that failures are made good by successes of the same call. */
  callId: fc.integer({ min: 1, max: 30 }),
  failed: fc.boolean(),
  hit: fc.boolean(),
  model: fc.constantFrom('gpt-4o', 'azure/gpt-4o', 'claude', 'made-up'),
  team: fc.constantFrom('payments', 'search', ''),
  prompt: fc.nat(100_000),
  completion: fc.nat(5_000),
  cost: fc.double({ min: 0, max: 10, noNaN: true }),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('post' as const),
      calls: fc.array(call, { maxLength: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('post again' as const), which: fc.nat() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      calls: fc.array(call, { minLength: 1, maxLength: 4 }),
    }),
  },
  // Backwards, too, and by more than a day: clocks are set.
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      ms: fc.oneof(
        fc.integer({ min: 0, max: 20 * minute }),
        fc.integer({ min: -2 * hour, max: 12 * hour }),
        fc.integer({ min: -40 * day, max: 40 * day }),
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('deliver' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('report, then kill' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reopen' as const),
      minutes: fc.constantFrom(1, 5, 7, 60),
    }),
  },
);

function eventOf(number: number, { callId, failed, hit, model, team, ...call }: Call) {
  const changes = {
    id: `id-${number}`,
    litellm_call_id: `call-${callId}`,
    model_group: model,
    cache_hit: hit && !failed,
    saved_cache_cost: hit ? call.cost : 0,
    response_cost: failed ? 0 : call.cost,
    prompt_tokens: call.prompt,
    completion_tokens: call.completion,
    total_tokens: call.prompt + call.completion,
    metadata: { user_api_key_team_alias: team },
  };
  return failed ? failedEvent(number, changes) : litellmEvent(number, changes);
}

/** What was posted, counted in the plainest way. */
function createExpected() {
  const failedIds = new Set<number>();
  const counts = addedUp([]);
  return {
    counts,
    add: ({ callId, failed, hit, prompt, completion, cost }: Call) => {
      counts.attempts += 1;
      counts.promptTokens += prompt;
      counts.completionTokens += completion;
      counts.totalTokens += prompt + completion;
      if (failed) {
        counts.failures += 1;
        failedIds.add(callId);
        return;
      }
      if (failedIds.delete(callId)) counts.recovered += 1;
      if (hit) counts.cacheHits += 1;
      if (hit) counts.savedUsd += cost;
      // Of a zero cost LiteLLM does not say whether it is known, but for a hit.
      if (cost === 0 && !hit) counts.unpriced += 1;
      counts.costUsd += cost;
    },
  };
}

function assertCounts(actual: UsageCounts, expected: UsageCounts, what: string): void {
  for (const [name, value] of Object.entries(expected)) {
    const found = actual[name as keyof UsageCounts];
    const margin = name.endsWith('Usd') ? 1e-9 * Math.max(1, value) : 0;
    assert.ok(Math.abs(found - value) <= margin, `${what}: ${name} is ${found}, not ${value}`);
  }
}

function seriesIn(reports: readonly UsageReport[], kind: string): string[] {
  const all = reports.flatMap(({ intervals }) => intervals.flatMap(({ sums }) => [...sums.keys()]));
  return [...new Set(all)].filter((series) => series.startsWith(kind));
}

test('whatever comes, what is reported adds up to what was posted, and no interval comes twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
      const ends: (() => void)[] = [];
      const own = openUsageJournal({ after: (end) => ends.push(end) });
      const expected = createExpected();
      const delivered: Delivered = { reports: [], totals: [] };
      const posted: unknown[][] = [];
      let [now, latest, number] = [day0 + 9 * hour, day0, 0];
      const deliver = () => {
        const { reports, totals } = own.deliver(now);
        delivered.reports.push(...reports);
        delivered.totals.push(...totals);
      };
      for (const one of steps) {
        switch (one.kind) {
          case 'post': {
            const events = one.calls.map((call) => eventOf(++number, call));
            own.append(now, ...events);
            one.calls.forEach(expected.add);
            posted.push(events);
            break;
          }
          case 'post again':
            own.append(now, ...(posted[one.which % posted.length] ?? []));
            break;
          case 'fail': {
            const events = one.calls.map((call) => eventOf(++number, call));
            failToAppend(own.journal, bodyOf(...events), now);
            break;
          }
          case 'time':
            now += one.ms;
            latest = Math.max(latest, now);
            break;
          case 'deliver':
            deliver();
            break;
          case 'report, then kill':
            own.usage((usage) => usage.report('http://mlflow.test', now, 0));
            own.reopen();
            break;
          case 'reopen':
            own.reopen({ intervalMs: one.minutes * minute });
        }
      }
      now = latest + 3 * day;
      deliver();

      const { reports, totals } = delivered;
      assertCounts(sumOver(reports, ''), expected.counts, 'all');
      for (const kind of ['model/', 'team/']) {
        const sums = seriesIn(reports, kind).map((series) => sumOver(reports, series));
        assertCounts(addedUp(sums), expected.counts, `intervals by ${kind}`);
        const last = totals.filter(({ series, isLast }) => isLast && series.startsWith(kind));
        assertCounts(addedUp(last.map((one) => one.sums)), expected.counts, `totals by ${kind}`);
      }
      const errors = seriesIn(reports, 'errors/').map((series) => sumOver(reports, series));
      assert.equal(addedUp(errors).failures, expected.counts.failures);
      const intervals = reports.flatMap(({ day, intervals }) =>
        intervals.map((interval) => [day, interval.dayTotals] as const),
      );
      const ofDays = [...new Map(intervals).values()];
      assertCounts(addedUp(ofDays), expected.counts, 'the last of day/');
      const bounds = reports.flatMap(({ intervals }) => intervals.map(({ endsAt }) => endsAt));
      assert.equal(new Set(bounds).size, bounds.length, 'an interval came twice');
      assert.deepEqual(own.deliver(now), { reports: [], totals: [] });
      for (const end of ends) end();
    }),
    { numRuns: runs },
  );
});

/** As the thread undoes a post whose commands throw after it was counted. */
function failToAppend(journal: SqliteJournal, body: Uint8Array, now: number): void {
  const [result] = journal.run([
    () => {
      journal.append(body, now);
      throw new Error('the disk is full');
    },
  ]);
  assert.equal(result?.status, 'rejected');
}
