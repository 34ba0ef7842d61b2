import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BodyPlace, createBodyRoom } from '../../src/deliver/body-room.ts';

/** Asks for a place of `bytes`, and keeps it until told. */
function ask(room: ReturnType<typeof createBodyRoom>, bytes: number) {
  const { promise, resolve: leave } = Promise.withResolvers<void>();
  const asked: { place?: BodyPlace | undefined; has: boolean; leave: () => void; over: unknown } = {
    has: false,
    leave,
    over: undefined,
  };
  asked.over = room.within(bytes, async (place) => {
    asked.place = place;
    asked.has = true;
    await promise;
  });
  return asked;
}

/** Lets all that is decided take effect. */
const settled = () => new Promise(setImmediate);

test('places never overlap, and are given in turn, whatever their sizes and stays', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 100 }), stays: fc.nat(8) }), {
        minLength: 1,
        maxLength: 40,
      }),
      async (wishes) => {
        const room = createBodyRoom(100);
        const asked = wishes.map(({ bytes }) => ask(room, bytes));
        for (const [index, { stays }] of wishes.entries()) {
          await settled();
          const inside = asked.filter(({ has }, at) => has && at >= index);
          const owners = new Array<boolean>(100).fill(false);
          for (const { place } of inside) {
            assert.ok(place);
            for (let at = place.byteOffset; at < place.byteOffset + place.length; at += 1) {
              assert.ok(!owners[at], `byte ${at} is somebody's already`);
              owners[at] = true;
            }
          }
          const first = asked.findIndex(({ has }) => !has);
          assert.ok(first === -1 || asked.slice(first).every(({ has }) => !has), 'in turn');
          for (let turn = 0; turn < stays; turn += 1) await Promise.resolve();
          asked[index]?.leave();
        }
        await Promise.all(asked.map(({ over }) => over));
      },
    ),
    { numRuns: 200 },
  );
});

test('a body larger than the room goes alone, in memory of its own', async () => {
  const room = createBodyRoom(100);
  const [small, large, after] = [ask(room, 1), ask(room, 500), ask(room, 1)];
  await settled();
  assert.deepEqual([small.has, large.has, after.has], [true, false, false]);
  small.leave();
  await settled();
  assert.deepEqual([large.has, after.has], [true, false]);
  assert.equal(large.place, undefined);
  large.leave();
  await settled();
  assert.ok(after.place);
  after.leave();
});

test('a place is free again when what used it has failed', async () => {
  const room = createBodyRoom(100);
  const failing = room.within(100, async () => {
    throw new Error('the journal is closed');
  });
  await assert.rejects(failing, /the journal is closed/);
  assert.equal(await room.within(100, async (place) => place?.length), 100);
});
