import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AwsCredentials } from '../../src/aws/credentials.ts';
import { credentialAdvice, untilWords } from '../../src/aws/identity.ts';

const keys = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret' };
const lasting: AwsCredentials = { accessKeyId: 'AKIA', secretAccessKey: 's', source: 'a test' };
const ofRole: AwsCredentials = { ...lasting, sessionToken: 'token', expiresAt: 1 };
const hint = ['access keys that do not run out are in use; a role is safer'];

test('of a role there is nothing to say', () => {
  assert.deepEqual(credentialAdvice({}, ofRole), []);
  assert.deepEqual(credentialAdvice({ AWS_WEB_IDENTITY_TOKEN_FILE: '/token' }, ofRole), []);
  assert.deepEqual(credentialAdvice({}), []);
});

test('keys that do not run out bring the hint that a role is safer, wherever they are from', () => {
  assert.deepEqual(credentialAdvice(keys, lasting), hint);
  assert.deepEqual(credentialAdvice({ AWS_PROFILE: 'ada' }, lasting), hint);
  assert.deepEqual(credentialAdvice(keys, ofRole), hint, 'a role is assumed by them');
  assert.deepEqual(credentialAdvice({ ...keys, AWS_SESSION_TOKEN: 'token' }, ofRole), []);
});

test('temporary keys of which nobody says when they run out bring the hint that they do', () => {
  const { expiresAt: _, ...temporary } = ofRole;
  for (const environment of [{}, { ...keys, AWS_SESSION_TOKEN: 'token' }]) {
    const advice = credentialAdvice(environment, temporary);
    assert.match(
      advice.join(),
      /^the credentials from a test run out, and nothing here renews them/,
    );
  }
  assert.deepEqual([lasting, ofRole, temporary].map(untilWords), [
    'they do not run out',
    '1970-01-01T00:00:00.001Z',
    'not known; they run out',
  ]);
});

for (const [variable, words] of [
  ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', /hides the ECS task's role/],
  ['AWS_CONTAINER_CREDENTIALS_FULL_URI', /hides the container's role \(EKS Pod Identity\)/],
  ['AWS_WEB_IDENTITY_TOKEN_FILE', /hides the service account's role \(IRSA\)/],
] as const) {
  test(`keys that hide the role of ${variable} bring a warning, and it alone`, () => {
    for (const token of [{}, { AWS_SESSION_TOKEN: 'token' }]) {
      const advice = credentialAdvice({ ...keys, ...token, [variable]: 'x' }, lasting);
      assert.equal(advice.length, 1);
      assert.match(advice[0] ?? '', words);
    }
  });

  test(`keys that are not used do not hide the role of ${variable}`, () => {
    const environments = [
      { ...keys, AWS_SECRET_ACCESS_KEY: '' },
      { AWS_ACCESS_KEY_ID: 'AKIA' },
      { ...keys, AWS_PROFILE: 'ada' },
    ];
    for (const environment of environments) {
      assert.deepEqual(credentialAdvice({ ...environment, [variable]: 'x' }, ofRole), []);
    }
    assert.deepEqual(credentialAdvice({ ...keys, [variable]: '' }, lasting), hint);
  });
}
