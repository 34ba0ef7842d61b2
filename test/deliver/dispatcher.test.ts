import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { CallEnd } from '../../src/deliver/call-end.ts';
import { createDispatcher } from '../../src/deliver/dispatcher.ts';
import { createHold } from '../../src/deliver/hold.ts';
import { createUntilKept } from '../../src/deliver/until-kept.ts';
import type { PendingCall } from '../../src/journal/journal.ts';
import { openJournal } from '../../src/journal/journal-client.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, eventsFrom } from '../support/litellm-event.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const recorded: CallEnd = { kind: 'settled', settlement: { kind: 'recorded' } };
const refusal = { kind: 'hold', reason: 'forbidden', detail: 'HTTP 403' } as const;

/** A dispatcher over a real journal; what delivering a call comes to is the test's to say. */
async function setUp(t: TestContext, deliver: (call: PendingCall) => Promise<CallEnd>) {
  const clock = fakeClock();
  const journal = await openJournal(journalDefaults(tempFolder(t)), () => undefined);
  const holds = {
    mlflow: createHold({ clock, random: () => 0.5, onChange: () => undefined }),
    artifacts: createHold({ clock, random: () => 0.5, onChange: () => undefined }),
  };
  let takes = 0;
  const ended: [string | undefined, CallEnd['kind']][] = [];
  const dispatcher = createDispatcher({
    journal: {
      ...journal,
      take: (...asked) => {
        takes += 1;
        return journal.take(...asked);
      },
    },
    destination: 'http://mlflow.test',
    deliver,
    holds,
    maxActive: 4,
    clock,
    untilKept: createUntilKept(clock, new AbortController().signal),
    onEnd: (call, end) => ended.push([call.record.callId, end.kind]),
  });
  t.after(async () => {
    await Promise.all([dispatcher.drain(0), journal.close()]);
  });
  const until = (what: string, holdsTrue: () => boolean) =>
    waitUntil(() => holdsTrue() || undefined, { what, withinMs: 10_000, everyMs: 1 });
  return {
    clock,
    journal,
    holds,
    dispatcher,
    ended,
    until,
    takes: () => takes,
    append: (first: number, last: number) =>
      journal.append(bodyOf(...eventsFrom(first, last)), clock.now()),
  };
}

test('calls are delivered oldest first, no more at once than may be, until none is left', async (t) => {
  let underWay = 0;
  let most = 0;
  const order: (string | undefined)[] = [];
  const it = await setUp(t, async ({ record }) => {
    underWay += 1;
    most = Math.max(most, underWay);
    order.push(record.callId);
    await new Promise(setImmediate);
    underWay -= 1;
    return recorded;
  });
  await it.append(1, 20);
  it.dispatcher.start();
  await it.until('all calls', () => it.ended.length === 20);
  assert.equal(most, 4);
  assert.deepEqual(
    order,
    Array.from({ length: 20 }, (_, index) => `call-${index + 1}`),
  );
  assert.equal((await it.journal.account()).recorded, 20);
});

test('a call that the program cannot cope with dies alone', async (t) => {
  const it = await setUp(t, async ({ record }) => {
    if (record.callId === 'call-2') throw new TypeError('a bug');
    return recorded;
  });
  await it.append(1, 3);
  it.dispatcher.start();
  await it.until('all calls', () => it.ended.length === 3);
  const [letter] = await it.journal.listDead({}, 10);
  assert.deepEqual([letter?.reason, letter?.detail], ['internal_error', 'TypeError']);
});

test('while a destination is held nothing goes out; then one call probes, and all follow', async (t) => {
  let open = false;
  const delivered: (string | undefined)[] = [];
  const it = await setUp(t, async (call) => {
    delivered.push(call.record.callId);
    if (open) return recorded;
    const progress = { destination: 'http://mlflow.test' };
    return { kind: 'held', by: 'mlflow', outcome: refusal, progress };
  });
  it.holds.mlflow.refused(refusal);
  await it.append(1, 10);
  it.dispatcher.start();
  await it.until('a look at the hold', () => true);
  assert.deepEqual(delivered, []);
  it.clock.advance(2_000);
  await it.until('a probe', () => it.ended.length === 1);
  assert.deepEqual(delivered, ['call-1'], 'one call probes');
  open = true;
  it.clock.advance(60_000);
  it.dispatcher.wake();
  await it.until(
    'all calls',
    () => it.ended.filter(([, kind]) => kind === 'settled').length === 10,
  );
  assert.equal(it.holds.mlflow.allows(), 'all', 'a call that came through ends the hold');
});

test('a hold whose probe is due while no call is does not keep the processor busy', async (t) => {
  const it = await setUp(t, async () => recorded);
  it.holds.mlflow.refused(refusal);
  it.clock.advance(5_000);
  it.dispatcher.start();
  await it.until('the first look', () => it.takes() >= 1);
  // Each answer of the journal would let a busy dispatcher ask again.
  for (let answer = 0; answer < 20; answer += 1) await it.journal.account();
  assert.ok(it.takes() <= 2, `it asked ${it.takes()} times`);
});

test('a drain ends what is due and leaves what is not', async (t) => {
  const it = await setUp(t, async ({ record, attempts }) =>
    record.callId === 'call-1' && attempts === 0
      ? {
          kind: 'later',
          dueAt: it.clock.now() + 60_000,
          attempts: 1,
          progress: { destination: 'http://mlflow.test' },
        }
      : recorded,
  );
  await it.append(1, 6);
  it.dispatcher.start();
  await it.dispatcher.drain(30_000);
  const account = await it.journal.account();
  assert.deepEqual([account.recorded, account.pending], [5, 1]);
});
