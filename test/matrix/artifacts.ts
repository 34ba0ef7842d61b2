import assert from 'node:assert/strict';
import { it } from 'node:test';
import { crc32 } from 'node:zlib';
import { HeadObjectCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { stateOf } from '../crash/stage.ts';
import type { Fault, PassingRequest } from '../support/fault-proxy.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import type { MlflowRun } from '../support/mlflow-reader.ts';
import { postEvents } from '../support/post-events.ts';
import { bucket } from '../support/sagemaker-stack.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { ManagedStage, Release } from './release.ts';

const megabyte = 1024 * 1024;

/** The files of runs, in S3. */
export function artifacts(release: Release): void {
  it('a file goes to S3 with a checksum and a type', async (t) => {
    const { proxy, runs, post, assertRecorded } = await release.stage(t);
    await post(1, 1);
    await assertRecorded(1);
    const [put, ...others] = proxy.named('artifacts/put');
    assert.ok(put !== undefined && others.length === 0);
    assertChecksum(put);
    const [run] = await runs();
    const { ContentType, ServerSideEncryption } = await head(run);
    assert.equal(ContentType, 'application/json');
    assert.notEqual(ServerSideEncryption, 'aws:kms');
  });

  it('a file of 20 MB goes to S3 in parts, each with a checksum', async (t) => {
    const { sidecar, proxy, runs } = await release.stage(t);
    const messages = [{ role: 'user', content: 'question 1 '.padEnd(20 * megabyte, 'x') }];
    await postEvents(sidecar.eventsUrl, [litellmEvent(1, { messages })]);
    await sidecar.drained(60_000);

    const parts = proxy.named('artifacts/put');
    assert.equal(parts.length, 3);
    for (const part of parts) {
      assert.match(part.path, /[?&]partNumber=\d/);
      assertChecksum(part);
    }
    const [content] = (await release.files(await runs())).values();
    const kept: { request: { messages: unknown } } = JSON.parse(String(content));
    assert.deepEqual(kept.request.messages, messages);
  });

  for (const kind of ['tracking-server', 'app'] as const) {
    it(`a KMS key that is set encrypts the files of an MLflow behind the ${kind}, those in parts too`, async (t) => {
      const key = 'arn:aws:kms:eu-west-1:111122223333:key/11112222-3333-4444-5555-666677778888';
      const settings = `artifacts: { kmsKeyId: '${key}' }\n`;
      const { sidecar, runs } = await release.stage(t, { kind, settings });
      const messages = 'x'.repeat(9 * megabyte);
      await postEvents(sidecar.eventsUrl, [litellmEvent(1), litellmEvent(2, { messages })]);
      await sidecar.drained(60_000);
      const found = await Promise.all((await runs()).map(head));
      assert.deepEqual(
        found.map(({ ServerSideEncryption, SSEKMSKeyId }) => [ServerSideEncryption, SSEKMSKeyId]),
        [
          ['aws:kms', key],
          ['aws:kms', key],
        ],
      );
    });

    it(`of an upload in parts behind the ${kind} that breaks off nothing is left in S3`, async (t) => {
      const stage = await release.stage(t, { kind });
      const fault = refusal(403, 'AccessDenied');
      stage.proxy.harm(({ path }) => (path.includes('partNumber=2') ? fault : undefined));
      const messages = 'x'.repeat(9 * megabyte);
      await postEvents(stage.sidecar.eventsUrl, [litellmEvent(1, { messages })]);
      assert.equal(await stage.held('artifacts'), 'forbidden');
      stage.proxy.heal();
      await stage.sidecar.drained(60_000);
      const [run] = await stage.runs();
      const Prefix = run?.artifactUri.replace(`s3://${bucket}/`, '');
      const listed = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix });
      const { Uploads = [] } = await release.mlflow.moto.s3.send(listed);
      assert.deepEqual(Uploads, []);
      assert.equal((await release.files(await stage.runs())).size, 1);
    });
  }

  it('while S3 refuses, params and metrics go on, and the files follow when it no longer does', async (t) => {
    const stage = await release.stage(t);
    let calls = 0;
    for (const [status, code, reason] of [
      [403, 'AccessDenied', 'forbidden'],
      [404, 'NoSuchBucket', 'no_such_bucket'],
      [503, 'SlowDown', 'throttled'],
    ] as const) {
      const fault = refusal(status, code);
      stage.proxy.harm(({ name }) => (name === 'artifacts/put' ? fault : undefined));
      await stage.post(calls + 1, calls + 3);
      calls += 3;
      assert.equal(await stage.held('artifacts'), reason);
      await assertMetricsGoOn(stage, 3);
      stage.proxy.heal();
      await stage.assertRecorded(calls);
      assert.equal((await stateOf(stage.sidecar, 'artifacts')).state, 'open');
    }
  });

  const presigned = { kind: 'app', settings: 'artifacts: { upload: presigned }\n' } as const;
  if (release.presigns) {
    it('by URLs that MLflow hands out, files go to S3 without a permission of their own', async (t) => {
      const { proxy, runs, post, assertRecorded } = await release.stage(t, presigned);
      await post(1, 3);
      await assertRecorded(3);
      assert.equal(proxy.named('artifacts/presigned-upload-url').length, 3);
      assert.equal(proxy.named('artifacts/put').length, 0, 'none by the credentials');
      assert.equal((await release.files(await runs())).size, 3);
    });
  } else {
    it('of an MLflow that hands out no URLs the files are held, and params and metrics go on', async (t) => {
      const stage = await release.stage(t, presigned);
      await stage.post(1, 3);
      assert.equal(await stage.held('artifacts'), 'unsupported');
      await assertMetricsGoOn(stage, 3);
    });
  }

  async function head(run: MlflowRun | undefined) {
    const Key = `${run?.artifactUri.replace(`s3://${bucket}/`, '')}/call.json`;
    return release.mlflow.moto.s3.send(new HeadObjectCommand({ Bucket: bucket, Key }));
  }
}

/** Waits until so many runs have all but their files; MLflow itself is not held. */
async function assertMetricsGoOn({ sidecar, runs }: ManagedStage, count: number): Promise<void> {
  const areThere = async () => {
    const begun = (await runs()).filter(({ status }) => status === 'RUNNING');
    const logged = begun.filter(({ metrics }) => metrics['total_tokens'] === 28);
    return logged.length === count ? true : undefined;
  };
  await waitUntil(areThere, { what: 'the metrics', withinMs: 30_000 });
  assert.equal((await stateOf(sidecar, 'mlflow')).state, 'open');
}

/** S3 compares it with what arrived; moto does not. */
function assertChecksum({ headers, body }: PassingRequest): void {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  assert.equal(headers['x-amz-checksum-crc32'], checksum.toString('base64'));
}

function refusal(status: number, code: string): Fault {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;
  return { kind: 'answer', status, headers: { 'content-type': 'application/xml' }, body };
}
