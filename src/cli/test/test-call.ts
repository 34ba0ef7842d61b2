import { randomUUID } from 'node:crypto';
import { experimentNaming } from '../../admit/experiment-name.ts';
import { systemClock } from '../../deliver/clock.ts';
import { member } from '../../mlflow/json-answer.ts';
import { recordIdTag } from '../../record/run-plan.ts';
import { traceIdsOf } from '../../record/trace/trace-ids.ts';
import type { Environment } from '../../settings/environment.ts';
import { exitCodes } from '../exit-codes.ts';
import { fail } from '../fail.ts';
import { outcomeWords } from '../outcome-words.ts';
import { type OpenMlflow, withMlflow } from '../with-mlflow.ts';
import { compare, runPage, waitForRun, waitForTrace } from './arrival.ts';
import { type MadeCall, makeCall } from './made-call.ts';
import { createRunReader } from './read-run.ts';
import {
  askDaemon,
  askJson,
  type DaemonReport,
  isServerUrl,
  serverUrlWords,
  sidecarUrl,
} from './sidecar-link.ts';
import { createSteps, StepError, type Steps } from './steps.ts';

export interface TestOptions {
  /** Where the sidecar is, if not where its settings say. */
  sidecarUrl?: string;
  /** Milliseconds that the run may take to come. */
  timeoutMs: number;
  json: boolean;
}

/** `test`: a made call goes through the receiver the whole way to MLflow, and is read back. */
export function testCall(environment: Environment, options: TestOptions): Promise<number> {
  return withSteps(environment, options, async (mlflow, steps, url) => {
    const daemon = await findDaemon(steps, url);
    const made = makeCall(randomUUID(), Date.now());
    await post(steps, `${url}/v1/events`, made, mlflow.settings.server.authToken);
    if (daemon.runs === 'off') await checkWithoutRun(steps, mlflow, daemon, made, options);
    else await checkRun(steps, mlflow, made, { ...options, sidecarUrl: url });
  });
}

/** Opens MLflow, goes the way, and ends with what came of it. */
export function withSteps(
  environment: Environment,
  { json, sidecarUrl: given }: TestOptions,
  walk: (mlflow: OpenMlflow, steps: Steps, url: string) => Promise<void>,
): Promise<number> {
  if (given !== undefined && !isServerUrl(given)) {
    return Promise.resolve(fail(`--sidecar-url ${serverUrlWords}`, exitCodes.usage, json));
  }
  return withMlflow(environment, json, async (mlflow) => {
    const steps = createSteps(json, systemClock.ticks);
    const url = (given ?? sidecarUrl(mlflow.settings)).replace(/\/+$/, '');
    try {
      await walk(mlflow, steps, url);
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
    }
    return steps.report() ? exitCodes.ok : exitCodes.failure;
  });
}

export function findDaemon(steps: Steps, url: string): Promise<DaemonReport> {
  return steps.go('sidecar', async () => {
    const found = await askDaemon(url);
    return { found, detail: `at ${url}, record.runs: ${found.runs}` };
  });
}

/** The receiver answers 200 when a call is on disk, and says how many it took. */
async function post(steps: Steps, url: string, { event }: MadeCall, token?: string): Promise<void> {
  const receipt = await steps.go('posted', async () => {
    const { status, body } = await askJson(url, `nothing takes posts at ${url}`, {
      method: 'POST',
      headers: token === undefined ? {} : { authorization: token },
      body: [event],
    });
    if (status === 200) return { found: body, detail: url };
    const said = String(member(body, 'error') ?? body);
    const advice =
      status === 401
        ? 'the token here is not the one the sidecar runs with: set SIDECAR_AUTH_TOKEN to it'
        : status === 503
          ? 'nothing is lost, LiteLLM posts again; "status" tells of the journal'
          : 'this is not what a sidecar answers: look at the address';
    throw new StepError(`HTTP ${status}, ${said}: ${advice}`);
  });
  await steps.go('on disk', async () => {
    if (member(receipt, 'accepted') === 1) {
      return { found: undefined, detail: '200 means committed, with fsync' };
    }
    throw new StepError(`the sidecar did not take the call: ${JSON.stringify(receipt)}`);
  });
}

async function checkRun(
  steps: Steps,
  mlflow: OpenMlflow,
  { call }: MadeCall,
  { sidecarUrl: url = '', timeoutMs }: TestOptions,
): Promise<void> {
  const { record, redact } = mlflow.settings;
  const experiment = experimentNaming(record.experiment).nameFor(call);
  const reader = createRunReader(mlflow);
  const awaited = {
    experiment,
    tag: [recordIdTag, call.recordId] as const,
    sidecarUrl: url,
    withinMs: timeoutMs,
  };
  const run = await steps.go('run made', async () => {
    const found = await waitForRun(reader, awaited);
    return { found, detail: `in ${experiment}: ${runPage(mlflow, found)}` };
  });
  await steps.go('read back', async () => {
    const { tokens, times, caller, requestTags } = call;
    const metrics = {
      latency_ms: Math.round(times.end - times.start),
      prompt_tokens: tokens.prompt,
      completion_tokens: tokens.completion,
      total_tokens: tokens.total,
    };
    const isHashed = redact.identities === 'hash';
    const detail = compare(
      { ...run, metrics: new Map([...run.metrics].map(([name, of]) => [name, Math.round(of)])) },
      metrics,
      {
        status: call.status,
        model_group: call.modelGroup,
        request_id: call.callId,
        user_id: isHashed ? undefined : caller.userId,
        request_tags: requestTags.join(','),
      },
    );
    return { found: undefined, detail };
  });
}

/** Where the settings want no runs, a trace shows the way, or else the journal's own account. */
async function checkWithoutRun(
  steps: Steps,
  mlflow: OpenMlflow,
  daemon: DaemonReport,
  { call }: MadeCall,
  { timeoutMs }: TestOptions,
): Promise<void> {
  if (daemon.traces !== 'off') {
    steps.note(
      'record.runs is off: there is no run to read back. Its trace is looked for instead.',
    );
    const { traceId } = traceIdsOf(call.recordId);
    await steps.go('trace made', async () => {
      const found = await waitForTrace(mlflow, traceId, timeoutMs);
      return { found, detail: found };
    });
    return;
  }
  steps.note(
    'record.runs and record.traces are off: nothing of a single call is in MLflow. That MLflow answers is checked instead; the call is in the next chunk of the calls table, 1 to 15 minutes from now.',
  );
  await askMlflow(steps, mlflow);
}

export async function askMlflow(steps: Steps, mlflow: OpenMlflow): Promise<void> {
  await steps.go('MLflow answers', async () => {
    const found = await createRunReader(mlflow).experiments('sidecar-test-no-such-experiment');
    if (found.kind !== 'done') throw new StepError(outcomeWords(found));
    return { found: undefined, detail: mlflow.destination.identity };
  });
}
