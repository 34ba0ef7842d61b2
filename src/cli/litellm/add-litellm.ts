import type { Command } from 'commander';
import type { ComposeVerb } from './compose.ts';

const verbs: readonly (readonly [ComposeVerb, string])[] = [
  ['start', 'Start LiteLLM and the sidecar with Docker Compose, and wait until both answer.'],
  ['stop', 'Stop LiteLLM; the sidecar goes on recording what it was sent.'],
  ['restart', 'Start LiteLLM anew, as after a change of its configuration.'],
  ['logs', 'Show what LiteLLM and the sidecar say, until Ctrl-C.'],
];

/** `litellm configure | start | stop | restart | logs`. */
export function addLitellm(program: Command, finish: (code: number) => void): void {
  const litellm = program
    .command('litellm')
    .description("LiteLLM's side: its configuration, and its service of the compose file.");
  litellm
    .command('configure')
    .argument('<file>', "LiteLLM's configuration, such as config/litellm.yaml")
    .description(
      'Put the callback, retries, correlation ids and caching (litellm in config/sidecar.yaml) into it. Shows the change and asks first; keeps a copy, and every other line as it is.',
    )
    .option('--yes', 'do not ask')
    .option('--check', 'change nothing; exit 1 when something is wrong, for CI')
    .option('--json', 'print the result as JSON; with --yes or --check')
    .action(async (file: string, options: { yes?: boolean; check?: boolean; json?: boolean }) => {
      const [{ configure }, { ownTerminal }] = await Promise.all([
        import('./configure.ts'),
        import('./terminal.ts'),
      ]);
      const { yes = false, check = false, json = false } = options;
      finish(await configure(process.env, file, { yes, check, json }, ownTerminal));
    });
  for (const [verb, description] of verbs) {
    litellm
      .command(verb)
      .description(description)
      .option('--file <file>', 'the compose file, if not the one of this folder')
      .action(async ({ file }: { file?: string }) => {
        finish(await (await import('./compose.ts')).compose(verb, file));
      });
  }
}
