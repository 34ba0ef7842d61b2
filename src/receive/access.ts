import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Checks an `Authorization` header against the token, in constant time. LiteLLM can put only a whole
 * environment variable there, so the bare token is as good as `Bearer TOKEN`.
 *
 * @param token The token at present; without one everybody may pass.
 */
export function mayPass(token: string | undefined, authorization = ''): boolean {
  if (token === undefined) return true;
  return timingSafeEqual(digest(authorization.replace(/^Bearer +/i, '')), digest(token));
}

/** Texts of any length become comparable without telling their length. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
