import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Checks an `Authorization` header against the token, in constant time. LiteLLM can put only a whole
 * environment variable there, so the bare token is as good as `Bearer TOKEN`.
 */
export function createAccess(token: string | undefined): (authorization?: string) => boolean {
  if (token === undefined) return () => true;
  const expected = digest(token);
  return (authorization = '') =>
    timingSafeEqual(digest(authorization.replace(/^Bearer +/i, '')), expected);
}

/** Texts of any length become comparable without telling their length. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
