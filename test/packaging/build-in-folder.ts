import { cp, mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { runProgram } from '../support/run-program.ts';
import {
  copyOf,
  environmentOf,
  execForm,
  healthCommand,
  lastOf,
  type Stage,
} from './dockerfile.ts';

export interface BuiltFolder {
  /** Where the image's working directory came to lie. */
  readonly dir: string;
  /** What ENV sets, with the paths of its volumes mapped, and a PATH that leads to its programs first. */
  readonly env: Record<string, string>;
  readonly command: readonly string[];
  readonly healthCommand: readonly string[];
}

/**
 * Does what a Dockerfile says without Docker: each stage gets a folder below `root` that stands for
 * its file system, COPY copies into it, RUN runs in it with what ENV has set so far. The base image
 * is this machine with `nodeDir` first on the path. Ownership is left out: only root can give it
 * away. Throws at the first RUN that fails, with its output.
 */
export async function buildInFolder(
  stages: readonly Stage[],
  root: string,
  nodeDir: string,
): Promise<BuiltFolder> {
  const folders = new Map<string | undefined, string>();
  let built: BuiltFolder | undefined;
  for (const [number, stage] of stages.entries()) {
    const folder = join(root, stage.name ?? `stage-${number}`);
    folders.set(stage.name, folder);
    built = await buildStage(stage, folder, folders, nodeDir, number === stages.length - 1);
  }
  if (built === undefined) throw new Error('The Dockerfile has no stage.');
  return built;
}

async function buildStage(
  stage: Stage,
  root: string,
  folders: ReadonlyMap<string | undefined, string>,
  nodeDir: string,
  isLast: boolean,
): Promise<BuiltFolder> {
  const volumes = stage.instructions
    .filter(({ name }) => name === 'VOLUME')
    .map(({ text }) => text);
  const mapped = (text: string) =>
    volumes.reduce((result, path) => result.replaceAll(path, join(root, path)), text);
  for (const path of volumes) await mkdir(dirname(join(root, path)), { recursive: true });
  const programs = join(root, 'usr/local/bin');
  await mkdir(programs, { recursive: true });
  const base = baseEnvironment(`${programs}:${nodeDir}`);

  const env = Object.fromEntries(
    Object.entries(environmentOf(stage)).map(([name, value]) => [name, mapped(value)]),
  );
  let dir = root;
  for (const { name, text } of stage.instructions) {
    if (name === 'WORKDIR') {
      dir = join(root, text);
      await mkdir(dir, { recursive: true });
    } else if (name === 'COPY') {
      const { from, sources, target } = copyOf(text);
      const start = from === undefined ? '.' : folders.get(from);
      if (start === undefined) throw new Error(`COPY from a stage that is not there: ${text}`);
      for (const source of sources) await copy(join(start, source), join(dir, target), target);
    } else if (name === 'RUN') {
      const command = `chown() { :; }; cd '${dir}' && ${inFolder(text, root)}`;
      const result = await runProgram('/bin/sh', ['-euc', command], {
        env: { ...base, ...env },
        withinMs: 300_000,
      });
      if (result.code !== 0) throw new Error(`RUN ${text}\n${result.output}`);
    }
  }
  return {
    dir,
    env: { ...base, ...env },
    command: isLast ? execForm(lastOf(stage, 'CMD')) : [],
    healthCommand: isLast ? healthCommand(stage) : [],
  };
}

/** A command with its absolute paths mapped, so that none of them means this machine. */
function inFolder(command: string, root: string): string {
  return command.replaceAll(/(?<=^|[\s='"])\/[\w./-]+/g, (path) => join(root, path));
}

/** A folder's content goes to the target; a file too, or into it where it ends with a slash. */
async function copy(source: string, target: string, written: string): Promise<void> {
  const isFolder = (await stat(source)).isDirectory();
  const to = !isFolder && written.endsWith('/') ? join(target, basename(source)) : target;
  await cp(source, to, { recursive: true, verbatimSymlinks: true });
}

/**
 * This machine's environment (a proxy, a certificate, npm's registry and cache) without what would
 * change how the folder behaves: npm hands down which package it works for, and Node which mode.
 */
function baseEnvironment(programs: string): Record<string, string> {
  const leftOut =
    /^(npm_(package|lifecycle)_.*|npm_(command|config_(local_prefix|omit|include))|INIT_CWD|NODE_(ENV|OPTIONS|TEST_CONTEXT|COMPILE_CACHE)|(SIDECAR|MLFLOW)_.*)$/;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !leftOut.test(name)) env[name] = value;
  }
  return { ...env, PATH: `${programs}:${process.env['PATH'] ?? ''}` };
}
