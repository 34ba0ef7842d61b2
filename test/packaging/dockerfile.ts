import { readFile } from 'node:fs/promises';
import { z } from 'zod';

export interface Instruction {
  /** `RUN`, `COPY` */
  readonly name: string;
  /** What follows the name, with continued lines joined. */
  readonly text: string;
}

export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The stages of the Dockerfile in the working directory. */
export async function readDockerfile(): Promise<Stage[]> {
  return parseDockerfile(await readFile('Dockerfile', 'utf8'));
}

/** Knows comments, continued lines and `FROM … AS …`; not heredocs, which throw. */
export function parseDockerfile(text: string): Stage[] {
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of joinLines(text)) {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (rest.includes('<<')) throw new Error(`A heredoc is not understood here: ${line}`);
    if (name.toUpperCase() === 'FROM') {
      const [, base = '', stage] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(rest) ?? [];
      stages.push({ base, name: stage, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined || name === '') throw new Error(`Not an instruction: ${line}`);
    stage.instructions.push({ name: name.toUpperCase(), text: rest });
  }
  return stages;
}

function joinLines(text: string): string[] {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  return lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '');
}

/** The text of an instruction's last occurrence, which is the one that counts. Throws when there is none. */
export function lastOf(stage: Stage, name: string): string {
  const found = stage.instructions.findLast((instruction) => instruction.name === name);
  if (found === undefined) throw new Error(`There is no ${name} in the stage from ${stage.base}.`);
  return found.text;
}

/** The words of a command in exec form: a JSON array. Throws for shell form. */
export function execForm(text: string): string[] {
  return z.array(z.string()).min(1).parse(JSON.parse(text));
}

/** The command of a HEALTHCHECK in exec form, without its options. */
export function healthCommand(stage: Stage): string[] {
  return execForm(lastOf(stage, 'HEALTHCHECK').replace(/^.*?\bCMD /, ''));
}

/** `NAME=value` pairs of every ENV so far; quotes are taken off, other variables not replaced. */
export function environmentOf(stage: Stage): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { name, text } of stage.instructions) {
    if (name !== 'ENV') continue;
    for (const [, key = '', quoted, bare] of text.matchAll(/(\w+)=(?:"([^"]*)"|(\S*))/g)) {
      env[key] = quoted ?? bare ?? '';
    }
  }
  return env;
}

export interface Copy {
  /** The stage it comes from; without one, from the folder that is built. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

/** A COPY's parts. Throws for an option other than `--from`. */
export function copyOf(text: string): Copy {
  const words = text.split(' ');
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const target = words.pop();
  if (target === undefined || words.length === 0 || words.some((word) => word.startsWith('--'))) {
    throw new Error(`Not understood: COPY ${text}`);
  }
  return { from, sources: words, target };
}
