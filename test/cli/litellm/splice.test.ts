import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applySplices, insertion } from '../../../src/cli/litellm/splice.ts';

test('changes of one text are made together, wherever each is', () => {
  const changes = [insertion(6, '!'), { from: 0, to: 1, by: 'J' }, insertion(6, '?')];
  assert.equal(applySplices('hello.', changes), 'Jello.!?');
});

test('two changes of the same part are not made', () => {
  const first = { from: 0, to: 3, by: 'a' };
  assert.equal(applySplices('hello', [{ from: 2, to: 4, by: 'b' }, first]), undefined);
  assert.equal(applySplices('hello', [first, insertion(3, 'b')]), 'ablo');
});
