import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Scalar } from 'yaml';
import { endOf, startOf } from './yaml-place.ts';

const secretName =
  /key|token|secret|passw|passphrase|pwd|auth|credential|cookie|webhook|dsn|connection_?str|headers$|^environment_variables$/i;
/** Counts, such as `max_tokens` and `prompt_cache_min_tokens`. */
const countName = /_tokens$/i;
/** Under such a name even a number is no setting. */
const passwordName = /(?:key|secret|password|passwd|passphrase|pwd|headers|variables)$/i;
/** What holds anything, by names that tell nothing. */
const shelfName = /headers$|^environment_variables$/i;
/** The name of a variable tells nothing. */
const variable = /^(?:Bearer +)?os\.environ\/\w+$/;
/** A member's name that is a word, and no key that somebody was given. */
const word = /^[a-z_]+$/i;
/** What stands before the host in a URL. */
const login = /(:\/\/)(?:([^\s/?#:]*:)[^\r\n]*|[^\s/?#@]+)@/g;
/** What stands behind the `?` of a URL, or behind the host where that is a webhook. */
const query = /(:\/\/[^\s?]*\?)\S*?(?=["']?(?:\s|$))/g;
const webhook = /(:\/\/(?=\S*hook)[^\s/]*\/)\S*?(?=["']?(?:\s|$))/gi;
/** How the keys of providers, GitHub, Slack, AWS and Google begin, and signed tokens. */
const knownKey = /\b(?:sk-|gh[a-z]_|xox[a-z]-|AKIA|AIza|eyJ)[\w.-]{8,}/g;

/**
 * A YAML text without the keys and passwords in it, `***` in their place, in as many lines as before:
 * all that stands under a name that sounds secret or in headers and variables, however it is written,
 * private keys, and logins, queries and webhooks in URLs, in comments too. Of a text that is no YAML, only the names before colons are left.
 */
export function maskSecrets(text: string): string {
  const found = parseAllDocuments(text, {
    version: '1.1',
    uniqueKeys: false,
    logLevel: 'error',
  });
  const documents = 'empty' in found ? [] : found;
  if (documents.some(({ errors }) => errors.length > 0)) return maskLines(text);
  const scalars: Found[] = [];
  for (const { contents } of documents) {
    const anchors = new Set<string>();
    // What an alias under such a name stands for is secret where it is written.
    walk(contents, undefined, anchors, () => undefined);
    walk(contents, undefined, anchors, (one) => scalars.push(one));
  }
  scalars.sort((one, other) => startOf(one.scalar) - startOf(other.scalar));
  let masked = '';
  let at = 0;
  let isOnShelf = false;
  for (const one of scalars) {
    const [start, end] = [startOf(one.scalar), endOf(one.scalar)];
    const between = maskComments(text.slice(at, start), isOnShelf);
    masked += between + maskScalar(one, text.slice(start, end));
    isOnShelf = shelfName.test(one.under ?? '');
    at = end;
  }
  return masked + maskComments(text.slice(at), isOnShelf);
}

/** A scalar, and the name that sounds secret under which it stands. */
interface Found {
  scalar: Scalar;
  under: string | undefined;
  isName: boolean;
}

function walk(
  value: unknown,
  under: string | undefined,
  anchors: Set<string>,
  take: (found: Found) => void,
  isName = false,
): void {
  if (isAlias(value)) {
    if (under !== undefined) anchors.add(value.source);
    return;
  }
  const anchor = isScalar(value) || isMap(value) || isSeq(value) ? value.anchor : undefined;
  const isShared = anchor !== undefined && anchors.has(anchor);
  const name = under ?? (isShared ? 'password' : undefined);
  if (isScalar(value)) take({ scalar: value, under: name, isName });
  else if (isSeq(value)) for (const item of value.items) walk(item, name, anchors, take, isName);
  else if (isMap(value)) {
    for (const { key, value: member } of value.items) {
      walk(key, shelfName.test(name ?? '') ? undefined : name, anchors, take, true);
      const own = isScalar(key) ? String(key.value) : '';
      const isSecret = soundsSecret(own) && !passwordName.test(name ?? '');
      walk(member, isSecret ? own : name, anchors, take, isName);
    }
  }
}

function maskScalar({ scalar, under, isName }: Found, source: string): string {
  const value = scalar.value;
  const isHidden = under !== undefined && isSecret(value, under, isName);
  const plain = typeof value === 'string' ? value : '';
  if (isHidden || plain.includes('PRIVATE KEY-----')) return maskWhole(source);
  if (withoutSecrets(plain) === plain) return source;
  const masked = withoutSecrets(source);
  const isAsWritten = /^[|>]/.test(source) || !/[\\\r\n]/.test(source);
  return isAsWritten && masked !== source ? masked : maskWhole(source);
}

function isSecret(value: unknown, under: string, isName: boolean): boolean {
  if (typeof value === 'number' || typeof value === 'bigint') return passwordName.test(under);
  if (value === null || typeof value === 'boolean') return false;
  return !variable.test(String(value)) && !(isName && word.test(String(value)));
}

/** Each line of a scalar; the head of a block scalar (`>-`) stays. */
function maskWhole(source: string): string {
  const [head = ''] = /^[|>][^\r\n]*/.exec(source) ?? [];
  return maskComments(head) + source.slice(head.length).replace(/\S[^\r\n]*/g, '***');
}

function withoutSecrets(text: string): string {
  return text
    .replace(login, '$1$2***@')
    .replace(query, '$1***')
    .replace(webhook, '$1***')
    .replace(knownKey, '***');
}

function soundsSecret(name: string): boolean {
  return secretName.test(name) && !countName.test(name);
}

/**
 * A line that was switched off by a `#` may hold a key too.
 *
 * @param isOnShelf Whether it stands where any value is one.
 */
function maskComments(text: string, isOnShelf = false): string {
  return text.replace(/#[^\r\n]*/g, (comment) =>
    withoutSecrets(comment).replace(
      /([\w-]+)(["']?\s*[:=]\s*)(\S[^\r\n]*)/g,
      (all, name, sign, value) =>
        (isOnShelf || soundsSecret(name)) && !variable.test(value) ? `${name}${sign}***` : all,
    ),
  );
}

function maskLines(text: string): string {
  return text.replace(/^([ \t]*(?:- +)*)(["']?[\w.-]+["']?:[ \t]+)?\S[^\r\n]*/gm, '$1$2***');
}
