import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type EchoServer, startEchoServer } from './echo-server.ts';
import { listenLocally } from './listen-locally.ts';
import { type SagemakerEdgeOptions, startSagemakerEdge } from './sagemaker-edge/edge.ts';
import { actionOf } from './sagemaker-edge/iam-actions.ts';
import { plainText } from './sagemaker-edge/refusal.ts';
import { type SigningOptions, sendRequest, signRequest } from './sagemaker-edge/signed-request.ts';

const server = 'arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/logs';
const app = 'arn:aws:sagemaker:us-east-1:111122223333:mlflow-app/app-7BMBBX3TS2CZ';
const credentials = { accessKeyId: 'ASIAWRITER', secretAccessKey: 's', sessionToken: 't' };
const createRun = { method: 'POST', target: '/api/2.0/mlflow/runs/create', body: '{}' };

test('MLflow gets the request and none of the signature, the client gets its answer', async (t) => {
  const { edge, mlflow, toServer } = await start(t);
  const body = '{"experiment_id":"1"}';
  const headers = { 'content-type': 'application/json' };
  const answer = await toServer({
    ...createRun,
    target: `${createRun.target}?a=%20b`,
    body,
    headers,
  });
  assert.deepEqual([answer.status, answer.text], [200, body]);
  assert.equal(answer.headers['content-type'], 'application/json');
  const [received] = mlflow.received;
  assert.equal(received?.target, '/api/2.0/mlflow/runs/create?a=%20b');
  assert.equal(received.headers['content-type'], 'application/json');
  assert.equal(received.headers.host, new URL(mlflow.url).host);
  const names = Object.keys(received.headers).join();
  assert.doesNotMatch(names, /x-amz-|authorization/);
  const [seen] = edge.requests;
  assert.deepEqual(
    [seen?.action, seen?.arn, seen?.status, seen?.accessKeyId, seen?.refusal],
    ['sagemaker-mlflow:CreateRun', server, 200, 'ASIAWRITER', undefined],
  );
});

test('a tracking server has an action for each request, an app has one for all', async (t) => {
  const { edge, toServer, toApp } = await start(t);
  const getRun = { target: '/ajax-api/2.0/mlflow/runs/get?run_id=1' };
  await toServer(createRun);
  await toServer(getRun);
  assert.deepEqual([...edge.verbs()], ['sagemaker-mlflow:CreateRun', 'sagemaker-mlflow:GetRun']);
  edge.reset();
  assert.equal((await toApp(createRun)).status, 200);
  assert.equal((await toApp(getRun)).status, 200);
  assert.deepEqual([...edge.verbs()], ['sagemaker:CallMlflowAppApi']);
});

test('ids do not hide what a request is', () => {
  const trace = `/api/3.0/mlflow/traces/tr-${'0f'.repeat(16)}`;
  assert.equal(actionOf('tracking-server', 'GET', trace), 'sagemaker-mlflow:GetTraceInfo');
  assert.equal(
    actionOf('tracking-server', 'PATCH', `${trace}/tags`),
    'sagemaker-mlflow:SetTraceTag',
  );
  const search = '/api/3.0/mlflow/traces/search';
  assert.equal(actionOf('tracking-server', 'POST', search), 'sagemaker-mlflow:SearchTraces');
  const unnamed = '/api/3.0/mlflow/traces/batchGet';
  assert.equal(actionOf('tracking-server', 'GET', unnamed), undefined);
});

test('without the routing header everything fails', async (t) => {
  const { edge, send } = await start(t);
  const answer = await send({ ...createRun, service: 'sagemaker-mlflow', region: 'eu-west-1' });
  assert.equal(answer.status, 500);
  assert.equal(edge.requests[0]?.status, 500);
});

test('an unknown tracking server is told of, an unknown app is not', async (t) => {
  const { toServer, toApp } = await start(t);
  const noServer = await toServer(createRun, `${server}-2`);
  assert.deepEqual([noServer.status, noServer.text], [404, 'Tracking server could not be found']);
  const noApp = await toApp(createRun, `${app}2`);
  assert.equal(noApp.status, 403);
  assert.equal(JSON.parse(noApp.text).message, 'Request is not authorized');
  assert.equal((await toServer(createRun, 'logs')).status, 404);
  assert.equal((await toApp(createRun, server)).status, 403);
});

test('OTLP is not served, nor is anything beside the API unless it is opened', async (t) => {
  const { toServer, toApp } = await start(t);
  const otlp = { method: 'POST', target: '/v1/traces', body: 'x' };
  assert.equal((await toServer(otlp)).status, 404);
  assert.equal((await toApp(otlp)).status, 404);
  assert.equal((await toServer({ target: '/version' })).status, 404);

  const open = await start(t, { openPaths: ['/version'] });
  assert.equal((await open.toServer({ target: '/version' })).status, 200);
  assert.equal((await open.toServer(otlp)).status, 404);
});

