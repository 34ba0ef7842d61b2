import { runProgram } from './run-program.ts';

/** What MLflow 3.17.2 (from 3.10) and LiteLLM 1.108.7 (from 3.10, below 3.15) say they need. */
const oldest = 10;
export const newestPython = 14;

export interface Python {
  readonly command: string;
  /** `3.11.7` */
  readonly version: string;
}

/**
 * The first Python among `python3` and `python3.14` … `python3.10` on the path that the servers of
 * the tests can run on, of those up to 3.`upTo`. Throws with what was found instead.
 */
export async function findPython(upTo = newestPython): Promise<Python> {
  const unfit: string[] = [];
  for (const command of pythonCommands()) {
    const { code, output } = await runProgram(command, [
      '-c',
      'import platform; print(platform.python_version())',
    ]);
    if (code !== 0) continue;
    const version = output.trim();
    const [major, minor] = version.split('.').map(Number);
    if (major === 3 && minor !== undefined && minor >= oldest && minor <= upTo) {
      return { command, version };
    }
    unfit.push(`${command} is ${version}`);
  }
  throw new Error(
    `The tests and the demo need Python 3.${oldest} to 3.${upTo} on the PATH ` +
      `(MLflow and LiteLLM do); ${unfit.length === 0 ? 'there is no python3' : unfit.join(', ')}.`,
  );
}

/** The names under which a Python may stand on the path, the preferred one first. */
export function pythonCommands(): string[] {
  const commands = ['python3'];
  for (let minor = newestPython; minor >= oldest; minor -= 1) commands.push(`python3.${minor}`);
  return commands;
}
