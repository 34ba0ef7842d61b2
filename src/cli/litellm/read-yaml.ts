import { type Document, LineCounter, type ParsedNode, parseAllDocuments } from 'yaml';

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
 * @throws UnreadableConfigError for mistakes in the YAML, several documents, a key that is there twice
 * (LiteLLM would take the last one without a word), and what is no mapping.
 */
export function readYaml(text: string): YamlFile {
  const lines = new LineCounter();
  const found = parseAllDocuments(text, {
    version: '1.1',
    keepSourceTokens: true,
    lineCounter: lines,
    prettyErrors: false,
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
    const { line, col } = lines.linePos(mistake.pos[0]);
    throw new UnreadableConfigError(`line ${line}, column ${col}: ${mistake.message}`);
  }
  const value = document === undefined ? null : plainValue(document);
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    throw new UnreadableConfigError('it is no mapping of sections, such as "model_list:"');
  }
  return { text, contents: document?.contents ?? null, value };
}

function plainValue(document: Document.Parsed): unknown {
  try {
    const value: unknown = JSON.parse(JSON.stringify(document.toJS() ?? null));
    return value;
  } catch (error) {
    throw new UnreadableConfigError(error instanceof Error ? error.message : String(error));
  }
}
