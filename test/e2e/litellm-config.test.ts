import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { mapWords, readComposeFile } from '../packaging/compose-file.ts';
import { readLitellmConfig } from '../packaging/litellm-config.ts';
import { type Child, startChild } from '../support/child.ts';
import { freePort } from '../support/free-port.ts';
import { litellmPins, type PythonEnv, pythonEnv } from '../support/python-env.ts';
import { runProgram } from '../support/run-program.ts';
import { waitUntil } from '../support/wait-until.ts';

/**
 * A real LiteLLM, started by the compose file's command with `config/litellm.yaml` as it stands.
 * Only what the environment says differs: the sidecar's host, and where the models are.
 */
const { litellm } = (await readComposeFile()).services;
const config = await readLitellmConfig();
const masterKey = 'sk-of-the-test';
const token = 'token-of-the-test';

const eventsOf = z.array(
  z.looseObject({
    status: z.string(),
    model_group: z.string(),
    response_cost: z.number(),
    session_id: z.string(),
  }),
);
interface Post {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly events: z.infer<typeof eventsOf>;
}

let python: PythonEnv;
let dir: string;
let port: number;
let proxy: Child;
let sidecar: Server;
let models: Server;
const posts: Post[] = [];

before(async () => {
  python = await pythonEnv(litellmPins);
  dir = await mkdtemp(join(tmpdir(), 'litellm-config-'));
  sidecar = createServer(async (request, response) => {
    const events = eventsOf.parse(await json(request));
    posts.push({ path: request.url, headers: request.headers, events });
    response.end('{}');
  });
  models = createServer(async (request, response) => {
    await json(request);
    const body = answers.find(([path]) => request.url?.endsWith(path))?.[1];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? {}));
  });
  const events = new URL(litellm.environment['SIDECAR_EVENTS_URL'] ?? '');
  events.host = await listening(sidecar);
  const model = `http://${await listening(models)}`;
  port = await freePort();
  proxy = await startChild({
    name: 'LiteLLM',
    command: python.bin('litellm'),
    args: [
      ...mapWords(litellm.command, {
        '/app/config.yaml': resolve('config/litellm.yaml'),
        '4000': String(port),
      }),
      '--host',
      '127.0.0.1',
    ],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      LITELLM_MASTER_KEY: masterKey,
      SIDECAR_EVENTS_URL: events.href,
      SIDECAR_AUTH_TOKEN: token,
      DEFAULT_FLUSH_INTERVAL_SECONDS: litellm.environment['DEFAULT_FLUSH_INTERVAL_SECONDS'] ?? '',
      OPENAI_API_KEY: 'sk-openai',
      ANTHROPIC_API_KEY: 'sk-anthropic',
      OPENAI_BASE_URL: `${model}/v1`,
      ANTHROPIC_BASE_URL: model,
    },
    cwd: dir,
    logFile: join(dir, 'litellm.log'),
    ready: { url: `http://127.0.0.1:${port}/health/readiness` },
    readyWithinMs: 120_000,
  });
});

after(async () => {
  await proxy?.stop();
  sidecar?.close();
  models?.close();
  await rm(dir, { recursive: true, force: true });
});

test('the pinned image and the tests have the same LiteLLM', () => {
  assert.equal(`litellm[proxy]==${litellm.image?.split(':v')[1]}`, litellmPins[0]);
});

test('a call of every model in the list arrives with its price, session and the token', async () => {
  const names = config.model_list.map((model) => model.model_name);
  for (const name of names) {
    const isEmbedding = name.includes('embedding');
    const response = await fetch(
      `http://127.0.0.1:${port}/v1/${isEmbedding ? 'embeddings' : 'chat/completions'}`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          model: name,
          ...(isEmbedding ? { input: 'Hi' } : { messages: [{ role: 'user', content: 'Hi' }] }),
          metadata: { session_id: 'session-of-the-test' },
        }),
      },
    );
    assert.equal(response.status, 200, `${name}: ${await response.text()}\n${proxy.tail()}`);
  }
  const arrived = () => posts.flatMap((post) => post.events);
  await waitUntil(() => arrived().length >= names.length || undefined, {
    what: `${names.length} events`,
    withinMs: 20_000,
  });
  assert.deepEqual(
    arrived().map((event) => event.model_group),
    names,
  );
  for (const event of arrived()) {
    assert.equal(event.status, 'success');
    assert.ok(event.response_cost > 0, `${event.model_group} has no price`);
    if (!event.model_group.includes('embedding')) {
      assert.equal(event.session_id, 'session-of-the-test');
    }
  }
  for (const { path, headers } of posts) {
    assert.equal(path, '/v1/events');
    assert.equal(headers.authorization, token);
    assert.equal(headers['content-type'], 'application/json');
  }
});

test('its health check tells a proxy that is up from one that is not', async () => {
  const [kind, program, ...args] = litellm.healthcheck?.test ?? [];
  assert.deepEqual([kind, program], ['CMD', 'python3']);
  const check = async (at: number) =>
    (await runProgram(python.python, mapWords(args, { ':4000/': `:${at}/` }))).code;
  assert.equal(await check(port), 0);
  assert.equal(await check(await freePort()), 1);
});

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `127.0.0.1:${address.port}`;
}

/** What the providers answer, by the end of the path. */
const answers: readonly (readonly [string, object])[] = [
  [
    '/chat/completions',
    {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model: 'of-the-test',
      choices: [
        { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello' } },
      ],
      usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
    },
  ],
  [
    '/embeddings',
    {
      object: 'list',
      model: 'of-the-test',
      data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    },
  ],
  [
    '/messages',
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'of-the-test',
      content: [{ type: 'text', text: 'Hello' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 9, output_tokens: 3 },
    },
  ],
];
