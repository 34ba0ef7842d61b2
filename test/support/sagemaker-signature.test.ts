import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { startEchoServer } from './echo-server.ts';
import { startSagemakerEdge } from './sagemaker-edge/edge.ts';
import {
  type Answer,
  type SigningOptions,
  sendRequest,
  signRequest,
  type WireRequest,
} from './sagemaker-edge/signed-request.ts';

const arn = 'arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/logs';
const now = Date.UTC(2026, 0, 31, 12);
const minutes = 60_000;
const keys = {
  AKIDFOREVER: { secretAccessKey: 'a secret', allowed: ['*'] },
  ASIAFORANHOUR: { secretAccessKey: 'b secret', sessionToken: 'a token', allowed: ['*'] },
};

test('what aws4 signs is verified, with a session token and without', async (t) => {
  const { send } = await start(t);
  for (const accessKeyId of ['AKIDFOREVER', 'ASIAFORANHOUR'] as const) {
    const { allowed, ...secrets } = keys[accessKeyId];
    const answer = await send({ credentials: { accessKeyId, ...secrets } });
    assert.equal(answer.status, 200, answer.text);
  }
});

test('any path, query, header and body that aws4 signs is verified', async (t) => {
  const { send } = await start(t);
  const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  // Amazon's signer keeps parameters in an object, where this is none.
  const name = word.filter((text) => text !== '__proto__');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, word), { maxLength: 4 }),
      fc.array(word, { maxLength: 3 }),
      fc.string({ unit: 'grapheme' }),
      fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/),
      async (query, segments, body, header) => {
        const path = ['/api/2.0/mlflow', ...segments.map(encodeURIComponent)].join('/');
        const parameters = query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
        const answer = await send({
          method: 'POST',
          target: `${path}/runs/create?${parameters}`,
          headers: { 'x-note': header },
          body,
        });
        assert.notEqual(codeOf(answer), 'InvalidSignatureException', answer.text);
      },
    ),
    { numRuns: 100 },
  );
});

