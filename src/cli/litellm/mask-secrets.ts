import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Scalar } from 'yaml';
import { endOf, startOf } from './yaml-place.ts';

const secretName = /key|token|secret|passw|passphrase|pwd|authorization|credential/i;
/** Counts, such as `max_tokens` and `prompt_cache_min_tokens`. */
const countName = /_tokens$/i;
/** Under such a name even a number is no setting. */
const passwordName = /(?:key|secret|password|passwd|passphrase|pwd)$/i;
/** The name of a variable tells nothing. */
const variable = /^(?:Bearer +)?os\.environ\/\w+$/;
/** A member's name that is a word, and no key that somebody was given. */
const word = /^[a-z_]+$/i;
/** What stands before the host in a URL. */
const login = /(:\/\/)(?:([^\s/?#:]*:)[^\r\n]*|[^\s/?#@]+)@/g;

/**
 * A YAML text without the keys and passwords in it, `***` in their place, in as many lines as before:
 * all that stands under a name that sounds secret, however it is written, private keys, and logins in
 * URLs, in comments too. Of a text that is no YAML, only the names before colons are left.
 */
export function maskSecrets(text: string): string {
  const found = parseAllDocuments(text, { version: '1.1', uniqueKeys: false });
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
  for (const one of scalars) {
    const [start, end] = [startOf(one.scalar), endOf(one.scalar)];
    masked += maskComments(text.slice(at, start)) + maskScalar(one, text.slice(start, end));
    at = end;
  }
  return masked + maskComments(text.slice(at));
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
      walk(key, name, anchors, take, true);
      const own = isScalar(key) ? String(key.value) : '';
      const isSecret = secretName.test(own) && !countName.test(own);
      walk(member, isSecret ? own : name, anchors, take, isName);
    }
  }
}

function maskScalar({ scalar, under, isName }: Found, source: string): string {
  const value = scalar.value;
  const isHidden = under !== undefined && isSecret(value, under, isName);
  const plain = typeof value === 'string' ? value : '';
  if (isHidden || plain.includes('PRIVATE KEY-----')) return maskWhole(source);
  if (withoutLogins(plain) === plain) return source;
  const masked = withoutLogins(source);
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

function withoutLogins(text: string): string {
  return text.replace(login, '$1$2***@');
}

/** A line that was switched off by a `#` may hold a key too. */
function maskComments(text: string): string {
  return text.replace(/#[^\r\n]*/g, (comment) =>
    withoutLogins(comment).replace(/([\w-]+["']?\s*[:=]\s*)(\S[^\r\n]*)/g, (all, name, value) =>
      secretName.test(name) && !countName.test(name.replace(/\W+$/, '')) && !variable.test(value)
        ? `${name}***`
        : all,
    ),
  );
}

function maskLines(text: string): string {
  return text.replace(/^([ \t]*(?:- +)*)(["']?[\w.-]+["']?:[ \t]+)?\S[^\r\n]*/gm, '$1$2***');
}
