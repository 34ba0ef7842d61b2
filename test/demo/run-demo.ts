import { mlflowReader } from '../support/mlflow-reader.ts';
import { waitUntil } from '../support/wait-until.ts';
import { demoRounds, runLoad } from './load.ts';
import { bar, progressLine, say, styled } from './progress.ts';
import { reportBy } from './report.ts';
import { DemoFailure, type Stack } from './stack.ts';

const experiment = '/litellm-monitoring';

/** Starts the stack, sends the load, shows the tables and the links. Throws a `DemoFailure`. */
export async function runDemo(stack: Stack): Promise<void> {
  say(styled('bold', 'Starting'));
  await step('Installing MLflow and LiteLLM', () => stack.environments((line) => say(`  ${line}`)));
  const mlflow = await started('MLflow', () => stack.mlflow());
  const sidecar = await started('the sidecar', () => stack.sidecar(mlflow.url));
  const litellm = await started('LiteLLM', () => stack.litellm(sidecar.eventsUrl));

  const rounds = demoRounds();
  const calls = rounds.flat();
  const logged = calls.reduce((sum, { events }) => sum + events, 0);
  say();
  say(styled('bold', `Sending ${calls.length} calls`));
  const line = progressLine();
  let answered = 0;
  let recorded = 0;
  const show = () =>
    line.show(
      `${bar(recorded, logged)} ${answered} of ${calls.length} calls answered, ` +
        `${recorded} of ${logged} logs recorded in MLflow`,
    );
  const load = step(
    'Sending calls',
    async () => {
      await runLoad(litellm.url, rounds, (count) => {
        answered = count;
        show();
      });
    },
    litellm,
  );
  const recording = step(
    'Recording in MLflow',
    async () => {
      const look = async () => {
        recorded = (await sidecar.metrics())['litellm_mlflow_calls_recorded_total'] ?? 0;
        show();
        return (answered === calls.length && recorded >= logged) || undefined;
      };
      await waitUntil(look, { what: `${logged} recorded calls`, withinMs: 120_000, everyMs: 250 });
      await sidecar.drained();
    },
    { name: 'the sidecar', tail: sidecar.tail },
  );
  await Promise.all([load, recording]);
  line.end();

  await step(
    'Reading MLflow',
    async () => {
      const reader = mlflowReader(mlflow.url);
      const runs = await reader.runs(experiment);
      const id = (await reader.experiment(experiment))?.id ?? '';
      say();
      say(styled('bold', `What MLflow holds now: ${runs.length} runs in ${experiment}`));
      say();
      say(reportBy('model', ['model_group', 'model'], runs));
      say();
      say(reportBy('team', ['team_alias'], runs));
      say();
      say(
        `${logged} logs for ${calls.length} calls: where a retry or a fallback made a failed attempt ` +
          'good, LiteLLM logs both.',
      );
      const example = runs.find(({ tags }) => tags['error_type'] === 'rate_limit') ?? runs[0];
      const link = (name: string, url: string) =>
        say(`  ${name.padEnd(22)} ${styled('cyan', url)}`);
      say();
      say(styled('bold', 'Have a look'));
      const allRuns = `${mlflow.url}/#/experiments/${id}/runs`;
      link('all runs', allRuns);
      link('one run', `${allRuns}/${example?.runId}`);
      link('the sidecar', `${sidecar.url}/healthz`);
      link('its metrics', `${sidecar.url}/metrics`);
      link('LiteLLM (key sk-ada)', litellm.url);
      say();
    },
    mlflow,
  );
}

async function started<T>(name: string, start: () => Promise<T>): Promise<T> {
  const since = performance.now();
  const part = await step(`Starting ${name}`, start);
  say(`  ${name} is up (${((performance.now() - since) / 1000).toFixed(1)} s)`);
  return part;
}

/** Names what failed; where the error does not bring the end of a log, that of `part` is added. */
async function step<T>(
  what: string,
  work: () => Promise<T>,
  part?: { readonly name: string; tail(lines?: number): string },
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const tail = part === undefined ? '' : `\n--- end of the log of ${part.name}\n${part.tail(20)}`;
    throw new DemoFailure(`${what} failed: ${reason}${tail}`);
  }
}
