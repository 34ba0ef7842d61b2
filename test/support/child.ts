import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { guardGroup, signalGroup } from './process-group.ts';
import { answers, waitUntil } from './wait-until.ts';

export interface ChildOptions {
  /** What people call the program, for messages: `MLflow`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited beside it. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Whom it runs as, user and group alike; only root can choose. */
  readonly uid?: number | undefined;
  /** Both outputs are appended here. */
  readonly logFile: string;
  /** When it counts as started: a URL that answers 200, or a line of its output. */
  readonly ready?: { readonly url: string } | { readonly line: RegExp };
  /** Milliseconds until it has to be ready. */
  readonly readyWithinMs?: number;
  /** What `stop` sends, SIGTERM unless told. */
  readonly stopSignal?: NodeJS.Signals;
  /** Milliseconds from that to SIGKILL in `stop`. */
  readonly stopWithinMs?: number;
  /** Told when it ends after it was ready, without `stop` or `kill`. */
  readonly onUnexpectedEnd?: ((error: ChildError) => void) | undefined;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** The last lines of its output, 40 unless told, at most 200. */
  tail(lines?: number): string;
  /** SIGTERM or `stopSignal`, SIGKILL after a while; then whatever is left of its process group is killed. */
  stop(): Promise<Exit>;
  /** SIGKILL to its process group. */
  kill(): Promise<Exit>;
  readonly exited: Promise<Exit>;
}

/** A program that did not start, or ended before it was ready; holds the end of its log. */
export class ChildError extends Error {
  readonly code = 'CHILD_FAILED';
  readonly childName: string;
  readonly logFile: string;

  constructor(message: string, childName: string, logFile: string, tail: string) {
    super(`${message}\n--- end of ${logFile}\n${tail}\n---`);
    this.childName = childName;
    this.logFile = logFile;
  }
}

const keptLines = 200;

/**
 * Starts a program in a process group of its own and waits until it is ready. Throws a `ChildError`
 * when it ends before that or takes too long; it does not outlive this process in any case.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, logFile, readyWithinMs = 60_000, stopWithinMs = 10_000 } = options;
  const child = spawn(options.command, [...options.args], {
    env: options.env,
    cwd: options.cwd,
    uid: options.uid,
    gid: options.uid,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = keepOutput(child, logFile);
  const tail = (count = 40) => lines.slice(-count).join('\n');
  const fail = (what: string) => new ChildError(`${name} ${what}.`, name, logFile, tail());

  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const pid = child.pid;
  if (pid === undefined) {
    const error = await new Promise<Error>((resolve) => child.once('error', resolve));
    throw fail(`could not be started (${error.message})`);
  }
  const callOffGuard = guardGroup(pid);
  let ended: Exit | undefined;
  child.once('exit', (code, signal) => {
    ended = { code, signal };
    // What it started may live on, and hold its output open.
    signalGroup(pid, 'SIGKILL');
    callOffGuard();
  });

  let isEndWanted = false;
  const end = async (signal: NodeJS.Signals): Promise<Exit> => {
    isEndWanted = true;
    if (ended === undefined) child.kill(signal);
    if (ended === undefined && signal === 'SIGKILL') signalGroup(pid, signal);
    const timer = setTimeout(() => {
      if (ended === undefined) signalGroup(pid, 'SIGKILL');
    }, stopWithinMs);
    const exit = await exited;
    clearTimeout(timer);
    return exit;
  };

  const { ready } = options;
  if (ready !== undefined) {
    const look = async () => {
      if (ended !== undefined) {
        throw fail(`ended before it was ready (${describe(ended)})`);
      }
      const isReady =
        'url' in ready ? await answers(ready.url) : lines.some((line) => ready.line.test(line));
      return isReady || undefined;
    };
    try {
      await waitUntil(look, { what: name, withinMs: readyWithinMs, everyMs: 100 });
    } catch (error) {
      await end('SIGKILL');
      if (error instanceof ChildError) throw error;
      throw fail(`was not ready within ${readyWithinMs / 1000} s`);
    }
  }
  void exited.then((exit) => {
    if (!isEndWanted) options.onUnexpectedEnd?.(fail(`ended by itself (${describe(exit)})`));
  });
  return {
    name,
    pid,
    logFile,
    tail,
    exited,
    stop: () => end(options.stopSignal ?? 'SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

function describe({ code, signal }: Exit): string {
  return signal ?? `exit code ${code}`;
}

/** Appends both outputs to the log file; the returned array always holds their last lines. */
function keepOutput(child: ChildProcess, logFile: string): string[] {
  const log = createWriteStream(logFile, { flags: 'a' });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log.write(text);
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      lines.splice(0, lines.length - keptLines);
    });
    stream?.on('end', () => {
      if (rest !== '') lines.push(rest);
    });
  }
  child.once('close', () => log.end());
  return lines;
}
