/** What keys of an interface are called by. */
const keyKinds =
  'api|access|private|auth|subscription|functions|secret|shared|master|account|signing|encryption|service|litellm';

/** The last words of names whose text is a secret, wherever such a name stands. */
export const secretWords =
  'authorization|x-auth|cookies?|passwords?|passwd|passphrase|pwd|secrets?|credentials?|signature|jwt|token|' +
  `(?:access|auth|bearer|refresh|session)[-_]?tokens|(?:${keyKinds})[-_ ]?keys?(?:[-_]id)?`;

const secretName = new RegExp(`(?:${secretWords}|(?:^|[-_])auth)[\\s:]*$`, 'i');
/** Under such a name even a number is a secret; under others it may be a count. */
const passwordName = /(?:pass(?:word|wd|phrase)|pwd|secret|key)s?[\s:]*$/i;

/** Whether the text under a name is a secret, by the name's last word. Counts (`max_tokens`) are none. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** Whether `value` under the secret-sounding `name` is to be hidden: a number may be a count. */
export function hidesUnder(name: string, value: unknown): boolean {
  if (typeof value === 'number') return passwordName.test(name);
  return (
    (typeof value === 'string' && value !== '') || (typeof value === 'object' && value !== null)
  );
}
