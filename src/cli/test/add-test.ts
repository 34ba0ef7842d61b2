import type { Command } from 'commander';
import { parseCount } from '../since.ts';

interface Options {
  throughLitellm?: boolean;
  litellmUrl: string;
  litellmKey?: string;
  model?: string;
  sidecarUrl?: string;
  timeout: number;
  json?: boolean;
}

/** `test` and `test --through-litellm`. */
export function addTest(program: Command, finish: (code: number) => void): void {
  program
    .command('test')
    .description(
      'Send a made-up call through the running sidecar the whole way to MLflow and read it back, step by step with times. It has the request tag sidecar-test.',
    )
    .option('--through-litellm', 'send a real request to LiteLLM instead; it costs what it costs')
    .option('--litellm-url <url>', 'where LiteLLM is', 'http://127.0.0.1:4000')
    .option(
      '--litellm-key <key>',
      'its key; else LITELLM_MASTER_KEY, which no list of processes shows',
    )
    .option('--model <name>', 'which model to ask; else the first that the key may use')
    .option('--sidecar-url <url>', 'where the sidecar is; else where its settings say')
    .option('--timeout <seconds>', 'how long the run may take to come', parseCount, 60)
    .option('--json', 'print the result as JSON')
    .action(async (options: Options) => {
      const { throughLitellm = false, timeout, json = false, ...more } = options;
      const all = { ...more, timeoutMs: timeout * 1_000, json };
      finish(
        throughLitellm
          ? await (await import('./test-litellm.ts')).testThroughLitellm(process.env, all)
          : await (await import('./test-call.ts')).testCall(process.env, all),
      );
    });
}
