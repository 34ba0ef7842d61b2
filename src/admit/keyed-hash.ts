import { createHmac } from 'node:crypto';

/** A short text that stands for a value: the same value gives the same one, under the same key. */
export type KeyedHash = (value: unknown) => string;

/**
 * HMAC-SHA-256, of which 128 bits are kept, as `hmac-` and 32 hexadecimal digits. What is no text is
 * hashed as its JSON, so that the number 42 and the text `42` are one.
 */
export function createKeyedHash(key: string): KeyedHash {
  return (value) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    return `hmac-${createHmac('sha256', key).update(text).digest('hex').slice(0, 32)}`;
  };
}
