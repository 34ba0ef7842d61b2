import { NoCredentialsError } from './authorizer.ts';

/**
 * What an error is called: the code of a failed connection (`ECONNREFUSED`), else its name, as Amazon's
 * library gives it (`AccessDeniedException`), and why there are no credentials. Other messages are left
 * out: they may hold anything.
 */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error instanceof NoCredentialsError) return `${error.name}: ${error.message}`;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name === 'Error' && error.cause !== undefined ? errorName(error.cause) : error.name;
}
