import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskBroken, maskText } from '../../src/admit/mask-secrets.ts';
import { workTime } from '../support/work-time.ts';

const hostile = [
  'eyJ-',
  'eyJaaaaaaaa.',
  'sk-',
  'Bearer ',
  'api_key ',
  '"token":"\\',
  'ghp_',
  '//a:',
  '?key=',
  'Signature=',
  'password="',
  '"cookie":"',
  '"cookie":["',
  '["token","',
  'authorization: ',
  'cookie:a=',
  '\\n',
  '\\"',
  '\\\\"token\\\\":\\\\"',
  'X-Amz-Signature=',
];

for (const unit of hostile) {
  test(`masking a long text of ${JSON.stringify(unit)} takes no longer for each byte than a short one`, () => {
    const time = (count: number) => {
      const text = unit.repeat(count);
      return workTime(() => {
        maskText(text);
        maskBroken(Buffer.from(text));
      });
    };
    time(1000);
    const short = time(5_000);
    const long = time(80_000);
    // Sixteen times the length: by the square it would be 256 times the time.
    assert.ok(long < 64 * short + 100, `${short} ms, then ${long} ms`);
  });
}

test('what is long is masked as what is short is, and nothing runs out of stack', () => {
  const long = 'a'.repeat(12_000_000);
  for (const text of [
    `sk-${long}`,
    `Signature=${long}`,
    `password=${long}`,
    `eyJ${long}.${long}.a`,
  ]) {
    assert.ok(maskText(text).length < 100);
  }
  const many = `"password":[${'"a",'.repeat(500_000)}"a"]`;
  assert.doesNotMatch(maskText(many), /"a"/);
});
