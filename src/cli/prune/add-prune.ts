import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseMoment } from '../since.ts';
import type { WhichTraces } from './prune-traces.ts';

interface PruneWords {
  olderThan: number;
  experiment?: string;
  traces?: true | WhichTraces;
  requestsPerSecond: number;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** No younger ones are deleted, in milliseconds: a slip of the keys shall not empty an experiment. */
const youngest = 86_400_000;

/** @throws InvalidArgumentError for a time that is not at least a day ago. */
function parseAge(text: string, now: number): number {
  const before = parseMoment(text, now);
  if (before <= now - youngest) return before;
  throw new InvalidArgumentError(`${text} is not at least a day ago`);
}

/** Adds `prune`. */
export function addPrune(program: Command, finish: (code: number) => void): void {
  program
    .command('prune')
    .description(
      'Delete the runs of old calls, and their traces: only those that the sidecar has made. Usage, the calls table and the archive stay. It can be interrupted at any time; run it again to go on. MLflow deletes runs softly: they are in no table any more, but its database and the artifacts keep their size until `mlflow gc`, which SageMaker does not offer.',
    )
    .requiredOption(
      '--older-than <time>',
      'of calls that began before: 90d, or a date; a day ago at least (required)',
      (text) => parseAge(text, Date.now()),
    )
    .option('--experiment <name>', 'in this experiment, in the place of that of the settings')
    .addOption(
      new Option(
        '--traces [which]',
        'traces, too: own ones by their tag, or all that are as old in the experiment, which is needed of MLflow 3.6 to 3.12; they are gone for good',
      )
        .choices(['own', 'all'])
        .preset('own'),
    )
    .option('--requests-per-second <rate>', 'how fast to ask MLflow at the most', parseRate, 2)
    .option('--dry-run', 'only count them')
    .option('--yes', 'do not ask first')
    .option('--json', 'print the result as JSON')
    .action(async (options: PruneWords) => {
      const { olderThan: before, experiment, requestsPerSecond } = options;
      const { traces, dryRun = false, yes = false, json = false } = options;
      const { prune } = await import('./prune.ts');
      finish(
        await prune(process.env, {
          ...{ before, requestsPerSecond, dryRun, yes, json },
          ...(experiment !== undefined && { experiment }),
          ...(traces !== undefined && { traces: traces === true ? 'own' : traces }),
        }),
      );
    });
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (rate >= 0.01 && rate <= 1_000) return rate;
  throw new InvalidArgumentError('It is a number from 0.01 to 1000.');
}
