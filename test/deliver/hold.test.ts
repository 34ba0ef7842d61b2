import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHold, type DestinationState, type HoldOutcome } from '../../src/deliver/hold.ts';
import { fakeClock } from '../support/fake-clock.ts';

const refusal: HoldOutcome = { kind: 'hold', reason: 'forbidden', detail: 'HTTP 403' };

function setUp() {
  const clock = fakeClock();
  const changes: DestinationState['state'][] = [];
  const hold = createHold({
    clock,
    random: () => 0.5,
    onChange: ({ state }) => changes.push(state),
  });
  const probeIn = () => {
    const state = hold.state();
    return state.state === 'held' ? state.probeAt - clock.now() : undefined;
  };
  return { clock, hold, changes, probeIn };
}

test('a refusal holds the destination until one probe is answered', () => {
  const { clock, hold, probeIn } = setUp();
  assert.equal(hold.allows(), 'all');
  hold.refused(refusal);
  assert.equal(hold.allows(), 'none');
  clock.advance(probeIn() ?? 0);
  assert.equal(hold.allows(), 'probe');
  hold.succeeded();
  assert.equal(hold.allows(), 'all');
});

test('probes that are refused come ever more rarely, at last about once a minute', () => {
  const { clock, hold, probeIn } = setUp();
  const waits: number[] = [];
  for (let probe = 0; probe < 10; probe += 1) {
    hold.refused(refusal);
    waits.push(probeIn() ?? 0);
    clock.advance(probeIn() ?? 0);
  }
  assert.deepEqual(waits.slice(0, 4), [1_000, 1_500, 2_500, 4_500]);
  assert.ok(
    waits.slice(7).every((wait) => wait >= 30_000 && wait <= 61_000),
    String(waits),
  );
});

test('what was under way when the hold began does not lengthen it', () => {
  const { hold, probeIn } = setUp();
  hold.refused(refusal);
  const first = probeIn();
  for (let request = 0; request < 7; request += 1) hold.refused(refusal);
  assert.equal(probeIn(), first);
});

test('where one kind of request is refused, others that are answered do not end the hold', () => {
  const { clock, hold, changes, probeIn } = setUp();
  const waits: number[] = [];
  for (let probe = 0; probe < 5; probe += 1) {
    hold.succeeded('experiments/get-by-name');
    hold.refused({ ...refusal, suspect: 'runs/create' });
    waits.push(probeIn() ?? 0);
    clock.advance(probeIn() ?? 0);
  }
  assert.deepEqual(waits, [1_000, 1_500, 2_500, 4_500, 8_500]);
  assert.deepEqual(changes, ['held']);
  hold.succeeded('runs/create');
  assert.deepEqual(changes, ['held', 'open']);
});

test('a call that came through whole ends a hold, whichever request was refused', () => {
  const { clock, hold, probeIn } = setUp();
  hold.refused({ ...refusal, suspect: 'experiments/create' });
  clock.advance(probeIn() ?? 0);
  hold.succeeded('runs/update');
  assert.equal(hold.allows(), 'probe');
  hold.succeeded();
  assert.equal(hold.allows(), 'all');
});

test('Retry-After is obeyed', () => {
  const { hold, probeIn } = setUp();
  hold.refused({ ...refusal, afterMs: 120_000 });
  assert.equal(probeIn(), 120_000);
});

test('an episode is told once when it begins and once when it ends', () => {
  const { clock, hold, changes, probeIn } = setUp();
  for (let probe = 0; probe < 4; probe += 1) {
    hold.refused(refusal);
    clock.advance(probeIn() ?? 0);
  }
  hold.succeeded();
  hold.succeeded();
  assert.deepEqual(changes, ['held', 'open']);
});

test('failures that say nothing alone hold the destination when there is nothing else', () => {
  const { hold } = setUp();
  for (let failure = 0; failure < 7; failure += 1) hold.failed('ECONNRESET');
  assert.equal(hold.allows(), 'all');
  hold.succeeded();
  for (let failure = 0; failure < 7; failure += 1) hold.failed('ECONNRESET');
  assert.equal(hold.allows(), 'all', 'a success between them starts the count anew');
  hold.failed('ECONNRESET');
  assert.equal(hold.allows(), 'none');
});

test('an answer to what was sent before a refusal does not take it back', () => {
  const { clock, hold } = setUp();
  hold.refused({ kind: 'hold', reason: 'throttled', detail: 'HTTP 429', afterMs: 30_000 });
  clock.advance(10);
  hold.succeeded();
  assert.equal(hold.allows(), 'none');
  clock.advance(30_000);
  hold.succeeded();
  assert.equal(hold.allows(), 'all');
});

test('a clock that is set back does not lengthen a hold', () => {
  const { clock, hold } = setUp();
  hold.refused(refusal);
  clock.advance(-3_600_000);
  assert.equal(hold.allows(), 'probe');
  hold.refused(refusal);
  assert.equal(hold.allows(), 'none', 'nor does it make probes come at once');
});
