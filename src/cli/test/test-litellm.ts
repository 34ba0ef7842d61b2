import { randomUUID } from 'node:crypto';
import { testTag } from '../../journal-options.ts';
import { member } from '../../mlflow/json-answer.ts';
import type { Environment } from '../../settings/environment.ts';
import { exitCodes } from '../exit-codes.ts';
import { fail } from '../fail.ts';
import type { OpenMlflow } from '../with-mlflow.ts';
import { compare, runPage, waitFor, waitForRun } from './arrival.ts';
import { createRunReader } from './read-run.ts';
import {
  askDaemon,
  askJson,
  isServerUrl,
  type JsonAnswer,
  serverUrlWords,
} from './sidecar-link.ts';
import { StepError, type Steps } from './steps.ts';
import { askMlflow, findDaemon, type TestOptions, withSteps } from './test-call.ts';

export interface LitellmTestOptions extends TestOptions {
  litellmUrl: string;
  /** Instead of LITELLM_MASTER_KEY. */
  litellmKey?: string;
  /** The first that the key may use, unless told. */
  model?: string;
}

/** An answer of a model may take longer than all else, in milliseconds. */
const modelMs = 120_000;
/** LiteLLM posts 5 s after a call at the latest, unless it is told otherwise. */
const postMs = 30_000;

/** `test --through-litellm`: a real request to the proxy, the whole way to MLflow. */
export function testThroughLitellm(
  environment: Environment,
  options: LitellmTestOptions,
): Promise<number> {
  const key = options.litellmKey ?? environment['LITELLM_MASTER_KEY'] ?? '';
  if (key === '') {
    const words = 'There is no key for LiteLLM: set LITELLM_MASTER_KEY, or give --litellm-key.';
    return Promise.resolve(fail(words, exitCodes.usage, options.json));
  }
  if (!isServerUrl(options.litellmUrl)) {
    const words = `--litellm-url ${serverUrlWords}`;
    return Promise.resolve(fail(words, exitCodes.usage, options.json));
  }
  return withSteps(environment, options, async (mlflow, steps, url) => {
    const daemon = await findDaemon(steps, url);
    const asked = await ask(steps, options, key);
    await steps.go('posted by LiteLLM', () =>
      waitForPost(url, daemon.received, Math.min(postMs, options.timeoutMs)),
    );
    if (daemon.runs === 'off') {
      steps.note(
        'record.runs is off: there is no run to read back. That the sidecar took in a call is checked instead, and that MLflow answers.',
      );
      await askMlflow(steps, mlflow);
    } else await checkRun(steps, mlflow, asked, { ...options, sidecarUrl: url });
  });
}

/** What came back from the proxy. */
interface Asked {
  callId: string;
  model: string;
  usage: unknown;
}

async function ask(
  steps: Steps,
  { litellmUrl, model: wanted }: LitellmTestOptions,
  key: string,
): Promise<Asked> {
  const base = litellmUrl.replace(/\/+$/, '');
  const none = `no LiteLLM answers at ${base}; start it ("litellm start"), or name it by --litellm-url`;
  const headers = { authorization: `Bearer ${key}` };
  return steps.go('asked LiteLLM', async () => {
    const model = wanted ?? (await firstModel(base, none, headers));
    const answer = await askJson(`${base}/v1/chat/completions`, none, {
      method: 'POST',
      headers: { ...headers, 'x-litellm-tags': testTag },
      body: {
        model,
        // Another text each time, so that no cache answers.
        messages: [{ role: 'user', content: `Say hello. (${testTag} ${randomUUID()})` }],
        max_tokens: 32,
        metadata: { tags: [testTag] },
      },
      ms: modelMs,
    });
    if (answer.status !== 200) throw new StepError(refusalWords(answer, model));
    const callId = answer.headers['x-litellm-call-id'];
    if (typeof callId !== 'string') {
      throw new StepError(`what answers at ${base} is no LiteLLM: it names no x-litellm-call-id`);
    }
    const found = { callId, model, usage: member(answer.body, 'usage') };
    return { found, detail: `${model} at ${base}, call ${callId}` };
  });
}

async function firstModel(
  base: string,
  none: string,
  headers: Record<string, string>,
): Promise<string> {
  const answer = await askJson(`${base}/v1/models`, none, { method: 'GET', headers });
  const list = member(answer.body, 'data');
  const id = member(Array.isArray(list) ? list[0] : undefined, 'id');
  if (answer.status === 200 && typeof id === 'string') return id;
  throw new StepError(refusalWords(answer, 'any model'));
}

function refusalWords({ status, body }: JsonAnswer, model: string): string {
  const error = member(body, 'error');
  const said = String(member(error, 'message') ?? '').slice(0, 300);
  const advice =
    status === 401 || status === 403
      ? 'look at the key (LITELLM_MASTER_KEY or --litellm-key)'
      : status === 400 || status === 404
        ? 'name another model by --model'
        : "look at LiteLLM's log, and at the key of its provider";
  return `LiteLLM answered HTTP ${status} for ${model}: ${said === '' ? advice : `${said}; ${advice}`}`;
}

async function waitForPost(url: string, before: number, withinMs: number) {
  const look = async () => {
    const { received } = await askDaemon(url);
    return received > before ? received : undefined;
  };
  const none = `LiteLLM answered, and nothing was posted to the sidecar within ${Math.round(withinMs / 1_000)} s: "litellm configure --check FILE" tells what its configuration lacks; SIDECAR_EVENTS_URL and SIDECAR_AUTH_TOKEN have to be set where it runs`;
  const received = await waitFor(look, withinMs, async () => none);
  return { found: undefined, detail: `${received - before} taken in since` };
}

async function checkRun(
  steps: Steps,
  mlflow: OpenMlflow,
  { callId, usage }: Asked,
  { sidecarUrl = '', timeoutMs }: LitellmTestOptions,
): Promise<void> {
  const { experiment } = mlflow.settings.record;
  const tag = ['request_id', callId] as const;
  const run = await steps.go('run made', async () => {
    const awaited = { experiment, tag, sidecarUrl, withinMs: timeoutMs };
    const found = await waitForRun(createRunReader(mlflow), awaited);
    return { found, detail: runPage(mlflow, found) };
  });
  await steps.go('read back', async () => {
    const count = (name: string) => {
      const value = member(usage, name);
      return typeof value === 'number' ? value : undefined;
    };
    const metrics = {
      prompt_tokens: count('prompt_tokens'),
      completion_tokens: count('completion_tokens'),
      total_tokens: count('total_tokens'),
    };
    const same = compare(run, metrics, { status: 'success', request_id: callId });
    if (run.tags.get(`label.${testTag}`) !== 'true') {
      throw new StepError(`the run does not carry the request tag ${testTag}`);
    }
    const latency = run.metrics.get('latency_ms');
    if (latency === undefined) throw new StepError('the run has no latency_ms');
    return { found: undefined, detail: `latency_ms ${Math.round(latency)}, ${same}` };
  });
}
