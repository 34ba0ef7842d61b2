import { type Command, InvalidArgumentError } from 'commander';
import { linkRanges, parseLife } from './link-life.ts';

interface JsonOption {
  json?: boolean;
}

const jsonOption = ['--json', 'print the result as JSON'] as const;
const nameArgument = [
  '[name]',
  'a tracking server by its name, or an ARN; without it, what MLFLOW_TRACKING_URI or MLFLOW_TRACKING_SERVER_NAME names',
] as const;

/** Adds `server`: the tracking server or app of SageMaker that calls are recorded in, for its operator. */
export function addServer(program: Command, finish: (code: number) => void): void {
  const server = program
    .command('server')
    .description(
      "SageMaker's tracking server or app: start, stop and look at it, and open its pages. Needs config/iam/operator.json.",
    );
  addSwitches(server, finish);

  server
    .command('status')
    .argument(...nameArgument)
    .option(...jsonOption)
    .description('How it is, and what that means.')
    .action(async (name: string | undefined, { json = false }: JsonOption) => {
      const { serverStatus } = await import('./show-server.ts');
      finish(await serverStatus(process.env, name, json));
    });
  server
    .command('info')
    .argument(...nameArgument)
    .option(...jsonOption)
    .description(
      'What SageMaker tells of it: ARN, status, version, size, artifact store, maintenance, role; and at which rate this sidecar asks it.',
    )
    .action(async (name: string | undefined, { json = false }: JsonOption) => {
      const { serverInfo } = await import('./show-server.ts');
      finish(await serverInfo(process.env, name, json));
    });
  server
    .command('list')
    .option(...jsonOption)
    .description('The tracking servers and apps of the account in the region.')
    .action(async ({ json = false }: JsonOption) => {
      finish(await (await import('./list-servers.ts')).listServers(process.env, json));
    });
  addUrl(server, finish);
}

function addSwitches(server: Command, finish: (code: number) => void): void {
  for (const [verb, description, noWait] of [
    [
      'start',
      'Start a tracking server that is stopped, and stay until it serves. One that runs already is a success. Apps always run.',
      'return as soon as SageMaker has taken it on',
    ],
    [
      'stop',
      'Stop a tracking server, and stay until it is stopped. What is recorded stays; calls wait in the journal until it is started. Apps always run.',
      'return as soon as SageMaker has taken it on',
    ],
    [
      'restart',
      'Stop a tracking server, start it again, and stay until it serves. Apps always run.',
      'return when it has stopped and SageMaker has taken on the start',
    ],
  ] as const) {
    server
      .command(verb)
      .argument(...nameArgument)
      .description(`${description} Ctrl-C ends the waiting, not what SageMaker does.`)
      .option('--wait', 'stay until it is done (the default)')
      .option('--no-wait', noWait)
      .option(
        '--timeout <time>',
        'how long to stay at the most: 90s, 45m, 2h (default: 45m)',
        parseTimeout,
      )
      .option(...jsonOption)
      .action(async (name: string | undefined, options: SwitchWords) => {
        const { switchServer } = await import('./switch-server.ts');
        const { wait = true, timeout: timeoutMs = patience, json = false } = options;
        finish(await switchServer(process.env, verb, name, { wait, timeoutMs, json }));
      });
  }
}

interface SwitchWords extends JsonOption {
  wait?: boolean;
  timeout?: number;
}

/** How long a change is waited for, in milliseconds: a tracking server takes up to 25 minutes. */
const patience = 45 * 60_000;

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

function parseTimeout(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const ms = Number(count) * (unitMs[unit] ?? Number.NaN);
  if (ms > 0) return ms;
  throw new InvalidArgumentError('It is a time such as 90s, 45m or 2h.');
}

function addUrl(server: Command, finish: (code: number) => void): void {
  const [leastExpires, mostExpires] = linkRanges.expires;
  const [leastSession, mostSession] = linkRanges.session;
  server
    .command('url')
    .argument(...nameArgument)
    .description(
      "A link to MLflow's pages. It works once and for five minutes at most, and lets in whoever has it: treat it like a password. The session that it opens lasts 12 hours, unless --session says otherwise.",
    )
    .option(
      '--expires <time>',
      `for how long the link is good: ${leastExpires}s to ${mostExpires}s`,
      (text) => parseLife(text, 'expires'),
      mostExpires,
    )
    .option(
      '--session <time>',
      `how long the session lasts: ${leastSession}s (30m) to ${mostSession}s (12h)`,
      (text) => parseLife(text, 'session'),
      mostSession,
    )
    .option(
      '--open',
      'open it in the browser, and print it only where that fails; for a moment it is in the list of processes',
    )
    .option(...jsonOption)
    .action(async (name: string | undefined, options: UrlWords) => {
      const { expires, session, open = false, json = false } = options;
      const { linkToServer } = await import('./link-to-server.ts');
      finish(await linkToServer(process.env, name, { expires, session }, { open, json }));
    });
}

interface UrlWords extends JsonOption {
  expires: number;
  session: number;
  open?: boolean;
}
