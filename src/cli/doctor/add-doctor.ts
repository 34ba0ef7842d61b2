import type { Command } from 'commander';

/** `doctor`. */
export function addDoctor(program: Command, finish: (code: number) => void): void {
  program
    .command('doctor')
    .description(
      'Look at all that the sidecar needs: settings, disk, credentials, network, clock, each permission (tried so that nothing changes), MLflow, its store, runs so far. Exit 1 when something fails.',
    )
    .option('--litellm-config <file>', "look at LiteLLM's configuration, too")
    .option(
      '--write',
      'put a tiny object where artifacts go in S3, under their own prefix; it stays there',
    )
    .option('--json', 'print the result as JSON')
    .action(async (options: { litellmConfig?: string; write?: boolean; json?: boolean }) => {
      const { write = false, json = false, ...more } = options;
      finish(await (await import('./doctor.ts')).doctor(process.env, { ...more, write, json }));
    });
}
