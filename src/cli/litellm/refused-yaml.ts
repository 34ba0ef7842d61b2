import { CST, type Document, isAlias, isCollection, isScalar, Lexer, visit } from 'yaml';
import { isAbsent, nodeOf, startOf } from './yaml-place.ts';

/** What LiteLLM does not start with: where in the text, and why, with what is to be written instead. */
export interface Refused {
  at: number;
  why: string;
}

/*
 * LiteLLM reads its configuration by `yaml.safe_load` of PyYAML, which refuses, or reads otherwise, some
 * of what is YAML to others (`reader.py`, `scanner.py`, `constructor.py` of PyYAML 6).
 */

const unprintable = /[^\t\n\r -~\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
/** Ends of lines to that parser alone, or a byte order mark that is not at the beginning. */
const misread = /[\u0085\u2028\u2029]|\r(?!\n)|(?!^)\ufeff/;

/** What is refused of a text, whatever it means: characters, and tabs between what has a meaning. */
export function refusedInText(text: string): Refused | undefined {
  const character = unprintable.exec(text) ?? misread.exec(text);
  if (character !== null) {
    const code = (character[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const what = character[0] === '\r' ? 'ends a line without LF' : 'cannot be written as it is';
    return {
      at: character.index,
      why: `U+${code} ${what}; in a text in double quotes, \\u${code} stands for it`,
    };
  }
  const tab = text.includes('\t') ? tabIn(text) : undefined;
  return tab === undefined ? undefined : { at: tab, why: 'a tab stands where only spaces may' };
}

/** Where the first tab is that is in no comment, no quotes and no block of text. */
function tabIn(text: string): number | undefined {
  let at = 0;
  let isText = false;
  let isBlock = false;
  for (const token of new Lexer().lex(text)) {
    const kind = isText ? 'text' : CST.tokenType(token);
    if (kind === 'scalar') isText = true;
    if (kind === 'scalar' || kind === 'doc-mode' || kind === 'flow-error-end') continue;
    const mayHold = kind === 'text' ? isBlock : kind === 'comment' || /^["']/.test(token);
    if (!mayHold && token.includes('\t')) return at + token.indexOf('\t');
    isBlock = kind === 'block-scalar-header' || (isBlock && kind !== 'text');
    isText = false;
    at += token.length;
  }
  return undefined;
}

/** What is refused of a document, where its text alone is fine. */
export function refusedInDocument(document: Document.Parsed): Refused | undefined {
  // Tags that nobody knows, or on what they are not for.
  const [warning] = document.warnings;
  if (warning !== undefined) return { at: warning.pos[0], why: warning.message };
  let found: Refused | undefined;
  const refuse = (node: unknown, why: string) => {
    found = { at: startOf(nodeOf(node)), why };
    return visit.BREAK;
  };
  visit(document, {
    Pair: (_, { key }) => {
      if (isAbsent(nodeOf(key))) return refuse(key, 'there is no name before ":"');
      return isCollection(isAlias(key) ? key.resolve(document) : key)
        ? refuse(key, 'a list or a mapping cannot be a name; quote it if it is a text: "{{ a }}"')
        : undefined;
    },
    Node: (place, node, parents) => {
      const name = isAlias(node) ? node.source : node.anchor;
      if (name !== undefined && !/^[\w-]+$/.test(name)) {
        return refuse(node, 'the name of an anchor has letters, digits, "_" and "-" alone');
      }
      if (!isScalar(node) || node.type !== 'PLAIN' || node.tag !== undefined) return undefined;
      const source = node.source ?? '';
      if (source === '=' || (source === '<<' && place !== 'key')) {
        return refuse(node, `"${source}" has a meaning of its own; quote it`);
      }
      const isInBraces = parents.some((one) => isCollection(one) && one.flow === true);
      return isInBraces && source.includes('?')
        ? refuse(node, 'a text with "?" in brackets or braces has to be quoted')
        : undefined;
    },
  });
  return found;
}
