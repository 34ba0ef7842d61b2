import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gated } from '../../src/deliver/gate.ts';
import { createHold } from '../../src/deliver/hold.ts';
import { createRation } from '../../src/deliver/ration.ts';
import type { Answer, MlflowRequest } from '../../src/mlflow/transport.ts';
import { fakeClock } from '../support/fake-clock.ts';

const request: MlflowRequest = { name: 'runs/update', method: 'POST', path: '/' };

test('what waits at the gate when the server refuses is not sent to it any more', async () => {
  const clock = fakeClock();
  const hold = createHold({ clock, random: () => 0.5, onChange: () => undefined });
  const sent: ((answer: Answer) => void)[] = [];
  const gate = gated({
    send: () => new Promise((resolve) => sent.push(resolve)),
    ration: createRation(() => undefined, clock),
    hold,
    maxInFlight: 1,
  });
  const answers = [gate(request), gate(request), gate(request)].map(async (answer) => {
    const { kind } = await answer;
    return kind;
  });
  await new Promise(setImmediate);
  assert.equal(sent.length, 1);
  hold.refused({ kind: 'hold', reason: 'throttled', detail: 'HTTP 429' });
  sent[0]?.({ kind: 'answer', status: 429, text: '' });
  assert.deepEqual(await Promise.all(answers), ['answer', 'held', 'held']);
  assert.equal(sent.length, 1);
});
