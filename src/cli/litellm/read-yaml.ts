import { type Document, type ParsedNode, parseAllDocuments } from 'yaml';
import { type Refused, refusedInDocument, refusedInText } from './refused-yaml.ts';

/** A configuration as text, as nodes that know where in it they stand, and as what it means. */
export interface YamlFile {
  text: string;
  /** Absent where there is no document in the text, or an empty one. */
  contents: ParsedNode | null;
  /** Plain data: merges and aliases are resolved, and nothing is shared. */
  value: unknown;
}

/** A text that is no configuration to work on; the message is for a person. */
export class UnreadableConfigError extends Error {
  readonly code = 'CONFIG_UNREADABLE';
}

/**
 * Reads a configuration as LiteLLM does, whose parser (PyYAML) knows YAML 1.1: `on` is true, and `<<`
 * merges.
 *
 * @throws UnreadableConfigError for mistakes in the YAML, what that parser refuses, several documents, a
 * key that is there twice (LiteLLM would take the last one without a word), and what is no mapping.
 */
export function readYaml(text: string): YamlFile {
  accept(text, refusedInText(text));
  const found = parseAllDocuments(text, {
    version: '1.1',
    prettyErrors: false,
    logLevel: 'error',
  });
  const documents: Document.Parsed[] = 'empty' in found ? [] : found;
  if (documents.length > 1) {
    throw new UnreadableConfigError(
      `it holds ${documents.length} YAML documents; LiteLLM takes a file with one`,
    );
  }
  const [document] = documents;
  const mistake = document?.errors[0];
  if (mistake !== undefined) {
    accept(text, { at: mistake.pos[0], why: withoutText(mistake.message) });
  }
  if (document !== undefined) accept(text, refusedInDocument(document));
  const value = document === undefined ? null : plainValue(document);
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    throw new UnreadableConfigError('it is no mapping of sections, such as "model_list:"');
  }
  return { text, contents: document?.contents ?? null, value };
}

function accept(text: string, refused: Refused | undefined): void {
  if (refused === undefined) return;
  const lines = text.slice(0, refused.at).split('\n');
  const column = (lines.at(-1)?.length ?? 0) + 1;
  throw new UnreadableConfigError(`line ${lines.length}, column ${column}: ${refused.why}`);
}

function plainValue(document: Document.Parsed): unknown {
  try {
    const value: unknown = JSON.parse(JSON.stringify(document.toJS() ?? null));
    return value;
  } catch (error) {
    throw new UnreadableConfigError(withoutText(String(error)));
  }
}

/** A message of the parser, which behind a colon repeats the text, in which there may be a secret. */
function withoutText(message: string): string {
  return message.replace(/^\w*Error: /, '').replace(/(?:: |\n).*$/s, '');
}
