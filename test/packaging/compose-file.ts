import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

const service = z.object({
  /** Absent where it is built: a name there would be asked of a registry first. */
  image: z.string().optional(),
  build: z.string().optional(),
  profiles: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
  restart: z.string().optional(),
  environment: z.record(z.string(), z.string().nullable()).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  depends_on: z
    .record(z.string(), z.object({ condition: z.string(), required: z.boolean().default(true) }))
    .default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  stop_grace_period: z.string().optional(),
  logging: z.object({ driver: z.string(), options: z.record(z.string(), z.string()) }).optional(),
  security_opt: z.array(z.string()).default([]),
});

const composeFile = z.object({
  services: z.object({ litellm: service, sidecar: service, mlflow: service }),
  volumes: z.record(z.string(), z.unknown()),
});

export type ComposeFile = z.infer<typeof composeFile>;
export type ComposeService = z.infer<typeof service>;

/** The compose file as it was written, for a schema to judge. */
export async function readComposeDocument(): Promise<unknown> {
  return parse(await readFile('docker-compose.yml', 'utf8'));
}

/** What the tests look at in it. Throws when it has another shape. */
export async function readComposeFile(): Promise<ComposeFile> {
  return composeFile.parse(await readComposeDocument());
}

/**
 * The words of a command with what only holds in a container (a path, a port) replaced. Throws when
 * one of them occurs in no word: then the command has changed, and the test no longer maps it.
 */
export function mapWords(words: readonly string[], replace: Record<string, string>): string[] {
  for (const from of Object.keys(replace)) {
    if (!words.some((word) => word.includes(from))) {
      throw new Error(`"${from}" is not in: ${words.join(' ')}`);
    }
  }
  return words.map((word) =>
    Object.entries(replace).reduce((text, [from, to]) => text.replaceAll(from, to), word),
  );
}