const spoilers: readonly [what: string, spoil: (wire: WireRequest) => void, message: RegExp][] = [
  ['path', (wire) => (wire.target = wire.target.replace('runs/get', 'runs/got')), /does not match/],
  ['case of the path', (wire) => (wire.target = wire.target.replace('get', 'Get')), /not match/],
  ['value in the query', (wire) => (wire.target += '1'), /does not match/],
  ['parameter that was added', (wire) => (wire.target += '&more=1'), /does not match/],
  ['signature in the query', (wire) => (wire.target += '&X-Amz-Signature=1'), /does not match/],
  ['parameter of a strange name', (wire) => (wire.target += '&__proto__=1'), /does not match/],
  ['badly encoded query', (wire) => (wire.target += '%zz'), /does not match/],
  ['method', (wire) => (wire.method = 'POST'), /does not match/],
  ['signed header', (wire) => (wire.headers['x-note'] = 'other'), /does not match/],
  ['signed header taken away', (wire) => delete wire.headers['x-note'], /'x-note' is absent/],
  ['host', (wire) => (wire.headers['host'] = 'eu-west-1.experiments.sagemaker.aws'), /not match/],
  ['body', (wire) => (wire.body = wire.body.replace('1', '2')), /not the hash of the body/],
  ['hash', (wire) => (wire.headers['x-amz-content-sha256'] = 'a'.repeat(64)), /not the hash/],
  [
    'no hash',
    (wire) => (wire.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'),
    /not the hash/,
  ],
  ['date', (wire) => (wire.headers['x-amz-date'] = '20260131T120001Z'), /does not match/],
  ['day', (wire) => (wire.headers['x-amz-date'] = '20260130T235959Z'), /does not match YYYYMMDD/],
  ['no date', (wire) => (wire.headers['x-amz-date'] = 'now'), /not in the form/],
  ['unsigned header of Amazon', (wire) => (wire.headers['x-amz-more'] = '1'), /must be a 'SignedH/],
  ['signature', (wire) => replaceIn(wire, /Signature=./, 'Signature=x'), /not in the SigV4 form/],
  ['last sign', (wire) => replaceIn(wire, /(.)$/, flip), /does not match/],
  ['algorithm', (wire) => replaceIn(wire, /^AWS4-HMAC/, 'AWS4-ECDSA'), /not in the SigV4 form/],
  ['key', (wire) => replaceIn(wire, /=ASIA/, '=AKIA'), /token included in the request is invalid/],
  ['no signature', (wire) => delete wire.headers['authorization'], /Missing Authentication Token/],
  ['token', (wire) => (wire.headers['x-amz-security-token'] = 'other'), /token .* is invalid/],
  ['no token', (wire) => delete wire.headers['x-amz-security-token'], /token .* is invalid/],
];

for (const [what, spoil, message] of spoilers) {
  test(`a request that was signed and then spoiled is refused: ${what}`, async (t) => {
    const { url, wireOf } = await start(t);
    const options: Partial<SigningOptions> = {
      method: 'PATCH',
      target: '/api/2.0/mlflow/runs/get?run_id=ab%20c',
      headers: { 'x-note': 'as it was', 'content-type': 'application/json' },
      body: '{"a":1}',
    };
    const sound = await sendRequest(url, wireOf(options));
    assert.equal(sound.status, 403);
    assert.equal(codeOf(sound), 'AccessDeniedException', 'the signature itself is good');

    const wire = wireOf(options);
    spoil(wire);
    const answer = await sendRequest(url, wire);
    assert.equal(answer.status, 403);
    assert.match(answer.text, message);
  });
}

for (const name of [
  'host',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-mlflow-sm-tracking-server-arn',
]) {
  test(`${name} has to be among the signed headers`, async (t) => {
    const { url, wireOf } = await start(t);
    const wire = wireOf({});
    replaceIn(wire, new RegExp(`;${name}|${name};`), '');
    const answer = await sendRequest(url, wire);
    assert.equal(answer.status, 403);
    assert.equal(JSON.parse(answer.text).message, `'${name}' must be a 'SignedHeader'.`);
  });
}

test('a signature holds for one region, one service, one secret', async (t) => {
  const { send } = await start(t);
  const cases: readonly [Partial<SigningOptions>, RegExp][] = [
    [{ region: 'us-east-1' }, /valid region, not 'us-east-1'/],
    [{ service: 'sagemaker' }, /correct service: 'sagemaker-mlflow'/],
    [{ credentials: { accessKeyId: 'AKIDFOREVER', secretAccessKey: 'wrong' } }, /does not match/],
    [{ credentials: { accessKeyId: 'AKIDNOBODY', secretAccessKey: 'x' } }, /token .* is invalid/],
  ];
  for (const [options, message] of cases) {
    const answer = await send(options);
    assert.equal(answer.status, 403);
    assert.match(answer.text, message);
  }
});

test('a clock may differ by five minutes', async (t) => {
  const { send } = await start(t);
  assert.equal((await send({ at: now - 5 * minutes })).status, 200);
  assert.equal((await send({ at: now + 5 * minutes })).status, 200);
  for (const [at, message] of [
    [now - 5 * minutes - 1000, /Signature expired: 20260131T115459Z is now earlier than/],
    [now + 5 * minutes + 1000, /Signature not yet current: 20260131T120501Z/],
  ] as const) {
    const answer = await send({ at });
    assert.equal(answer.status, 403);
    assert.equal(codeOf(answer), 'InvalidSignatureException');
    assert.match(answer.text, message);
    assert.equal(answer.headers.date, 'Sat, 31 Jan 2026 12:00:00 GMT');
  }
});

/** aws4 sends a space as `%20` and a plus as `%2B`; with a raw plus the signature says something else. */
test('the query has to be sent as it was signed', async (t) => {
  const { url, wireOf } = await start(t);
  const wire = wireOf({ target: '/api/2.0/mlflow/runs/get?run_id=a+b' });
  assert.match(wire.target, /a%20b/);
  assert.equal((await sendRequest(url, wire)).status, 200);
  wire.target = wire.target.replace('%20', '+');
  assert.equal((await sendRequest(url, wire)).status, 403);
});

async function start(t: TestContext) {
  const mlflow = await startEchoServer(t);
  const edge = await startSagemakerEdge({
    mlflow: mlflow.url,
    resources: [arn],
    credentials: (id) => (id === 'AKIDFOREVER' || id === 'ASIAFORANHOUR' ? keys[id] : undefined),
    now: () => now,
    rate: { perSecond: 0, burst: 1000 },
  });
  t.after(() => edge.close());
  const wireOf = (options: Partial<SigningOptions>) =>
    signRequest({
      target: '/api/2.0/mlflow/runs/get?run_id=1',
      host: new URL(edge.url).host,
      service: 'sagemaker-mlflow',
      region: 'eu-west-1',
      credentials: {
        accessKeyId: 'ASIAFORANHOUR',
        secretAccessKey: 'b secret',
        sessionToken: 'a token',
      },
      at: now,
      ...options,
      headers: { 'x-mlflow-sm-tracking-server-arn': arn, ...options.headers },
    });
  const send = (options: Partial<SigningOptions>) => sendRequest(edge.url, wireOf(options));
  return { url: edge.url, wireOf, send };
}

function codeOf(answer: Answer): unknown {
  return answer.headers['x-amzn-errortype'];
}

function replaceIn(
  wire: WireRequest,
  form: RegExp,
  by: string | ((found: string) => string),
): void {
  const was = wire.headers['authorization'] ?? '';
  const is = typeof by === 'string' ? was.replace(form, by) : was.replace(form, by);
  assert.notEqual(is, was);
  wire.headers['authorization'] = is;
}

function flip(sign: string): string {
  return sign === '0' ? '1' : '0';
}
