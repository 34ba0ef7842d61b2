import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Child, startChild } from '../support/child.ts';
import { freePort } from '../support/free-port.ts';
import { litellmConfig } from '../support/litellm-config.ts';
import { keys } from '../support/litellm-keys.ts';
import { litellmPins, newestMlflow, type PythonEnv, pythonEnv } from '../support/python-env.ts';
import { serverEnvironment } from '../support/server-environment.ts';

/** LiteLLM with MLflow's client beside it, which its `mlflow` callback needs. */
export function litellmWithMlflow(progress: (line: string) => void): Promise<PythonEnv> {
  return pythonEnv([...litellmPins, `mlflow==${newestMlflow}`], { progress });
}

export interface LoggingProxyOptions {
  readonly env: PythonEnv;
  readonly dir: string;
  /** The fake model server, without `/v1`. */
  readonly upstreamUrl: string;
  /** Where it posts its logs. */
  readonly eventsUrl: string;
  /** Where its `mlflow` callback logs to, and the name of the experiment. */
  readonly trackingUri: string;
  readonly experiment: string;
}

/** A real LiteLLM Proxy at 127.0.0.1 that logs each call twice: by its `mlflow` callback, and as posts. */
export async function startLoggingProxy(
  options: LoggingProxyOptions,
): Promise<{ url: string; child: Child }> {
  const { env, dir, upstreamUrl, eventsUrl, trackingUri, experiment } = options;
  const config = litellmConfig(upstreamUrl, eventsUrl);
  const settings = 'litellm_settings' in config ? config.litellm_settings : {};
  const both = {
    ...config,
    litellm_settings: { ...Object(settings), callbacks: ['mlflow', 'sidecar'] },
  };
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'config.yaml'), stringify(both));
  await writeFile(join(dir, 'keys.json'), JSON.stringify(keys));
  const auth = 'litellm_auth.py';
  await copyFile(join(import.meta.dirname, '../support', auth), join(dir, auth));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: 'LiteLLM',
    command: env.bin('litellm'),
    args: ['--config', join(dir, 'config.yaml'), '--host', '127.0.0.1', '--port', String(port)],
    env: serverEnvironment(env, {
      SIDECAR_AUTH_TOKEN: 'bench-token',
      MLFLOW_TRACKING_URI: trackingUri,
      MLFLOW_EXPERIMENT_NAME: experiment,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      DEFAULT_FLUSH_INTERVAL_SECONDS: '1',
      // Everything it would fetch from the network, it has a copy of.
      LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS: 'True',
      LITELLM_LOCAL_BLOG_POSTS: 'True',
      LITELLM_LOCAL_POLICY_TEMPLATES: 'True',
      LITELLM_LOCAL_AUTOROUTER_PRESETS: 'True',
    }),
    cwd: dir,
    logFile: join(dir, 'litellm.log'),
    ready: { url: `${url}/health/liveliness` },
    readyWithinMs: 180_000,
  });
  return { url, child };
}
