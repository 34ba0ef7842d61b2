import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilDescribed } from '../../src/aws/tracking-server-size.ts';

const server = { arn: 'an ARN', size: 'Large' } as const;

/** Asks what fails by these names, one after the other, and then answers. */
async function ask(names: string[], stopAfter = Number.POSITIVE_INFINITY) {
  const over = new AbortController();
  const waits: number[] = [];
  const told: string[] = [];
  const found = await untilDescribed({
    describe: async () => {
      const name = names.shift();
      if (name !== undefined) throw Object.assign(new Error(), { name });
      return server;
    },
    onUnknown: (name) => told.push(name),
    sleep: async (ms) => {
      waits.push(ms / 60_000);
      if (waits.length >= stopAfter) over.abort();
    },
    over: over.signal,
  });
  return { found, waits, told };
}

test('a tracking server that does not answer is asked again, less and less often', async () => {
  const { found, waits, told } = await ask([
    ...Array(6).fill('ThrottlingException'),
    ...Array(2).fill('ECONNREFUSED'),
  ]);
  assert.deepEqual(found, server);
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
  assert.deepEqual(told, ['ThrottlingException', 'ECONNREFUSED']);
});

test('without the permission it is asked again each hour', async () => {
  const { found, waits, told } = await ask(Array(2).fill('AccessDeniedException'));
  assert.deepEqual([found, waits, told], [server, [60, 60], ['AccessDeniedException']]);
});

test('after the end it is not asked again', async () => {
  const { found, waits } = await ask(Array(9).fill('ECONNREFUSED'), 2);
  assert.deepEqual([found, waits], [undefined, [1, 2]]);
});
