import { createHash } from 'node:crypto';

/** The kind and the name of a series: `model` and `openai/gpt-4o` of `model/openai/gpt-4o`. */
export function partsOf(series: string): { kind: string; name: string } {
  const at = series.indexOf('/');
  return { kind: series.slice(0, at), name: series.slice(at + 1) };
}

/**
 * What the names of a series' metrics begin with. MLflow takes letters, digits and `_ - . : /` and
 * blanks there; a name with others gets a hash, so that no two become the same.
 */
export function metricPrefix(series: string): string {
  const { kind, name } = partsOf(series);
  const safe = name.replace(/[^\w.\- :/]/gu, '_');
  const isPath = !/(^|\/)\.{0,2}(\/|$)/.test(name);
  const isSame = (safe === name && isPath) || name === '(other)';
  return `${kind}/${isSame ? safe : `${safe} ${hashOf(series)}`}`;
}

/** Eight hexadecimal digits. */
export function hashOf(series: string): string {
  return createHash('sha256').update(series).digest('hex').slice(0, 8);
}
