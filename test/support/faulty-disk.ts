import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pythonEnv } from './python-env.ts';
import { runProgram } from './run-program.ts';

/** A rule of `faulty-disk.c`, for one of the journal's files. */
export type DiskRule =
  | `sync ${JournalFile} slow ${number}`
  | `sync ${JournalFile} fail`
  | `write ${JournalFile} fail`
  | `read ${JournalFile} fail ${number} ${number} ${number}`;
type JournalFile = 'journal.db' | 'journal.db-wal';

/** A disk that is slow or fails, under the journal of one process. */
export interface FaultyDisk {
  /** What the process's environment must have. */
  readonly env: Readonly<Record<string, string>>;
  /** How the disk is from now on; without rules it is sound. */
  become(...rules: DiskRule[]): Promise<void>;
  /** Once the process is killed: leaves of the files what had reached the disk. */
  cutPower(): Promise<void>;
}

/** A C compiler that comes as a Python package, for machines that have none. */
const compilerPins = ['ziglang==0.16.0'];

/**
 * Stands between a process and the files of its journal in `folder`. It is loaded into the process
 * (LD_PRELOAD), so that neither root nor a file system of its own is needed.
 *
 * @returns `undefined` on systems that load programs otherwise than Linux does.
 */
export async function faultyDisk(folder: string): Promise<FaultyDisk | undefined> {
  if (process.platform !== 'linux') return undefined;
  const rules = `${folder}.disk`;
  const files = join(resolve(folder), 'journal.db');
  await writeFile(rules, '');
  return {
    env: {
      LD_PRELOAD: await compiled(),
      FAULTY_DISK_FILES: files,
      FAULTY_DISK_RULES: resolve(rules),
    },
    become: async (...lines) => {
      // Read at each call: it is never half written.
      await writeFile(`${rules}.new`, lines.join('\n'));
      await rename(`${rules}.new`, rules);
    },
    cutPower: async () => {
      for (const file of [files, `${files}-wal`]) {
        if (existsSync(`${file}.durable`)) await copyFile(`${file}.durable`, file);
      }
    },
  };
}

/** The path of the library, compiled on first use and kept in the cache folder. */
async function compiled(): Promise<string> {
  const source = resolve('test/support/faulty-disk.c');
  const hash = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
    .slice(0, 8);
  const library = resolve('.cache', `faulty-disk-${hash}.so`);
  if (existsSync(library)) return library;
  await mkdir('.cache', { recursive: true });
  const unfinished = `${library}.${process.pid}`;
  const args = ['-shared', '-fPIC', '-O2', '-o', unfinished, source, '-ldl'];
  const [command = 'cc', ...before] = await compiler();
  const { code, output } = await runProgram(command, [...before, ...args], { withinMs: 120_000 });
  if (code !== 0) throw new Error(`${source} could not be compiled:\n${output}`);
  await rename(unfinished, library);
  return library;
}

async function compiler(): Promise<string[]> {
  if ((await runProgram('cc', ['--version'])).code === 0) return ['cc'];
  const { python } = await pythonEnv(compilerPins);
  return [python, '-m', 'ziglang', 'cc'];
}
