import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRunChooser, lanes, type RunChoiceOptions } from '../../src/admit/run-choice.ts';
import type { CallRecord } from '../../src/call/call-record.ts';
import { parseCall } from '../../src/call/parse-call.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { createRandom } from '../support/random.ts';

const now = 1_800_000_000_000;
const minute = 60_000;
const idle = { pendingRuns: 0, pendingIn: (_lane: number) => 0, runsPerSecond: 5 };

const defaults: RunChoiceOptions = {
  runs: 'auto',
  mark: { tags: [], models: [], teams: [] },
  failuresPerMinute: 20,
  maxRunsPerDay: 20_000,
  maxDrainMs: 30 * minute,
};
const chooser = (changes: Partial<RunChoiceOptions> = {}) =>
  createRunChooser({ ...defaults, ...changes }, now);

let number = 0;
function call(changes: Record<string, unknown> = {}): CallRecord {
  number += 1;
  return parseCall(litellmEvent(number, changes), now);
}
const failure = (team = 'a') =>
  call({
    status: 'failure',
    error_information: { error_code: '401', error_class: 'AuthenticationError' },
    metadata: { user_api_key_team_id: team },
  });

const hasRun = (choice: object) => 'lane' in choice;

test('each setting says which calls get a run', () => {
  const outcome = (runs: RunChoiceOptions['runs']) => [
    hasRun(chooser({ runs }).choose(call(), now, idle)),
    hasRun(chooser({ runs }).choose(failure(), now, idle)),
  ];
  assert.deepEqual(outcome('auto'), [true, true]);
  assert.deepEqual(outcome('all'), [true, true]);
  assert.deepEqual(outcome('errors'), [false, true]);
  assert.deepEqual(outcome('off'), [false, false]);
});

test('a success that is chosen says at which rate; a failure does not', () => {
  assert.deepEqual(chooser().choose(call(), now, idle), { lane: lanes.sampled, sampleRate: 1 });
  assert.deepEqual(chooser().choose(failure(), now, idle), { lane: lanes.failed });
});

test('a call is marked by each of the rules alone', () => {
  const seconds = Date.parse('2026-11-24T00:00:00Z') / 1_000;
  const slow = call({ startTime: seconds, endTime: seconds + 31 });
  const rules: [Partial<RunChoiceOptions['mark']>, CallRecord][] = [
    [{ slow: 30_000 }, slow],
    [{ cost: 2 }, call({ response_cost: 2 })],
    [{ tags: ['audit'] }, call({ request_tags: ['x', 'audit'] })],
    [{ models: ['gold'] }, call({ model_group: 'gold' })],
    [{ teams: ['t1'] }, call({ metadata: { user_api_key_team_id: 't1' } })],
    [{ teams: ['Alias'] }, call({ metadata: { user_api_key_team_alias: 'Alias' } })],
  ];
  for (const [rule, marked] of rules) {
    const choose = (one: CallRecord) =>
      chooser({ runs: 'errors', mark: { ...defaults.mark, ...rule } }).choose(one, now, idle);
    assert.deepEqual(choose(marked), { lane: lanes.marked, sampleRate: 1 }, JSON.stringify(rule));
    assert.ok(!hasRun(choose(call({ response_cost: 0.5 }))), JSON.stringify(rule));
  }
});

test('a flood of failures has its quota a minute, by type, model and team', () => {
  const { choose } = chooser();
  const runs = (calls: CallRecord[], at: number) =>
    calls.filter((one) => hasRun(choose(one, at, idle))).length;
  const flood = (team: string) => Array.from({ length: 100 }, () => failure(team));
  assert.equal(runs(flood('a'), now), 20);
  assert.equal(runs(flood('b'), now), 20);
  assert.equal(runs(flood('a'), now + minute), 20);
  assert.deepEqual(choose(failure('a'), now + minute, idle), { reason: 'quota' });
});

test('made-up teams do not get around the quota for ever', () => {
  const { choose } = chooser();
  const calls = Array.from({ length: 5_000 }, (_, team) => failure(`team-${team}`));
  assert.equal(calls.filter((one) => hasRun(choose(one, now, idle))).length, 1_020);
});

test('chance chooses the same call again and again, or never', () => {
  const calls = Array.from({ length: 2_000 }, () => call());
  const busy = { ...idle, pendingRuns: 9_000 };
  const chosen = (before: number) => {
    const { choose } = chooser();
    for (let other = 0; other < before; other += 1) choose(call(), now, busy);
    return new Set(calls.filter((one) => hasRun(choose(one, now, busy))));
  };
  const often = chosen(500);
  const seldom = chosen(50_000);
  assert.ok(often.size > seldom.size && seldom.size > 0, `${often.size}, ${seldom.size}`);
  assert.ok([...seldom].every((one) => often.has(one)));
});

test('when too many of them wait, not even marked calls are promised a run', () => {
  const { choose } = chooser({ mark: { ...defaults.mark, teams: ['audited'] } });
  const marked = () => call({ metadata: { user_api_key_team_id: 'audited' } });
  const waiting = (lane: number, calls: number) => ({
    ...{ ...idle, pendingRuns: 1e6 },
    pendingIn: (asked: number) => (asked === lane ? calls : 0),
  });
  assert.deepEqual(choose(marked(), now, waiting(lanes.marked, 9_001)), { reason: 'behind' });
  assert.deepEqual(choose(failure(), now, waiting(lanes.failed, 9_001)), { reason: 'behind' });
  assert.ok(hasRun(choose(marked(), now, waiting(lanes.marked, 9_000))));
  assert.ok(
    hasRun(choose(marked(), now, waiting(lanes.failed, 9_001))),
    'others are not ahead of it',
  );
});

test('posts that are kept in another order than they came in spend nothing twice', () => {
  const random = createRandom(3);
  const disorder = () => random.between(0, 3_000);
  const quotas = chooser();
  let failures = 0;
  for (let at = now; at < now + 10 * minute; at += 100) {
    if (hasRun(quotas.choose(failure(), at - disorder(), idle))) failures += 1;
  }
  assert.ok(failures <= 200, `${failures} failures in ten minutes`);

  const one = call();
  const hash = () =>
    random
      .between(0, 2 ** 32 - 1)
      .toString(16)
      .padStart(8, '0')
      .padEnd(64, '0');
  const chance = () => ({ ...one, recordId: hash() });
  const days = chooser({ maxRunsPerDay: 1_000 });
  let onSecondDay = 0;
  for (let second = 0; second < 2 * 86_400; second += 1) {
    const isChosen = hasRun(days.choose(chance(), now + second * 1_000 - disorder(), idle));
    if (isChosen && second >= 86_400) onSecondDay += 1;
  }
  assert.ok(onSecondDay < 1_050, `${onSecondDay} runs on the second day`);
});

test('a clock that was set back by an hour begins anew from there', () => {
  const behind = chooser({ failuresPerMinute: 1 });
  assert.ok(hasRun(behind.choose(failure(), now, idle)));
  assert.ok(!hasRun(behind.choose(failure(), now, idle)));
  assert.ok(hasRun(behind.choose(failure(), now - 60 * minute, idle)));
  assert.ok(hasRun(behind.choose(failure(), now - 59 * minute, idle)));
});