test('who may not, or may no more, is refused', async (t) => {
  const { edge, mlflow, toServer } = await start(t);
  const search = { method: 'POST', target: '/api/2.0/mlflow/runs/search', body: '{}' };
  const denied = await toServer(search);
  assert.equal(denied.status, 403);
  assert.equal(JSON.parse(denied.text).message, 'Request is not authorized');

  assert.equal((await toServer(createRun)).status, 200);
  edge.deny('sagemaker-mlflow:CreateRun');
  assert.equal((await toServer(createRun)).status, 403);
  edge.allow('sagemaker-mlflow:CreateRun');
  assert.equal((await toServer(createRun)).status, 200);
  assert.equal(mlflow.received.length, 2, 'MLflow sees nothing of what was refused');
});

test('what AWS has no action for, nobody may do on a tracking server', async (t) => {
  const { toServer } = await start(t, { credentials: () => ({ ...secrets, allowed: ['*'] }) });
  const unnamed = { method: 'POST', target: '/api/2.0/mlflow/traces/link-to-run', body: '{}' };
  assert.equal((await toServer(unnamed)).status, 403);
  assert.equal((await toServer(createRun)).status, 200);
});

test('session tokens expire and access keys vanish on command', async (t) => {
  const { edge, toServer } = await start(t);
  edge.expire('ASIAWRITER');
  const expired = await toServer(createRun);
  assert.equal(expired.status, 403);
  assert.deepEqual(JSON.parse(expired.text), {
    __type: 'ExpiredTokenException',
    message: 'The security token included in the request is expired',
  });
  edge.revoke('ASIAWRITER');
  assert.match((await toServer(createRun)).text, /UnrecognizedClientException/);
  edge.setRefusalFormat(plainText);
  assert.equal(
    (await toServer(createRun)).text,
    'The security token included in the request is invalid.',
  );
});

test('of a small server 50 requests pass at once and 25 in a second', async (t) => {
  let now = Date.now();
  const { mlflow, toServer, edge } = await start(t, { now: () => now });
  const passed = async (count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, () => toServer(createRun)));
    return answers.filter(({ status }) => status === 200).length;
  };
  assert.equal(await passed(60), 50);
  now += 1000;
  assert.equal(await passed(60), 25);
  now += 120;
  assert.equal(await passed(60), 3);
  now += 60_000;
  assert.equal(await passed(60), 50);
  assert.equal(mlflow.received.length, 128);
  edge.setRate({ perSecond: 0, burst: 7 });
  assert.equal(await passed(10), 7);
  now += 60_000;
  assert.equal(await passed(10), 0);
});

test('a throttled request can be told so in several ways', async (t) => {
  const { edge, toServer } = await start(t, { rate: { perSecond: 0, burst: 0 } });
  const first = await toServer(createRun);
  assert.deepEqual([first.status, first.headers['retry-after']], [429, undefined]);
  assert.deepEqual(JSON.parse(first.text), {
    __type: 'ThrottlingException',
    message: 'Rate exceeded',
  });
  edge.setThrottling({ status: 503, retryAfter: 2 });
  const second = await toServer(createRun);
  assert.deepEqual([second.status, second.headers['retry-after']], [503, '2']);
  assert.deepEqual(
    edge.requests.map(({ status, refusal }) => [status, refusal]),
    [
      [429, 'ThrottlingException'],
      [503, 'ThrottlingException'],
    ],
  );
});

test('where MLflow breaks off, the client gets no answer', async (t) => {
  const breaking = createServer((incoming) => incoming.socket.destroy());
  const local = await listenLocally(breaking);
  t.after(local.close);
  const { edge, toServer } = await start(t, { mlflow: local.url });
  await assert.rejects(toServer(createRun), { code: 'ECONNRESET' });
  assert.equal(edge.requests[0]?.status, undefined);
});

const secrets = { secretAccessKey: 's', sessionToken: 't' };

async function start(t: TestContext, options: Partial<SagemakerEdgeOptions> = {}) {
  const mlflow: EchoServer = await startEchoServer(t);
  const allowed = [
    'sagemaker-mlflow:Create*',
    'sagemaker-mlflow:GetRun',
    'sagemaker:CallMlflowAppApi',
  ];
  const edge = await startSagemakerEdge({
    mlflow: mlflow.url,
    resources: [server, app],
    credentials: (id) => (id === 'ASIAWRITER' ? { ...secrets, allowed } : undefined),
    ...options,
  });
  t.after(edge.close);
  type Unsigned = Pick<SigningOptions, 'target'> & Partial<SigningOptions>;
  const send = (wanted: Unsigned & Pick<SigningOptions, 'service' | 'region'>) => {
    const host = new URL(edge.url).host;
    const at = options.now?.() ?? Date.now();
    return sendRequest(edge.url, signRequest({ headers: {}, host, credentials, at, ...wanted }));
  };
  const toServer = (wanted: Unsigned, arn = server) =>
    send({
      ...wanted,
      service: 'sagemaker-mlflow',
      region: 'eu-west-1',
      headers: { ...wanted.headers, 'x-mlflow-sm-tracking-server-arn': arn },
    });
  const toApp = (wanted: Unsigned, arn = app) =>
    send({
      ...wanted,
      service: 'sagemaker',
      region: 'us-east-1',
      headers: { ...wanted.headers, 'x-sm-mlflow-app-arn': arn },
    });
  return { edge, mlflow, send, toServer, toApp };
}
