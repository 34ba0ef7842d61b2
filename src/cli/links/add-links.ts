import type { Command } from 'commander';
import { parseSince } from '../since.ts';

/** Adds `links`. */
export function addLinks(program: Command, finish: (code: number) => void): void {
  program
    .command('links')
    .description(
      'MLflow\'s pages for who spends what, what fails and what got slow, with the times filled in. Of SageMaker it gives what to put behind the host of "server url".',
    )
    .option('--since <time>', 'from when on: 30m, 2h, 7d or a date (default: 1h)', (text) =>
      parseSince(text, Date.now()),
    )
    .option(
      '--columns',
      "let the pages show what they are about: keeps three views in the calls' experiment, by tags (SetExperimentTag)",
    )
    .option('--json', 'print the result as JSON')
    .action(async (options: { since?: number; columns?: boolean; json?: boolean }) => {
      const until = Date.now();
      const { since = parseSince('1h', until), columns = false, json = false } = options;
      const { links } = await import('./links.ts');
      finish(await links(process.env, { since, until, columns, json }));
    });
}
