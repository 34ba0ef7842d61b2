import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type ChildError, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { litellmConfig } from './litellm-config.ts';
import { keys } from './litellm-keys.ts';
import { litellmPins, pythonEnv } from './python-env.ts';
import { serverEnvironment } from './server-environment.ts';

export interface LitellmProxyOptions {
  /** The fake model server, without `/v1`. */
  readonly upstreamUrl: string;
  /** Where it posts its logs: the sidecar's /v1/events. */
  readonly eventsUrl: string;
  /** A temporary folder unless told. */
  readonly dir?: string;
  /** What it sends as `Authorization`; `test-token` unless told. */
  readonly token?: string;
  /** Changes the configuration of litellm-config.ts. */
  readonly adapt?: (config: object) => object;
  /** Writes the file of the configuration anew, or changes it, before the proxy starts. */
  readonly rewrite?: (file: string) => Promise<void>;
  /** More environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly progress?: (line: string) => void;
  /** Told when it ends without being asked to. */
  readonly onUnexpectedEnd?: (error: ChildError) => void;
}

export interface LitellmProxy {
  readonly url: string;
  readonly logFile: string;
  tail(lines?: number): string;
  /** Ends it and removes a temporary folder. It flushes nothing on the way: wait for its logs before. */
  close(): Promise<void>;
}

/**
 * A real LiteLLM Proxy at 127.0.0.1, one worker, in front of the fake model server; posts its logs a
 * second after a call. It takes about 10 s to start. Its keys are those of litellm-keys.ts.
 */
export async function startLitellm(options: LitellmProxyOptions): Promise<LitellmProxy> {
  const { token = 'test-token', adapt = (config) => config, progress } = options;
  const env = await pythonEnv(litellmPins, progress === undefined ? {} : { progress });
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'litellm-')));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;

  await mkdir(dir, { recursive: true });
  const config = adapt(litellmConfig(options.upstreamUrl, options.eventsUrl));
  await writeFile(join(dir, 'config.yaml'), stringify(config));
  await options.rewrite?.(join(dir, 'config.yaml'));
  await writeFile(join(dir, 'keys.json'), JSON.stringify(keys));
  await copyFile(join(import.meta.dirname, 'litellm_auth.py'), join(dir, 'litellm_auth.py'));

  const child = await startChild({
    name: 'LiteLLM',
    command: env.bin('litellm'),
    args: ['--config', join(dir, 'config.yaml'), '--host', '127.0.0.1', '--port', String(port)],
    env: serverEnvironment(env, {
      SIDECAR_AUTH_TOKEN: token,
      DEFAULT_FLUSH_INTERVAL_SECONDS: '1',
      // Everything it would fetch from the network, it has a copy of.
      LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS: 'True',
      LITELLM_LOCAL_BLOG_POSTS: 'True',
      LITELLM_LOCAL_POLICY_TEMPLATES: 'True',
      LITELLM_LOCAL_AUTOROUTER_PRESETS: 'True',
      ...options.env,
    }),
    cwd: dir,
    logFile: join(dir, 'litellm.log'),
    onUnexpectedEnd: options.onUnexpectedEnd,
    ready: { url: `${url}/health/liveliness` },
    readyWithinMs: 90_000,
  });
  return {
    url,
    logFile: child.logFile,
    tail: (lines) => child.tail(lines),
    close: async () => {
      await child.stop();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}
