import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createTracesClient } from '../../src/mlflow/traces-client.ts';
import { wayOfVersion } from '../../src/mlflow/traces-way.ts';
import type { Answer, MlflowRequest } from '../../src/mlflow/transport.ts';
import { planTrace } from '../../src/record/trace/plan-trace.ts';
import { admitCall } from '../support/admitted-call.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { decodeSpans } from '../support/otlp-decode.ts';

const { record, body } = admitCall(litellmEvent(1), 1);
const trace = planTrace(record, body);

function clientOf(answer: (request: MlflowRequest) => Answer | [status: number, text: string]) {
  const requests: MlflowRequest[] = [];
  const client = createTracesClient(
    async (request) => {
      requests.push(request);
      const answered = answer(request);
      if (!Array.isArray(answered)) return answered;
      const [status, text] = answered;
      return { kind: 'answer', status, text };
    },
    { now: () => 0, onOutcome: () => undefined },
  );
  return { client, requests };
}

test('each version gets traces as it reads them', () => {
  const table = ['2.16.2', '3.1', '3.2.0', '3.5.1', '3.6.0', '3.7', '3.10.1', '3.11.1', '3.12.0']
    .concat('3.14.0', '3.15.0', '3.17.2', '4.0.0rc1')
    .map((version) => {
      const way = wayOfVersion(version, 'on');
      if (way.kind !== 'otlp')
        return `${version} ${way.kind} ${wayOfVersion(version, 'auto').kind}`;
      const { gzip, atomic, resendSafe } = way;
      const can = [gzip && 'gzip', atomic && 'atomic', resendSafe && 'resend'].filter(Boolean);
      return `${version} ${[...can, way.ask.slice(7)].join(' ')}`;
    });
  assert.deepEqual(table, [
    '2.16.2 none none',
    '3.1 none none',
    '3.2.0 v3 none',
    '3.5.1 v3 none',
    '3.6.0 batchGet',
    '3.7 gzip batchGet',
    '3.10.1 gzip batchGet',
    '3.11.1 gzip batchGetInfos',
    '3.12.0 gzip atomic batchGetInfos',
    '3.14.0 gzip atomic batchGetInfos',
    '3.15.0 gzip atomic resend batchGetInfos',
    '3.17.2 gzip atomic resend batchGetInfos',
    '4.0.0rc1 gzip atomic resend batchGetInfos',
  ]);
});

test('spans go in protobuf, in gzip where it is read', async () => {
  const { client, requests } = clientOf(() => [200, '']);
  assert.equal((await client.post('7', [trace], true)).kind, 'done');
  assert.equal((await client.post('7', [trace], false)).kind, 'done');
  const [zipped, plain] = requests;
  assert.deepEqual(zipped?.headers, {
    'x-mlflow-experiment-id': '7',
    'content-encoding': 'gzip',
  });
  assert.equal(zipped?.contentType, 'application/x-protobuf');
  assert.ok(zipped?.body instanceof Uint8Array && plain?.body instanceof Uint8Array);
  assert.deepEqual(gunzipSync(zipped.body), Buffer.from(plain.body));
  assert.equal(decodeSpans(plain.body)[0]?.traceId, trace.traceId);
});

const detail = (text: string) => JSON.stringify({ detail: text });
const coded = (error_code: string, message: string) => JSON.stringify({ error_code, message });

for (const [what, status, text, expected] of [
  ['a span that MLflow cannot read', 422, detail('Cannot convert'), 'reject invalid'],
  ['a request without spans', 400, detail('Invalid OpenTelemetry format'), 'reject invalid'],
  [
    'a session that is too long',
    400,
    coded('INVALID_PARAMETER_VALUE', "'Session ID' exceeds"),
    'reject invalid',
  ],
  ['a request that is too large', 413, '', 'reject invalid'],
  [
    'an experiment that is not there',
    404,
    coded('RESOURCE_DOES_NOT_EXIST', 'No Experiment'),
    'reject missing',
  ],
  ['no such path', 404, '<!doctype html>', 'hold unsupported'],
  ['no such path, by FastAPI', 404, detail('Not Found'), 'hold unsupported'],
  ['no such method', 405, '', 'hold unsupported'],
  ['a store without spans', 501, detail('not supported by FileStore'), 'hold unsupported'],
  ['no right to it', 403, '', 'hold forbidden'],
  ['throttling', 429, '', 'hold throttled'],
  ['a database that is down', 503, coded('TEMPORARILY_UNAVAILABLE', '()'), 'hold unavailable'],
  [
    'a pool without connections',
    400,
    coded('BAD_REQUEST', 'QueuePool limit of size 5 overflow 10 reached'),
    'retry',
  ],
  [
    'a lock, as 3.10 tells it',
    422,
    detail('Failed to log: Trace x: (sqlite3.OperationalError) database is locked'),
    'retry',
  ],
  ['NUL in a text', 500, coded('INTERNAL_ERROR', 'NUL'), 'retry v1/traces'],
  ['a gateway that gave up', 504, '', 'ambiguous'],
  ['a login page', 200, '<html>Log in</html>', 'hold not_mlflow'],
] as const) {
  test(`${what} is ${expected}`, async () => {
    const outcome = await clientOf(() => [status, text]).client.post('1', [trace], false);
    const suspect = outcome.kind === 'retry' ? outcome.suspect : undefined;
    const reason = outcome.kind === 'reject' || outcome.kind === 'hold' ? outcome.reason : suspect;
    assert.equal([outcome.kind, reason].filter(Boolean).join(' '), expected);
  });
}

