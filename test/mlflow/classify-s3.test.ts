import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classifyPut } from '../../src/mlflow/classify-s3.ts';

for (const [status, name] of [
  [400, 'ExpiredToken'],
  [400, 'InvalidToken'],
  [403, 'InvalidAccessKeyId'],
  [403, 'SignatureDoesNotMatch'],
  [403, 'RequestTimeTooSkewed'],
] as const) {
  test(`${name} of S3 is about credentials, and no fault of an object`, () => {
    assert.deepEqual(classifyPut({ kind: 'refused', status, name }), {
      kind: 'hold',
      reason: 'unauthorized',
      detail: `S3 ${status} ${name}`,
    });
  });
}

test('a missing permission holds S3, and never costs an object', () => {
  assert.deepEqual(classifyPut({ kind: 'refused', status: 403, name: 'AccessDenied' }), {
    kind: 'hold',
    reason: 'forbidden',
    detail: 'S3 403 AccessDenied',
  });
});
