import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nearestName } from '../../src/settings/nearest-name.ts';

const names = ['host', 'port', 'authToken', 'maxBodyBytes', 'maxInflightBytes', 'runs'];

for (const [written, meant] of [
  ['prot', 'port'],
  ['por', 'port'],
  ['ports', 'port'],
  ['hots', 'host'],
  ['Host', 'host'],
  ['max_body_bytes', 'maxBodyBytes'],
  ['maxBodyByte', 'maxBodyBytes'],
  ['run', 'runs'],
  ['auth', undefined],
  ['nonsense', undefined],
  ['', undefined],
] as const) {
  test(`the name that is nearest to "${written}" is ${meant ?? 'none'}`, () => {
    assert.equal(nearestName(written, names), meant);
  });
}

test('two letters exchanged, and one put in, taken out or replaced, still tell which name was meant', () => {
  const word = fc.stringMatching(/^[a-z]{4,12}$/);
  const letter = fc.constantFrom(...'abcxyz');
  fc.assert(
    fc.property(word, fc.nat(), letter, (name, place, other) => {
      const at = place % (name.length - 1);
      const [before, after] = [name.slice(0, at), name.slice(at + 1)];
      const exchanged = `${before}${name[at + 1]}${name[at]}${name.slice(at + 2)}`;
      for (const written of [
        exchanged,
        before + after,
        before + other + after,
        before + other + name.slice(at),
      ]) {
        assert.equal(nearestName(written, ['0'.repeat(name.length), name]), name, written);
      }
    }),
  );
});
