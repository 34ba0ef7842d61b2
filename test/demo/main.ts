/** `npm run demo`: the whole way of a call, from a client of LiteLLM to a run in MLflow. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { say, styled } from './progress.ts';
import { runDemo } from './run-demo.ts';
import { createStack } from './stack.ts';

const help = `Starts MLflow, the sidecar and a LiteLLM Proxy with a fake model behind it on free ports of
127.0.0.1, sends about 60 calls of all kinds and shows what MLflow holds afterwards. The first time
it installs MLflow and LiteLLM into .cache (about two minutes). Its data is in a temporary folder.

  npm run demo                stays up until Ctrl-C, so that you can look around
  npm run demo -- --once      ends after the table
  npm run demo -- --help      this text
`;

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(help);
} else {
  process.exitCode = await main(values.once);
}

async function main(isOnce: boolean): Promise<number> {
  const stack = await createStack();
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(
    () => 'interrupted' as const,
  );
  const failed = (error: unknown) => ({ error });
  const partEnded = stack.partEnded.catch(failed);
  const demo = runDemo(stack).then(
    () => 'done' as const,
    // A call fails some moments before the end of the server behind it is known.
    (error: unknown) => Promise.race([partEnded, pause(500, { error })]),
  );

  let end = await Promise.race([demo, partEnded, interrupted]);
  const wasDone = end === 'done';
  if (wasDone && !isOnce) {
    say(styled('bold', 'All of it stays up until you press Ctrl-C.'));
    end = await Promise.race([partEnded, interrupted]);
  }
  if (typeof end === 'object') {
    say(`\n${styled('red', end.error instanceof Error ? end.error.message : String(end.error))}`);
    await stack.close({ keepData: true });
    say(`Nothing is left running; data and logs are kept in ${stack.dir}.`);
    return 1;
  }
  if (end === 'interrupted') {
    // A second Ctrl-C does not wait: what was started ends with this process in any case.
    process.once('SIGINT', () => process.exit(130));
    say('\nStopping ...');
  }
  await stack.close({ keepData: false });
  // What was still starting must not go on.
  if (!wasDone) process.exit(130);
  return 0;
}
