import { type Dispatcher, request } from 'undici';
import { codeOf } from '../../mlflow/http-transport.ts';
import { member } from '../../mlflow/json-answer.ts';
import type { Settings } from '../../settings/schema.ts';
import { StepError } from './steps.ts';

/** Milliseconds that an answer may take. */
const timeoutMs = 15_000;

/** Where the sidecar of the settings listens, as seen from the same machine. */
export function sidecarUrl({ server }: Settings): string {
  const host = /^(0\.0\.0\.0|::)$/.test(server.host) ? '127.0.0.1' : server.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
}

/** What `--sidecar-url` and `--litellm-url` may be: a login in it would be printed with each step. */
export const serverUrlWords =
  'must be a URL such as http://127.0.0.1:4000, without a login and without a query.';

export function isServerUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isServer = url !== undefined && /^https?:$/.test(url.protocol);
  return isServer && url.username === '' && url.password === '' && !/[?#]/.test(text);
}

export interface JsonAnswer {
  status: number;
  body: unknown;
  headers: Dispatcher.ResponseData['headers'];
}

/**
 * Asks over HTTP, and reads JSON.
 *
 * @throws StepError `unreachable`'s words and the code of the failure, where there is no answer.
 */
export async function askJson(
  url: string,
  unreachable: string,
  options: {
    method: 'GET' | 'POST';
    headers?: Record<string, string>;
    body?: unknown;
    ms?: number;
  },
): Promise<JsonAnswer> {
  const { method, headers = {}, body, ms = timeoutMs } = options;
  try {
    const response = await request(url, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      headersTimeout: ms,
      bodyTimeout: ms,
    });
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, body: readJson(text) };
  } catch (error) {
    throw new StepError(`${unreachable} (${codeOf(error)})`);
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 300);
  }
}

/** What a running daemon says of itself. */
export interface DaemonReport {
  /** Calls that it ever took in. */
  received: number;
  /** `record.runs` and `record.traces`, as it runs with them. */
  runs: string;
  traces: string;
  /** Destinations that take nothing now, and why. */
  held: string[];
}

/** @throws StepError where nothing listens there, or something else does. */
export async function askDaemon(url: string): Promise<DaemonReport> {
  const none = `no sidecar answers at ${url}; start it (npm start, or litellm-mlflow serve), or name it by --sidecar-url`;
  const { body } = await askJson(`${url}/healthz`, none, { method: 'GET' });
  const recording = member(body, 'recording');
  const received = member(member(body, 'journal'), 'received');
  if (typeof received !== 'number') throw new StepError(`what answers at ${url} is no sidecar`);
  const setting = (name: string) => String(member(member(recording, name), 'setting'));
  const destinations = Object.entries(Object(member(body, 'destinations')));
  return {
    received,
    runs: setting('runs'),
    traces: setting('traces'),
    held: destinations
      .filter(([, state]) => member(state, 'state') !== 'open')
      .map(([name, state]) => `${name}: ${member(state, 'reason')}, ${member(state, 'detail')}`),
  };
}
