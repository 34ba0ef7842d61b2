/**
 * What an error is called: the code of a failed connection (`ECONNREFUSED`), else its name, as Amazon's
 * library gives it (`AccessDeniedException`). Its message is left out: it may hold anything.
 */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name === 'Error' && error.cause !== undefined ? errorName(error.cause) : error.name;
}
