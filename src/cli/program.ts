import { Command, CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { version } from './version.ts';

/**
 * Runs the command line.
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
    .showHelpAfterError('(--help tells how it is used)');

  program
    .command('serve')
    .description('Take calls from LiteLLM and record them, until SIGTERM.')
    .action(async () => {
      const { serve } = await import('./serve.ts');
      code = await serve(process.env);
    });
  program
    .command('validate')
    .description('Check the settings, from the file and the environment, without starting.')
    .option('--json', 'print the result as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { validate } = await import('./validate.ts');
      code = validate(process.env, json);
    });

  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    throw error;
  }
}
