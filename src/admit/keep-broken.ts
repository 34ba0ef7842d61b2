import { maskBroken } from './mask-secrets.ts';
import { type RedactionOptions, redactsByChoice } from './redaction-options.ts';

/** No word of any language is as long: a payload, whatever the member is called that holds it. */
const longBase64 = /[\w+/-]{256}[\w+/-]*={0,2}/g;

/**
 * What may be kept of bytes that could not be read as a call. Where something is redacted by choice,
 * nothing: in broken bytes it could not be found for sure.
 */
export function createKeepBroken(options: RedactionOptions): (bytes: Buffer) => Buffer | null {
  if (redactsByChoice(options)) return () => null;
  return (bytes) => {
    // In packed bytes no secret could be found.
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return null;
    if (options.keepBinary) return maskBroken(bytes);
    const text = maskBroken(bytes).toString('utf8');
    return Buffer.from(text.replace(longBase64, '[base64]'), 'utf8');
  };
}
