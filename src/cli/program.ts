import { Command, CommanderError, Option } from 'commander';
import type { DeadLetterFilter } from '../journal/dead-letter.ts';
import type { ReplayRequest } from '../journal/journal.ts';
import { addDoctor } from './doctor/add-doctor.ts';
import { exitCodes } from './exit-codes.ts';
import { addLinks } from './links/add-links.ts';
import { addLitellm } from './litellm/add-litellm.ts';
import { addPrune } from './prune/add-prune.ts';
import { addServer } from './server/add-server.ts';
import { parseCount, parseMoment, parseSince } from './since.ts';
import { addTest } from './test/add-test.ts';
import { version } from './version.ts';

/**
 * Runs the command line. Each command's code is loaded when it is used.
 *
 * @param words The arguments after the program's name.
 * @returns The exit code.
 */
export async function runProgram(words: string[]): Promise<number> {
  let code: number = exitCodes.ok;
  const program = new Command('litellm-mlflow')
    .description('Records every call of a LiteLLM Proxy in MLflow.')
    .version(version())
    .exitOverride()
    .showHelpAfterError('(--help tells how it is used)')
    .addHelpText(
      'after',
      `
Settings come from config/sidecar.yaml, or the file that SIDECAR_CONFIG names, and from the environment,
which goes before the file: the daemon's own, so run it where the daemon runs.

Exit codes: 0 well, 1 it failed or found something wrong, 64 wrong usage, 78 wrong settings.`,
    );

  program
    .command('serve')
    .description('Take calls from LiteLLM and record them, until SIGTERM.')
    .action(async () => {
      code = await (await import('./serve.ts')).serve(process.env);
    });
  program
    .command('validate')
    .option(...jsonOption)
    .description('Check the settings, from the file and the environment, without starting.')
    .action(async ({ json = false }: JsonOption) => {
      code = (await import('./validate.ts')).validate(process.env, json);
    });
  program
    .command('status')
    .option(...jsonOption)
    .description('What has come, what became of it, and how the destinations are.')
    .action(async ({ json = false }: JsonOption) => {
      code = await (await import('./status.ts')).status(process.env, json);
    });
  program
    .command('verify')
    .option(...jsonOption)
    .description('Check that every call received is accounted for; exit 1 when one is not.')
    .action(async ({ json = false }: JsonOption) => {
      code = await (await import('./status.ts')).verify(process.env, json);
    });
  program
    .command('auth')
    .option(...jsonOption)
    .description('Say by which AWS credentials requests are signed, whose they are and until when.')
    .action(async ({ json = false }: JsonOption) => {
      code = await (await import('./auth.ts')).auth(process.env, json);
    });
  const finish = (result: number) => {
    code = result;
  };
  addDead(program, finish);
  addReplay(program, finish);
  addLitellm(program, finish);
  addTest(program, finish);
  addDoctor(program, finish);
  addServer(program, finish);
  addLinks(program, finish);
  addPrune(program, finish);

  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    throw error;
  }
}

interface JsonOption {
  json?: boolean;
}

const jsonOption = ['--json', 'print the result as JSON'] as const;

interface FilterOptions extends JsonOption {
  id?: number[];
  reason?: string;
  since?: number;
  model?: string;
  team?: string;
  all?: boolean;
}

function addDead(program: Command, finish: (code: number) => void): void {
  const dead = program
    .command('dead')
    .description('Calls, and parts of posts, that cannot be recorded.');
  const command = (name: string, description: string) =>
    dead
      .command(name)
      .description(description)
      .option('--reason <reason>', 'only those of this reason')
      .option('--since <time>', 'only those since then: 2h, 7d or a date', (text) =>
        parseSince(text, Date.now()),
      )
      .option('--model <name>', 'only calls of this model')
      .option('--team <name>', 'only calls of this team, by id or alias')
      .option(...jsonOption);

  command('list', 'Show them, the newest first.')
    .option('--limit <count>', 'how many at the most', parseCount, 100)
    .action(async (options: FilterOptions & { limit: number }) => {
      const { listDead } = await import('./dead.ts');
      finish(await listDead(process.env, filterOf(options), options.limit, options.json ?? false));
    });
  dead
    .command('show')
    .argument('<id>', 'its id, as "dead list" shows it', parseCount)
    .description('Show one with all that is kept of it, as JSON. It may hold prompts and answers.')
    .action(async (id: number) => {
      finish(await (await import('./dead.ts')).showDead(process.env, id));
    });
  for (const [name, description] of [
    ['requeue', 'Make dead calls pending again, to be tried anew.'],
    ['purge', 'Forget them and all that is kept of them.'],
  ] as const) {
    const one = command(name, description)
      .option('--id <id...>', 'only these ids', (text, before: number[] = []) => [
        ...before,
        parseCount(text),
      ])
      .option('--all', 'all of them')
      .action(async (options: FilterOptions) => {
        const filter = filterOf(options);
        const isEmpty = Object.values(filter).every((value) => value === undefined);
        if (isEmpty && options.all !== true) {
          one.error('error: say which ones: --id, --reason, --since, --model, --team or --all');
        }
        const { requeueDead, purgeDead } = await import('./dead.ts');
        const run = name === 'requeue' ? requeueDead : purgeDead;
        finish(await run(process.env, filter, options.json ?? false));
      });
  }
}

function addReplay(program: Command, finish: (code: number) => void): void {
  const replay = program
    .command('replay')
    .description(
      'Look after recorded calls again, as long as they are kept (journal.retain): a run that is complete is left alone, one that is not is completed, an absent one made.',
    )
    .option('--from <time>', 'only calls received since then: 2h, 7d or a date', (text) =>
      parseSince(text, Date.now()),
    )
    .option('--to <time>', 'only calls received before then', (text) =>
      parseMoment(text, Date.now()),
    )
    .option('--model <name>', 'only calls of this model')
    .option('--team <name>', 'only calls of this team, by id or alias')
    .addOption(new Option('--status <status>', 'only these').choices(['success', 'failure']))
    .option('--all', 'all that are kept')
    .option('--again', 'make a second run of each, whatever became of the first')
    .option(...jsonOption)
    .action(async (options: ReplayRequest & { all?: boolean } & JsonOption) => {
      const { json = false, all = false, again = false, ...filter } = options;
      if (Object.keys(filter).length === 0 && !all) {
        replay.error('error: say which ones: --from, --to, --model, --team, --status or --all');
      }
      finish(await (await import('./replay.ts')).replay(process.env, { ...filter, again }, json));
    });
}

function filterOf({ id, reason, since, model, team }: FilterOptions): DeadLetterFilter {
  return { ids: id, reason, since, model, team };
}
