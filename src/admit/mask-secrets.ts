import { type Fields, isObject } from '../call/fields.ts';

/** What stands where a secret was. */
export const mask = '***';

/** Names of headers and parameters whose text is a secret, by their last words. */
const secretWords =
  'authorization|cookie|password|passwd|secret|credentials?|signature|token|' +
  '(?:api|access|private|auth|subscription|functions)[-_]?key(?:[-_]id)?';
const secretName = new RegExp(`(?:${secretWords})$`, 'i');

/**
 * Secrets that give themselves away by their form. Each pattern runs in linear time: no repetition
 * stands within another, and none can begin anew within what it has just read in vain. Clients choose
 * what an error message quotes, at any length.
 */
const secretForms: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${mask}`],
  [/\b(sk|rk|pk)-[\w-]{4,}/g, `$1-${mask}`],
  [/\b(AKIA|ASIA)[A-Z0-9]{16}\b/g, `$1${mask}`],
  [/\b(ghp|gho|ghs|github_pat|xox[abps])[_-]\w{10,}/g, `$1_${mask}`],
  [/\b(AIza|gsk_|hf_|glpat-|xai-|r8_)[\w-]{10,}/g, `$1${mask}`],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, mask],
  [/\b(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s"']+/gi, `$1${mask}`],
  [/([?&](?:key|sig|token|access_token)=)[^&\s"']+/gi, `$1${mask}`],
  [/(\/\/[^/\s:@"']{0,256}:)[^/\s@"']{1,1024}@/g, `$1${mask}@`],
  [/\b((?:api[-_ ]?key|password|secret|token)["']?\s?[:=]\s?["']?)[^\s"',;}]{6,}/gi, `$1${mask}`],
];

/** `text` without the secrets that can be told by their form. */
export function maskText(text: string): string {
  return secretForms.reduce((masked, [form, instead]) => masked.replace(form, instead), text);
}

/** `value` with the texts of secret-sounding members masked, at any depth. */
function maskMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskMembers);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      secretName.test(name) ? maskSecret(member) : maskMembers(member),
    ]),
  );
}

function maskSecret(value: unknown): unknown {
  return typeof value === 'string' || typeof value === 'object' ? value && mask : value;
}

/** `value` with `maskText` applied to each text in it. */
function maskTexts(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map(maskTexts);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, maskTexts(member)]),
  );
}

/**
 * A payload without the secrets that LiteLLM lets through: headers that it echoes
 * (`x-amz-security-token` comes verbatim), credentials among the parameters, keys in the provider's
 * address and in what an error quotes, whatever a later LiteLLM puts beside them. Prompts and answers
 * are not looked into.
 */
export function maskPayload(payload: Fields): Fields {
  return Object.fromEntries(
    Object.entries(payload).map(([name, member]) => {
      if (content.has(name)) return [name, member];
      const masked = maskMembers(member);
      return [name, quoting.has(name) ? maskTexts(masked) : masked];
    }),
  );
}

/** What was asked and answered, and the map that is dropped anyway. */
const content: ReadonlySet<string> = new Set(['messages', 'response', 'model_map_information']);

/** Members whose texts may quote a secret under any name. */
const quoting: ReadonlySet<string> = new Set([
  'hidden_params',
  'api_base',
  'model_parameters',
  'error_information',
  'error_str',
]);

/** The text of a JSON member with a secret-sounding name, where the JSON itself is broken. */
const secretMember = new RegExp(
  `("[\\w-]{0,64}(?:${secretWords})"\\s{0,8}:\\s{0,8}\\[?\\s{0,8}")(?:[^"\\\\]|\\\\.){1,8192}`,
  'gi',
);

/** Bytes that could not be read as a call, fit to be kept: texts of secret-sounding members masked. */
export function maskBroken(bytes: Buffer): Buffer {
  return Buffer.from(maskText(bytes.toString('utf8').replace(secretMember, `$1${mask}`)), 'utf8');
}
