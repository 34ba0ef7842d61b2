import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planConfig } from '../../../src/cli/litellm/plan.ts';
import { block, config, findings, settingsWith } from './planned.ts';

test('what stands around a variable in a header is not repeated', () => {
  for (const value of [
    'Bearer s3cr3t-os.environ/X',
    `s3cr3t${'$'}{s3cr3t}`,
    'os.environ/s3cr3t-a',
  ]) {
    const text = config({ callback: { headers: { Authorization: value } } });
    const { left } = planConfig(text, settingsWith());
    assert.equal(left.length, 1);
    assert.doesNotMatch(JSON.stringify(left), /s3cr3t/);
  }
});

test('a $ within a token is a sign like any other', () => {
  const text = config({ callback: { headers: { Authorization: 'k7Qp$verySecretTail9' } } });
  assert.deepEqual(findings(text), { mended: [], left: [] });
});

test('a sidecar with a token is told that no Authorization is sent', () => {
  const text = config({ callback: { headers: {} } });
  assert.deepEqual(findings(text).mended, []);
  const withToken = settingsWith({}, { authToken: 'a-long-token' });
  assert.deepEqual(findings(text, withToken).mended, [`token_missing ${block}.headers`]);
});
