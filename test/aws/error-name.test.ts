import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoCredentialsError } from '../../src/aws/authorizer.ts';
import { errorName } from '../../src/aws/error-name.ts';

const withName = (name: string) =>
  Object.assign(new Error('words that may hold anything'), { name });

for (const [what, error, name] of [
  ["an error of Amazon's library", withName('AccessDeniedException'), 'AccessDeniedException'],
  [
    'a failed connection',
    Object.assign(withName('TimeoutError'), { code: 'ETIMEDOUT' }),
    'ETIMEDOUT',
  ],
  ['what caused an error without a name', new Error('x', { cause: withName('Why') }), 'Why'],
  ['an error without name or cause', new Error('x'), 'Error'],
  [
    'why there are no credentials',
    new NoCredentialsError('AccessDenied'),
    'NoCredentialsError: AccessDenied',
  ],
  ['what is no error', 'a text', 'unknown'],
] as const) {
  test(`${what} is called ${name}`, () => {
    assert.equal(errorName(error), name);
  });
}
