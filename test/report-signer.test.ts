import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { createServerClock } from '../src/aws/server-clock.ts';
import type { AwsAccess } from '../src/destination.ts';
import { reportSigner } from '../src/report-signer.ts';
import { listenLocally } from './support/listen-locally.ts';

const arn = 'arn:aws:sts::111122223333:assumed-role/recorder/pod';
const identity = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${arn}</Arn><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;

/** Reports until all is said, or `mostWaits` have passed; STS refuses at first. */
async function report(t: TestContext, find: AwsAccess['credentials']['current'], refusals: number) {
  let asked = 0;
  const sts = createServer((_, response) => {
    asked += 1;
    if (asked <= refusals) response.writeHead(403).end('<Error><Code>Forbidden</Code></Error>');
    else response.writeHead(200, { 'content-type': 'text/xml' }).end(identity);
  });
  const local = await listenLocally(sts);
  process.env['AWS_ENDPOINT_URL_STS'] = local.url;
  t.after(() => {
    delete process.env['AWS_ENDPOINT_URL_STS'];
    return local.close();
  });
  const lines: string[] = [];
  const log = pino({}, { write: (line) => lines.push(JSON.parse(line).msg) });
  const waits: number[] = [];
  const over = new AbortController();
  const clock = {
    sleep: async (ms: number) => {
      waits.push(ms / 1_000);
      if (waits.length === mostWaits) over.abort();
    },
  };
  const credentials = { current: find, renew: async () => false };
  const access = {
    ...{ credentials, region: 'eu-west-1', roles: [] },
    clock: createServerClock(Date.now),
  };
  await reportSigner(access, { what: 'MLflow', log, clock, over: over.signal });
  return { lines, waits };
}

const mostWaits = 5;
const role = { accessKeyId: 'A', secretAccessKey: 's', sessionToken: 't', expiresAt: 4e12 };

test('the source is named at once, and whose credentials they are as soon as STS tells', async (t) => {
  const find = async () => ({ ...role, source: 'a pod' });
  const { lines, waits } = await report(t, find, 3);
  assert.deepEqual(lines, [
    'requests to MLflow are signed by credentials from a pod',
    'STS does not tell whose the AWS credentials from a pod are; it is asked again',
    `requests to MLflow are signed as ${arn}`,
  ]);
  assert.deepEqual(waits, [10, 20, 40]);
});

test('that there are no credentials yet is said once, and ends with the process', async (t) => {
  const find = async () => {
    throw new Error('none');
  };
  const { lines, waits } = await report(t, find, 0);
  assert.deepEqual(lines, ['there are no AWS credentials yet']);
  assert.equal(waits.length, mostWaits);
});
