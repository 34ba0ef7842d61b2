import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunChoiceOptions } from '../../src/admit/run-choice.ts';
import type { Answer } from '../../src/mlflow/transport.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { type MinimalRun, startMinimalMlflow } from '../support/minimal-mlflow.ts';
import { startRunLine } from '../support/run-line.ts';

/** ECONOMY_LONG: also what takes minutes. */
const isLong = process.env['ECONOMY_LONG'] !== undefined;

const second = 1_000;
const hour = 3_600 * second;
const day = 24 * hour;

/** As the settings have it unless told. */
const defaults: RunChoiceOptions = {
  runs: 'auto',
  mark: { tags: [], models: [], teams: [] },
  failuresPerMinute: 20,
  maxRunsPerDay: 20_000,
  maxDrainMs: hour / 2,
};
/** A small tracking server's requests a second that are the sidecar's. */
const perSecond = 15;

const status = (number: number): Answer => ({ kind: 'answer', status: number, text: '' });
const away: Answer = { kind: 'no_answer', sent: false, cause: 'ECONNREFUSED' };
const outages: { name: string; answers: readonly Answer[] }[] = [
  { name: 'cannot be reached', answers: [away] },
  { name: 'fails in one way after the other', answers: [status(500), status(502), status(503)] },
];
for (const { name, answers } of outages) {
  test(`a server that ${name} for an hour at a call a second costs no call its run`, async (t) => {
    const mlflow = await startMinimalMlflow(t);
    const made = new Map<string, number>();
    mlflow.finished = ({ tags }) => {
      const id = tags.get('request_id') ?? '';
      made.set(id, (made.get(id) ?? 0) + 1);
      return true;
    };
    let answer: Answer | undefined;
    const instead = () => answer;
    const line = startRunLine(t, { url: mlflow.url, runs: defaults, perSecond, instead });
    let calls = 0;
    const minutes = async (count: number) => {
      for (let at = 0; at < count * 60; at += 1) {
        line.append(litellmEvent(calls++));
        await line.pass(second);
      }
    };
    await minutes(10);
    assert.ok(calls - made.size < 10, `${made.size} of ${calls} runs before the outage`);
    for (answer of answers) await minutes(60 / answers.length);
    assert.ok(line.held() !== undefined);
    assert.ok(calls - made.size >= 3_600);
    answer = undefined;
    let behind = 0;
    for (; behind < 60 && made.size < calls - 10; behind += 1) await minutes(1);
    for (let at = 0; at < 120 && made.size < calls; at += 1) await line.pass(second);
    t.diagnostic(`it caught up within ${behind} minutes`);
    const { pending, dead, shed, detail } = line.account();
    assert.deepEqual(
      { pending, dead, shed, noRun: detail.noRun },
      { pending: 0, dead: 0, shed: {}, noRun: {} },
    );
    assert.equal(made.size, calls);
    assert.ok([...made.values()].every((times) => times === 1));
  });
}

/** So many calls come every ten seconds, and a day may have so many runs. */
const postEvery = 10 * second;
const inPost = 20;
const maxRunsPerDay = 2_000;
const callsADay = (day / postEvery) * inPost;
const costOf = (number: number) => 0.001 * (1 + (number % 7));

const week = 'over a week a day has the runs that it may have, chosen evenly, and sums can be told';
test(week, { skip: !isLong && 'it takes minutes: npm run test:economy' }, async (t) => {
  const mlflow = await startMinimalMlflow(t);
  const finished: Pick<MinimalRun, 'tags' | 'metrics'>[] = [];
  mlflow.finished = ({ tags, metrics }) => {
    finished.push({ tags, metrics });
    return true;
  };
  const runs = { ...defaults, maxRunsPerDay };
  const line = startRunLine(t, { url: mlflow.url, runs, perSecond });
  const days: (typeof finished)[] = [];
  for (let first = 0; first < 7 * callsADay; first += inPost) {
    const numbers = Array.from({ length: inPost }, (_, at) => first + at);
    line.append(...numbers.map((at) => litellmEvent(at, { response_cost: costOf(at) })));
    await line.pass(postEvery);
    if ((first + inPost) % callsADay === 0) days.push(finished.splice(0));
  }
  const { detail, pending } = line.account();
  assert.ok(pending <= 2, `${pending} wait for a run`);
  const numbers = days.map(({ length }) => length);
  t.diagnostic(`of ${callsADay} calls a day ${numbers} have a run`);
  assert.equal(sumOf(numbers) + pending + (detail.noRun['sampled'] ?? 0), 7 * callsADay);
  const [first = 0, , ...others] = numbers;
  assert.ok(first > maxRunsPerDay && first <= 2.1 * maxRunsPerDay, `${first} on the first day`);
  for (const made of others) {
    assert.ok(Math.abs(made - maxRunsPerDay) <= maxRunsPerDay / 10, `${numbers}`);
  }
  for (const [index, of] of days.entries()) {
    assertTold(of, index, () => 1, callsADay);
    const cost = (from: number) =>
      sumOf(Array.from({ length: callsADay }, (_, at) => costOf(from + at)));
    assertTold(of, index, ({ metrics }) => metrics.get('cost_usd') ?? 0, cost(index * callsADay));
    // The first days spend what the bucket held at first.
    if (index >= 2) assertEvenOverDay(of, index);
  }
});

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);
const numberOf = ({ tags }: Pick<MinimalRun, 'tags'>) =>
  Number((tags.get('request_id') ?? '').replace('call-', ''));

/** By their rates, a day's runs tell what all of its calls come to: Horvitz and Thompson's estimate. */
function assertTold<R extends Pick<MinimalRun, 'tags'>>(
  runs: readonly R[],
  index: number,
  worthOf: (run: R) => number,
  sum: number,
): void {
  let estimate = 0;
  let variance = 0;
  for (const run of runs) {
    const rate = Number(run.tags.get('sidecar.sample_rate'));
    const value = worthOf(run);
    estimate += value / rate;
    variance += ((1 - rate) * value ** 2) / rate ** 2;
  }
  // Beyond four standard errors with a probability of 0.00006.
  assert.ok(
    Math.abs(estimate - sum) <= 4 * Math.sqrt(variance),
    `day ${index}: ${estimate} instead of ${sum}, ± ${Math.sqrt(variance)}`,
  );
}

/** Chance has chosen alike over the hours of a day: chi-square. */
function assertEvenOverDay(runs: readonly Pick<MinimalRun, 'tags'>[], index: number): void {
  const hours = Array<number>(24).fill(0);
  for (const run of runs) {
    const at = Math.floor(((numberOf(run) % callsADay) * 24) / callsADay);
    hours[at] = (hours[at] ?? 0) + 1;
  }
  const expected = runs.length / hours.length;
  const chiSquare = sumOf(hours.map((made) => (made - expected) ** 2 / expected));
  // 23 degrees of freedom: beyond 49.7 with a probability of 0.001.
  assert.ok(chiSquare < 49.7, `day ${index}: ${chiSquare}: ${hours}`);
}