test('what a server has of many traces is asked for in parts, whole traces in small ones', async () => {
  const ids = Array.from({ length: 150 }, (_, number) => number.toString(16).padStart(32, '0'));
  const { client, requests } = clientOf(({ name, body: asked, path }) => {
    if (name === 'traces/batchGetInfos') {
      const { trace_ids } = JSON.parse(String(asked));
      return [200, JSON.stringify({ trace_infos: [{ trace_id: trace_ids[0] }] })];
    }
    const first = new URL(path, 'http://x').searchParams.getAll('trace_ids')[0];
    return [200, JSON.stringify({ traces: [{ trace_info: { trace_id: first }, spans: [] }] })];
  });
  const infos = await client.present(ids, 'traces/batchGetInfos');
  assert.ok(infos.kind === 'done');
  assert.deepEqual([...infos.value], [ids[0], ids[100]]);
  const whole = await client.present(ids, 'traces/batchGet');
  assert.ok(whole.kind === 'done' && whole.value.size === 8 && whole.value.has(ids[140] ?? ''));
  assert.equal(requests.length, 2 + 8);
});

test('a server that has none of them says so with an empty object', async () => {
  const none = await clientOf(() => [200, '{}']).client.present(['a'], 'traces/batchGetInfos');
  assert.ok(none.kind === 'done' && none.value.size === 0);
  const page = await clientOf(() => [200, '<html>']).client.present(['a'], 'traces/batchGetInfos');
  assert.equal(page.kind, 'hold');
});

const down: Answer = { kind: 'no_answer', sent: false, cause: 'ECONNREFUSED' };
const html: [number, string] = [404, '<!doctype html>'];

test('a server that is not there is asked again, not taken for one without traces', async () => {
  for (const fails of ['version', 'server-info', 'v1/traces']) {
    const { client } = clientOf(({ name }) => {
      if (name === fails) return down;
      return name === 'server-info' ? [200, '{"store_type":"SqlStore"}'] : html;
    });
    assert.equal((await client.findWay('auto')).kind, 'hold', fails);
  }
});

const missingToken = coded('MissingAuthenticationToken', 'Missing Authentication Token');
const unknownPaths: readonly [string, [number, string]][] = [
  ['403 for a missing token', [403, '{"__type":"MissingAuthenticationTokenException"}']],
  ['403 for a missing token, as API Gateway says it', [403, missingToken]],
  ['401', [401, '']],
  ['400 for an unknown operation', [400, '{"__type":"UnknownOperationException"}']],
];

for (const [what, answer] of unknownPaths) {
  test(`a front that answers ${what} to unknown paths has no traces, as long as it knows others`, async () => {
    const wayOf = async (isServed: boolean) => {
      const { client } = clientOf(({ name }) =>
        isServed && name === 'experiments/get-by-name'
          ? [404, coded('RESOURCE_DOES_NOT_EXIST', 'no')]
          : answer,
      );
      const way = await client.findWay('auto');
      return way.kind === 'done' ? way.value.kind : way.kind;
    };
    assert.equal(await wayOf(true), 'none');
    assert.equal(await wayOf(false), 'hold');
  });
}

test('where a front keeps the version from us, probes tell', async () => {
  const wayOf = async (known: readonly string[], wish: 'auto' | 'on', hidden = html) => {
    const { client } = clientOf(({ name, method }) => {
      if (name === 'experiments/get-by-name') return [200, '{"experiment":{"experiment_id":"0"}}'];
      if (!known.includes(name)) return hidden;
      if (name === 'server-info') return [200, '{"store_type":"SqlStore"}'];
      if (name === 'v1/traces') return [400, detail('no spans found')];
      return method === 'GET' ? [404, coded('RESOURCE_DOES_NOT_EXIST', 'no')] : [200, '{}'];
    });
    const way = await client.findWay(wish);
    return way.kind === 'done' ? way.value.kind : way.kind;
  };
  assert.equal(await wayOf(['server-info', 'v1/traces'], 'auto'), 'otlp');
  assert.equal(await wayOf(['server-info', 'v1/traces'], 'auto', [403, '']), 'otlp');
  // 3.4 has OTLP, with a trace a request; it has no server-info.
  assert.equal(await wayOf(['v1/traces', 'traces/create'], 'auto'), 'none');
  assert.equal(await wayOf(['v1/traces', 'traces/create'], 'on'), 'v3');
  assert.equal(await wayOf([], 'on'), 'none');
  assert.equal(await wayOf([], 'on', [200, '<html>Log in</html>']), 'hold');
});
