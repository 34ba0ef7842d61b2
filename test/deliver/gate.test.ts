import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGate } from '../../src/deliver/gate.ts';
import { createHold } from '../../src/deliver/hold.ts';
import { createRation } from '../../src/deliver/ration.ts';
import { throttleOf } from '../../src/mlflow/classify.ts';
import type { Answer, MlflowRequest } from '../../src/mlflow/transport.ts';
import { fakeClock } from '../support/fake-clock.ts';

const request: MlflowRequest = { name: 'runs/update', method: 'POST', path: '/' };

/** A gate before a server that gives `answers`, one after the other, and then says yes. */
function gateBefore(...answers: Answer[]) {
  const clock = fakeClock();
  const hold = createHold({ clock, random: () => 0.5, onChange: () => undefined });
  const ration = createRation(() => 100, clock);
  let sent = 0;
  let throttled = 0;
  const gate = createGate({
    send: async () => {
      sent += 1;
      return answers.shift() ?? { kind: 'answer', status: 200, text: '{}' };
    },
    ration,
    hold,
    maxInFlight: 1,
    throttleOf: (answer) => throttleOf(answer, clock.now()),
    onThrottled: () => {
      throttled += 1;
    },
    clock,
    random: () => 0.5,
  });
  /** Lets time pass, and what waits for it go on. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      await new Promise(setImmediate);
      clock.advance(100);
    }
    await new Promise(setImmediate);
  };
  return { gate, pass, ration, counts: () => ({ sent, throttled }) };
}

const throttling: Answer = {
  kind: 'answer',
  status: 400,
  text: '{"__type":"ThrottlingException","message":"Rate exceeded"}',
};

test('what is refused for its rate comes through the gate again, after a wait, at a lower rate', async () => {
  const { gate, pass, ration, counts } = gateBefore(throttling, throttling);
  const answered = gate.send(request);
  await pass(10_000);
  const answer = await answered;
  assert.ok(answer.kind === 'answer' && answer.status === 200);
  assert.deepEqual(counts(), { sent: 3, throttled: 2 });
  assert.ok(Number(ration.rate()) < 100);
});

test('a server that refuses again and again for the rate is left to be held', async () => {
  const { gate, pass, counts } = gateBefore(...Array.from({ length: 9 }, () => throttling));
  const answered = gate.send(request);
  await pass(60_000);
  assert.deepEqual(await answered, throttling);
  assert.deepEqual(counts(), { sent: 4, throttled: 4 });
});

test('Retry-After is obeyed; one that asks for long leaves the server to be held at once', async () => {
  const busy = (retryAfter: string): Answer => ({
    kind: 'answer',
    status: 429,
    text: '',
    retryAfter,
  });
  const short = gateBefore(busy('3'));
  const answered = short.gate.send(request);
  await short.pass(2_900);
  assert.equal(short.counts().sent, 1);
  await short.pass(200);
  await answered;
  assert.equal(short.counts().sent, 2);

  const long = gateBefore(busy('60'));
  assert.deepEqual(await long.gate.send(request), busy('60'));
  assert.equal(long.counts().sent, 1);
});

test('Retry-After holds back all requests, not the refused one alone', async () => {
  const { gate, pass, counts } = gateBefore({
    kind: 'answer',
    status: 429,
    text: '',
    retryAfter: '5',
  });
  const first = gate.send(request);
  await pass(100);
  const others = [gate.send(request), gate.send(request)];
  await pass(4_500);
  assert.equal(counts().sent, 1);
  await pass(2_000);
  await Promise.all([first, ...others]);
  assert.equal(counts().sent, 4);
});

test('what waits at the gate when the server refuses is not sent to it any more', async () => {
  const clock = fakeClock();
  const hold = createHold({ clock, random: () => 0.5, onChange: () => undefined });
  const sent: ((answer: Answer) => void)[] = [];
  const gate = createGate({
    send: () => new Promise((resolve) => sent.push(resolve)),
    ration: createRation(() => undefined, clock),
    hold,
    maxInFlight: 1,
    throttleOf: () => undefined,
    onThrottled: () => undefined,
    clock,
    random: () => 0.5,
  });
  const answers = [gate.send(request), gate.send(request), gate.send(request)].map(
    async (answer) => {
      const { kind } = await answer;
      return kind;
    },
  );
  await new Promise(setImmediate);
  assert.equal(sent.length, 1);
  hold.refused({ kind: 'hold', reason: 'throttled', detail: 'HTTP 429' });
  sent[0]?.({ kind: 'answer', status: 429, text: '' });
  assert.deepEqual(await Promise.all(answers), ['answer', 'held', 'held']);
  assert.equal(sent.length, 1);
});

test('what goes first passes all that waits, and is paid for by it', async () => {
  const clock = fakeClock();
  const sent: string[] = [];
  const gate = createGate({
    send: async ({ path }) => {
      sent.push(path);
      return { kind: 'answer', status: 200, text: '{}' };
    },
    ration: createRation(() => 1, clock),
    hold: createHold({ clock, random: () => 0.5, onChange: () => undefined }),
    maxInFlight: 1,
    throttleOf: () => undefined,
    onThrottled: () => undefined,
    clock,
    random: () => 0.5,
  });
  const pass = async (seconds: number) => {
    for (let passed = 0; passed < seconds; passed += 1) {
      await new Promise(setImmediate);
      clock.advance(1_000);
    }
    await new Promise(setImmediate);
  };
  const answers = [1, 2, 3].map((number) => gate.send({ ...request, path: `/${number}` }));
  answers.push(gate.sendFirst({ ...request, path: '/first' }));
  await pass(0);
  assert.deepEqual(sent, ['/1', '/first']);
  await pass(2);
  assert.deepEqual(sent, ['/1', '/first', '/2', '/3']);
  answers.push(gate.send({ ...request, path: '/4' }));
  await pass(1);
  assert.equal(sent.length, 4, 'the one that went first has to be made up for');
  await pass(1);
  assert.equal(sent.at(-1), '/4');
  await Promise.all(answers);
});

test('what goes first takes a tenth of the rate at the most, and queues beyond that', async () => {
  const clock = fakeClock();
  const ration = createRation(() => 10, clock);
  let passed = 0;
  for (let request = 0; request < 100; request += 1) {
    void ration.acquire(true).then(() => {
      passed += 1;
    });
  }
  await new Promise(setImmediate);
  assert.ok(passed >= 20 && passed <= 40, `${passed} at once`);
  const before = passed;
  clock.advance(4_000);
  await new Promise(setImmediate);
  assert.ok(passed - before <= 50, `${passed - before} in four seconds`);
});
