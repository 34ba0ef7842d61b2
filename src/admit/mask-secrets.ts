import { type Fields, isObject } from '../call/fields.ts';
import { namedSecrets } from './find-named-secrets.ts';
import { hidesUnder, isSecretName } from './secret-names.ts';
import { type Finder, formFinder, replaceFound, viewOf } from './text-view.ts';

/** What stands where a secret was. */
export const mask = '***';

/**
 * Secrets that give themselves away by their form. Each pattern runs in linear time: no repetition
 * stands within another, and none can begin anew within what it has just read in vain. Clients choose
 * what an error message quotes, at any length.
 */
const secretForms: readonly RegExp[] = [
  /\b((?:Bearer|Basic)\s+)[\w.~+/=-]{8}[\w.~+/=-]*/gi,
  /\b((?:AKIA|ASIA))[A-Z0-9]{16}\b/g,
  /\b((?:ghp|gho|ghs|github_pat|xox[abps])[_-])\w{10}\w*/g,
  /\b(AIza|gsk_|hf_|glpat-|xai-|r8_)[\w-]{10}[\w-]*/g,
  /(?<![\w-])eyJ[\w-]{8}[\w-]*\.[\w-]{8}[\w-]*\.[\w-]*/g,
  /\b(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s"']+/gi,
  /\b(Signature=|Credential=)[\w+/=%~.-]{16}[\w+/=%~.-]*/gi,
  /([?&](?:key|sig|token|access_token)=)[^&\s"']+/gi,
  /(\/\/[^/\s:@"']{0,256}:)[^/\s@"']{1,1024}(?=@)/g,
];
/** Keys of providers; a short one may be the beginning of a name, where it is not expected. */
const anyKey = /\b((?:sk|rk|pk)-)[\w-]{4}[\w-]*/g;
const longKey = /\b((?:sk|rk|pk)-)[\w-]{16}[\w-]*/g;

const ofForm = (form: RegExp) => formFinder(form, mask);

/** Secrets in what people write: known by their forms, or by names that are those of secrets for sure. */
export const secretsInProse: readonly Finder[] = [
  namedSecrets(mask, false),
  ...[anyKey, ...secretForms].map(ofForm),
];
const inMetadata = [namedSecrets(mask, false), ...[longKey, ...secretForms].map(ofForm)];
const inErrors = [namedSecrets(mask, true), ...[anyKey, ...secretForms].map(ofForm)];

/** Something of each secret that is told by its form or its name in a text: most texts have none. */
const maySecret =
  /[:=\\]|["']\s{0,4},|\b(?:[srp]k-|gh[pos]_|github_pat|xox|AIza|gsk_|hf_|glpat-|xai-|r8_|eyJ|AKIA|ASIA|bearer|basic)/i;

/** `text`, of an error or a header, without the secrets in it. */
export function maskText(text: string): string {
  return maskBy(inErrors, text);
}

function maskBy(finders: readonly Finder[], text: string): string {
  return maySecret.test(text) ? replaceFound(viewOf(text), finders).source : text;
}

/**
 * A value without the texts of secret-sounding members, at any depth, pairs (`["cookie", "…"]`,
 * `{"name": "cookie", "value": "…"}`) among them, and without what `finders` find in other texts.
 */
function maskValue(value: unknown, finders: readonly Finder[]): unknown {
  if (typeof value === 'string') return finders.length === 0 ? value : maskBy(finders, value);
  if (Array.isArray(value)) {
    return value.map((element) =>
      maskValue(isPair(element) ? [element[0], mask] : element, finders),
    );
  }
  if (!isObject(value)) return value;
  const named = value['name'] ?? value['key'];
  const isNamed = typeof named === 'string' && isSecretName(named);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isNamed && name === 'value' && hidesUnder(named, member)
        ? mask
        : maskMember(name, member, finders),
    ]),
  );
}

function isPair(value: unknown): value is [string, unknown] {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    typeof value[0] === 'string' &&
    isSecretName(value[0]) &&
    hidesUnder(value[0], value[1])
  );
}

function maskMember(name: string, value: unknown, finders: readonly Finder[]): unknown {
  if (isSecretName(name)) return hidesUnder(name, value) ? mask : value;
  // What LiteLLM knows of the key: a hash, an alias, ids.
  if (finders === inMetadata && typeof value === 'string' && name.startsWith('user_api_key_')) {
    return value;
  }
  return maskValue(value, /headers?$/i.test(name) ? inErrors : finders);
}

/**
 * A payload without the secrets that LiteLLM lets through: headers that it echoes
 * (`x-amz-security-token` comes verbatim), credentials among the parameters, keys in the provider's
 * address and in what an error quotes, whatever a later LiteLLM puts beside them. Prompts and answers
 * are not looked into.
 */
export function maskPayload(payload: Fields): Fields {
  return Object.fromEntries(
    Object.entries(payload).map(([name, member]) => [
      name,
      content.has(name) ? member : maskMember(name, member, quoting.get(name) ?? []),
    ]),
  );
}

/** What was asked and answered, and the map that is dropped anyway. */
const content: ReadonlySet<string> = new Set(['messages', 'response', 'model_map_information']);

/** Members whose texts may quote a secret under any name. */
const quoting: ReadonlyMap<string, readonly Finder[]> = new Map([
  ['hidden_params', inErrors],
  ['api_base', inErrors],
  ['model_parameters', inErrors],
  ['error_information', inErrors],
  ['error_str', inErrors],
  ['metadata', inMetadata],
]);

/** Bytes that could not be read as a call, fit to be kept: secrets masked as in an error. */
export function maskBroken(bytes: Buffer): Buffer {
  return Buffer.from(maskText(bytes.toString('utf8')), 'utf8');
}
