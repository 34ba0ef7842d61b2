import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The bodies that a real LiteLLM posted, as JSON files, and some byte for byte as `.raw`. */
export const fixtureFolder = join(import.meta.dirname, '../fixtures/litellm');

/** A body that LiteLLM posted, from `test/fixtures/litellm`. */
export function fixtureBody(file: string): Buffer {
  return readFileSync(join(fixtureFolder, file));
}

/** The calls of such a body that is plain JSON, read without the program's own parser. */
export function fixtureEvents(file: string): Record<string, unknown>[] {
  const parsed: Record<string, unknown> | Record<string, unknown>[] = JSON.parse(
    fixtureBody(file).toString('utf8'),
  );
  return Array.isArray(parsed) ? parsed : [parsed];
}
