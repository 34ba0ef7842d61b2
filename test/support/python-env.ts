import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { withFileLock } from './file-lock.ts';
import { findPython, newestPython, type Python, pythonCommands } from './python-found.ts';
import { type ProgramResult, runProgram } from './run-program.ts';

/**
 * An MLflow server of one release with all that the tests let it work with, so that one environment
 * does for them all: a PostgreSQL driver, and what it reads artifacts on S3 with.
 */
export function mlflowPinsOf(release: string): readonly string[] {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  // Up to 3.4 at least they do not start with SQLAlchemy 2.1, which they do not exclude; 3.10 does.
  const isOld = major < 3 || (major === 3 && minor < 10);
  return [
    `mlflow==${release}`,
    ...(isOld ? ['sqlalchemy==2.0.58'] : []),
    ...['boto3==1.44.8', 'psycopg2-binary==2.9.13'],
  ];
}

/**
 * The newest Python, 3.x, that a release of MLflow can be installed on without a compiler: the newest
 * pyarrow that it takes (17, 20, 23) has wheels up to there.
 */
export function newestPythonOf(release: string): number {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  if (major < 3) return 12;
  return minor < 4 ? 13 : newestPython;
}

/** The servers that the tests run against. */
export const newestMlflow = '3.17.2';
export const mlflowPins = mlflowPinsOf(newestMlflow);
export const litellmPins: readonly string[] = ['litellm[proxy]==1.108.7'];

export interface PythonEnv {
  readonly dir: string;
  readonly python: string;
  /** The path of a program that the packages brought. */
  bin(program: string): string;
}

export interface PythonEnvOptions {
  /** One line of text for each step that takes long. */
  readonly progress?: (line: string) => void;
  /** `.cache` in the working directory unless told. */
  readonly cacheDir?: string;
  /** The newest Python, 3.x, that all of it can be installed on. */
  readonly upToPython?: number;
}

const minutes = 60_000;

/**
 * A virtual environment that holds these packages (`name==version`), made on first use and kept in
 * the cache folder. A marker, written last, says that it is whole; a file lock lets one process make
 * it while others wait. Throws with the installer's last lines, or with what has to be installed.
 */
export async function pythonEnv(
  pins: readonly string[],
  { progress = () => {}, cacheDir = '.cache', upToPython = newestPython }: PythonEnvOptions = {},
): Promise<PythonEnv> {
  const dir = join(resolve(cacheDir), envName(pins));
  const env: PythonEnv = {
    dir,
    python: join(dir, 'bin', 'python'),
    bin: (program) => join(dir, 'bin', program),
  };
  if (await isWhole(env, pins)) return env;

  await mkdir(cacheDir, { recursive: true });
  const name = pins[0]?.replace('==', ' ');
  const onWait = () => progress(`waiting for another process that installs ${name}`);
  await withFileLock(
    `${dir}.lock`,
    20 * minutes,
    async () => {
      if (await isWhole(env, pins)) return;
      progress(`installing ${name} (about a minute)`);
      const python = await findPython(upToPython);
      await rm(dir, { recursive: true, force: true });
      await install(env, pins, python);
      await writeFile(`${dir}.new`, marker(env, pins));
      await rename(`${dir}.new`, join(dir, 'whole'));
    },
    onWait,
  );
  return env;
}

/** `venv-mlflow-3.17.2`; more than one package adds a short hash of all. */
function envName(pins: readonly string[]): string {
  const first = (pins[0] ?? 'empty').replaceAll(/[^\w.]+/g, '-');
  if (pins.length < 2) return `venv-${first}`;
  const hash = createHash('sha256').update(pins.join(' ')).digest('hex').slice(0, 8);
  return `venv-${first}-${hash}`;
}

/** The folder is part of it: an environment that was moved no longer runs. */
function marker(env: PythonEnv, pins: readonly string[]): string {
  return `${env.dir}\n${pins.join('\n')}\n`;
}

async function isWhole(env: PythonEnv, pins: readonly string[]): Promise<boolean> {
  try {
    await access(env.python);
    return (await readFile(join(env.dir, 'whole'), 'utf8')) === marker(env, pins);
  } catch {
    return false;
  }
}

/**
 * Debian ships Python without `ensurepip` unless python3-venv is installed. Then an environment
 * without pip is filled from outside, by the pip of any Python on the path or by uv.
 */
async function install(env: PythonEnv, pins: readonly string[], python: Python): Promise<void> {
  const own = await runProgram(python.command, ['-m', 'venv', env.dir], { withinMs: 2 * minutes });
  if (own.code === 0) {
    return expectInstalled(pins, await run(env.python, ['-m', 'pip', ...pipInstall(pins)]));
  }
  await rm(env.dir, { recursive: true, force: true });
  const bare = await runProgram(python.command, ['-m', 'venv', '--without-pip', env.dir]);
  if (bare.code !== 0) {
    throw new Error(`${python.command} cannot make a virtual environment:\n${lastLines(bare)}`);
  }
  for (const command of pythonCommands()) {
    // Only pip from 22.3 on knows --python.
    const pip = ['-m', 'pip', '--python', env.python];
    if ((await runProgram(command, [...pip, '--version'])).code !== 0) continue;
    return expectInstalled(pins, await run(command, [...pip, ...pipInstall(pins)]));
  }
  if ((await runProgram('uv', ['--version'])).code === 0) {
    const args = ['pip', 'install', '--quiet', '--python', env.python, ...pins];
    return expectInstalled(pins, await run('uv', args));
  }
  throw new Error(
    `${python.command} (${python.version}) has neither ensurepip nor pip, and there is no uv on ` +
      'the PATH, so nothing can install Python packages here. Any one of the three is enough; on ' +
      'Debian and Ubuntu: apt-get install python3-venv.',
  );
}

function pipInstall(pins: readonly string[]): string[] {
  return ['install', '--quiet', '--no-input', '--disable-pip-version-check', ...pins];
}

function run(command: string, args: readonly string[]): Promise<ProgramResult> {
  // A user's own setting of PIP_USER would install past the environment.
  const env = { ...process.env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0', PIP_TARGET: undefined };
  return runProgram(command, args, { withinMs: 15 * minutes, env });
}

function expectInstalled(pins: readonly string[], result: ProgramResult): void {
  if (result.code === 0) return;
  throw new Error(`Installing ${pins.join(' ')} failed:\n${lastLines(result)}`);
}

function lastLines({ output }: ProgramResult): string {
  return output.trim().split('\n').slice(-15).join('\n');
}
