import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createRunBody,
  logBatchBody,
  searchRunsBody,
  updateRunBody,
} from '../../src/mlflow/serialize.ts';

interface Pair {
  key: string;
  value: string;
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 600 }),
  fc.string({ unit: fc.constantFrom('.', '/', ' ', 'a', '😀'), maxLength: 8 }),
);
const anyNumber = fc.double({ noDefaultInfinity: false });

/**
 * MLflow's own rule for names: `^[/\w.\- :]*$` in Python, and equal to its normal form as a path,
 * which begins neither with a slash nor with two dots.
 */
function assertName(name: string, ascii: boolean): void {
  assert.ok(name.length > 0 && name.length <= 250, name);
  assert.match(name, ascii ? /^[/\w.\- :]*$/ : /^[/\p{L}\p{N}_.\- :]*$/u);
  assert.equal(posix.normalize(name), name);
  assert.ok(!/^\/|\/$|^\.\.|^\.$/.test(name), name);
}

function assertPairs(pairs: Pair[], most: number, longest: number, ascii: boolean): void {
  assert.ok(pairs.length <= most);
  assert.equal(new Set(pairs.map(({ key }) => key)).size, pairs.length, 'no key twice');
  for (const { key, value } of pairs) {
    assertName(key, ascii);
    assert.equal(typeof value, 'string');
    assert.ok(value.length <= longest && value.isWellFormed() && !value.includes('\0'));
  }
}

test('whatever a run holds, its create has MLflow’s types and limits', () => {
  fc.assert(
    fc.property(
      anyText,
      anyNumber,
      fc.array(fc.tuple(anyText, anyText)),
      (name, startTime, tags) => {
        const body = JSON.parse(createRunBody('1', { name, startTime, tags }));
        assert.deepEqual(Object.keys(body), ['experiment_id', 'start_time', 'tags']);
        assert.ok(Number.isSafeInteger(body.start_time) && body.start_time >= 0);
        assertPairs(body.tags, 200, 5000, false);
        const named = body.tags.at(-1);
        assert.equal(named.key.startsWith('mlflow.runName'), true);
        assert.ok(named.value !== '' && named.value.length <= 250);
      },
    ),
  );
});

test('a run whose name comes to nothing has one all the same', () => {
  const name = '\0'.repeat(300);
  const { tags } = JSON.parse(createRunBody('1', { name, startTime: 1, tags: [] }));
  assert.deepEqual(tags, [{ key: 'mlflow.runName', value: '_' }]);
});

test('whatever is logged, the batch has MLflow’s types and limits, and no value hides another', () => {
  const pairs = fc.array(fc.tuple(anyText, anyText), { maxLength: 120 });
  const points = fc.array(
    fc.record({ name: anyText, value: anyNumber, timestamp: anyNumber, step: anyNumber }),
  );
  fc.assert(
    fc.property(pairs, points, pairs, (params, metrics, tags) => {
      const body = JSON.parse(logBatchBody('r', { params, metrics, tags }));
      assertPairs(body.params, 100, 6000, true);
      assertPairs(body.tags, 100, 5000, false);
      assert.equal(body.params.length, Math.min(100, params.length));
      for (const { key, value, timestamp, step } of body.metrics) {
        assertName(key, true);
        assert.ok(Number.isFinite(value));
        assert.ok(Number.isSafeInteger(timestamp) && timestamp >= 0);
        assert.ok(Number.isSafeInteger(step) && step >= 0);
      }
      const finite = metrics.filter(({ value }) => Number.isFinite(value));
      assert.equal(body.metrics.length, finite.length);
    }),
  );
});

test('a batch has at most a thousand things in all', () => {
  const names = Array.from({ length: 1_200 }, (_, index) => `name ${index}`);
  const texts = names.map((name): [string, string] => [name, 'v']);
  const points = names.map((name) => ({ name, value: 1, timestamp: 1, step: 0 }));
  const body = JSON.parse(logBatchBody('r', { params: texts, metrics: points, tags: texts }));
  assert.deepEqual([body.params.length, body.metrics.length, body.tags.length], [100, 800, 100]);
});

test('names that MLflow takes stay as they are', () => {
  const params: [string, string][] = ['temperature', 'a/b', 'top p', 'x:y', 'a-b.c_d'].map(
    (name) => [name, 'v'],
  );
  const body = JSON.parse(logBatchBody('r', { params, metrics: [], tags: [['größe/日本', 'v']] }));
  assert.deepEqual(
    body.params.map(({ key }: Pair) => key),
    params.map(([name]) => name),
  );
  assert.equal(body.tags[0].key, 'größe/日本');
});

test('long values are cut without halving a character', () => {
  const value = `${'x'.repeat(5_999)}😀`;
  const body = JSON.parse(logBatchBody('r', { params: [['p', value]], metrics: [], tags: [] }));
  assert.equal(body.params[0].value, 'x'.repeat(5_999));
});

test('a search quotes its value so that it cannot say more', () => {
  const body = JSON.parse(searchRunsBody('1', ['sidecar.record_id', "x' or tags.a != '"], 12.6));
  assert.equal(
    body.filter,
    "tags.`sidecar.record_id` = 'x or tags.a != ' and attributes.start_time = 13",
  );
  assert.equal(body.run_view_type, 'ALL');
});

test('an end has a whole time', () => {
  assert.deepEqual(JSON.parse(updateRunBody('r', { status: 'FAILED', endTime: 1.4 })), {
    run_id: 'r',
    status: 'FAILED',
    end_time: 1,
  });
});
