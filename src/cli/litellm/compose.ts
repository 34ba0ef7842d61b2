import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { exitCodes } from '../exit-codes.ts';
import { printError } from '../print.ts';

export type ComposeVerb = 'start' | 'stop' | 'restart' | 'logs';

/**
 * What each verb is to `docker compose`. The service LiteLLM brings the sidecar up with it; stopping and
 * starting anew are its own alone, so that the sidecar goes on taking what was posted.
 */
const commands: Readonly<Record<ComposeVerb, readonly string[]>> = {
  start: ['up', '--detach', '--wait', 'litellm'],
  stop: ['stop', 'litellm'],
  restart: ['restart', 'litellm'],
  logs: ['logs', '--follow', '--tail', '200', 'litellm', 'sidecar'],
};

/** The names by which Compose finds its file. */
const composeFiles = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

/** `litellm start | stop | restart | logs`: the service of the compose file; its output is Docker's. */
export async function compose(verb: ComposeVerb, file: string | undefined): Promise<number> {
  const place = file ?? composeFiles.find((name) => existsSync(name));
  if (place === undefined || !existsSync(place)) {
    printError(
      `There is no ${place ?? 'compose file'} here: run this in a checkout of litellm-mlflow-sidecar, or name the file by --file.`,
    );
    return exitCodes.failure;
  }
  const compose = await run(['compose', 'version'], 'ignore');
  if (compose !== 0) {
    const lacks = compose === undefined ? 'There is no Docker here' : 'Docker has no Compose here';
    printError(`${lacks} (https://docs.docker.com/compose/install). ${withoutDocker[verb]}`);
    return exitCodes.failure;
  }
  const ended = await run(['compose', '--file', place, ...commands[verb]], 'inherit');
  if (ended === 0 || (verb === 'logs' && ended === 'SIGINT')) return exitCodes.ok;
  const said = typeof ended === 'number' ? `exit code ${ended}` : ended;
  printError(`docker compose ended with ${said}; what it said is above.`);
  return exitCodes.failure;
}

/** Runs Docker to its end: its exit code or signal, `undefined` where there is none. */
async function run(
  words: readonly string[],
  stdio: 'ignore' | 'inherit',
): Promise<number | string | undefined> {
  const child = spawn('docker', [...words], { stdio });
  return new Promise((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('close', (code, signal) => resolve(code ?? signal ?? undefined));
  });
}

/** What does the same where LiteLLM runs by itself. */
const withoutDocker: Readonly<Record<ComposeVerb, string>> = {
  start:
    'Start LiteLLM by itself: SIDECAR_EVENTS_URL=http://127.0.0.1:4100/v1/events SIDECAR_AUTH_TOKEN=TOKEN litellm --config config/litellm.yaml',
  stop: 'End LiteLLM where it was started, with Ctrl-C or SIGTERM; it loses the calls of its last second or five (DEFAULT_FLUSH_INTERVAL_SECONDS).',
  restart:
    'End LiteLLM where it was started, with Ctrl-C or SIGTERM, and start it again: litellm --config config/litellm.yaml',
  logs: 'LiteLLM writes to where it was started; of systemd: journalctl --follow --unit litellm',
};
