import { Document } from 'yaml';
import { isMapping } from './edit.ts';

/** How `schema` says it: what is `on` to LiteLLM's parser has to be quoted, and so on. */
const schema = 'yaml-1.1';

/** A value on one line: `[a, { b: 1 }]`. */
export function renderFlow(value: unknown): string {
  const document = new Document(null, { schema });
  document.contents = document.createNode(value, { flow: true });
  return document
    .toString({ lineWidth: 0, flowCollectionPadding: true })
    .trim()
    .replace(/^\[ (.*) \]$/s, '[$1]');
}

/**
 * A member of a mapping, as lines with their ends: mappings go over several lines, lists stand on one.
 *
 * @param indent How far to the right it stands, in spaces.
 */
export function renderMember(
  name: string | number,
  value: unknown,
  indent: number,
  lineEnd: string,
): string {
  const before = `${' '.repeat(indent)}${renderFlow(name)}:`;
  if (!isMapping(value) || Object.keys(value).length === 0) {
    return `${before} ${renderFlow(value)}${lineEnd}`;
  }
  const inner = Object.entries(value).map(([member, of]) =>
    renderMember(member, of, indent + 2, lineEnd),
  );
  return `${before}${lineEnd}${inner.join('')}`;
}
