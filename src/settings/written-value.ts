import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { asWritten } from './schema-walk.ts';

/** How the text of an environment variable is read. */
export type ValueKind = 'text' | 'number' | 'yes_or_no' | 'words' | 'list' | 'mapping' | 'role';

/** How a setting of this schema is read. */
export function kindOf(given: z.core.$ZodType): ValueKind {
  const schema = asWritten(given);
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return 'yes_or_no';
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return 'mapping';
  if (!(schema instanceof z.ZodArray)) return 'text';
  const element = asWritten(schema.element);
  return element instanceof z.ZodString || element instanceof z.ZodEnum ? 'words' : 'list';
}

/** Why a text cannot be read: what it is, without any of it, and what would be right. */
export interface Unreadable {
  value: string;
  allowed: string;
}

const allowedAs = {
  words: 'words with commas between them, or a list in brackets, such as ["one", "two"]',
  list: 'a list as JSON, or as it stands in the file',
  mapping: 'a mapping as JSON, or as it stands in the file',
};

/**
 * The value that a text stands for. What is none of its kind stays text: the schema says what is wrong
 * with it.
 *
 * @param kind Lists and mappings are written as in the file, in YAML's flow style, which JSON is part of.
 */
export function readValue(text: string, kind: ValueKind): { value: unknown } | Unreadable {
  switch (kind) {
    case 'text':
      return { value: text };
    case 'role':
      return { value: [{ roleArn: text }] };
    case 'yes_or_no':
      return { value: text === 'true' ? true : text === 'false' ? false : text };
    case 'number': {
      const number = text.trim() === '' ? Number.NaN : Number(text);
      return { value: Number.isFinite(number) ? number : text };
    }
    case 'words':
      return text.trimStart().startsWith('[')
        ? readYaml(text, allowedAs.words)
        : { value: text.split(',').map((word) => word.trim()) };
    case 'list':
    case 'mapping':
      return readYaml(text, allowedAs[kind]);
  }
}

function readYaml(text: string, allowed: string): { value: unknown } | Unreadable {
  try {
    return { value: parse(text, { logLevel: 'error' }) };
  } catch (error) {
    const where = error instanceof YAMLParseError ? ` at character ${error.pos[0] + 1}` : '';
    return { value: `a text with a mistake${where}`, allowed };
  }
}
