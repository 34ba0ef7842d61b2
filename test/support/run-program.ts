import { spawn } from 'node:child_process';
import { guardGroup, signalGroup } from './process-group.ts';

export interface ProgramResult {
  /** 0 where it went well; `undefined` when there is no such program or it was ended after the bound. */
  readonly code: number | undefined;
  /** Both its outputs. */
  readonly output: string;
}

/** Runs a program to its end, at most `withinMs`; that it fails is a result, not an error. */
export function runProgram(
  command: string,
  args: readonly string[],
  { withinMs = 60_000, env = process.env }: { withinMs?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const callOffGuard = child.pid === undefined ? () => {} : guardGroup(child.pid);
    const timer = setTimeout(() => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    }, withinMs);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const finish = (code: number | undefined) => {
      clearTimeout(timer);
      callOffGuard();
      resolve({ code, output });
    };
    child.once('error', (error) => {
      output += error.message;
      finish(undefined);
    });
    child.once('close', (code) => finish(code ?? undefined));
  });
}
