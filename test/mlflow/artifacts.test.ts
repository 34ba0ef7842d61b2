import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredObject } from '../../src/aws/s3.ts';
import { createArtifacts } from '../../src/mlflow/artifacts.ts';
import { createMlflowClient } from '../../src/mlflow/client.ts';

/** Where `call.json` of a run with this artifact URI goes in S3. */
async function placeOf(artifactUri: string): Promise<string | undefined> {
  const stored: StoredObject[] = [];
  const onOutcome = () => undefined;
  const artifacts = createArtifacts({
    mlflow: createMlflowClient(async () => assert.fail('MLflow is not asked'), {
      now: Date.now,
      onOutcome,
    }),
    objects: {
      put: async (object) => {
        stored.push(object);
        return { kind: 'stored' };
      },
      close: () => undefined,
    },
    presigned: false,
    now: Date.now,
    onOutcome,
  });
  await artifacts.put({ id: 'r', artifactUri }, 'call.json', new Uint8Array());
  return stored[0] && `${stored[0].bucket} ${stored[0].key}`;
}

for (const [uri, place] of [
  ['s3://bucket/1/r/artifacts', 'bucket 1/r/artifacts/call.json'],
  ['s3://bucket/1/r/artifacts/', 'bucket 1/r/artifacts/call.json'],
  ['s3://bucket', 'bucket call.json'],
  ['s3://bucket/', 'bucket call.json'],
  ['s3://bucket//a', 'bucket /a/call.json'],
  ['s3://bucket/a?b#c', 'bucket a/call.json'],
  ['s3://bucket/a%20b/ü', 'bucket a%20b/ü/call.json'],
  ['s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/a', undefined],
  ['gs://bucket/a', undefined],
  ['', undefined],
] as const) {
  test(`the files of ${uri || 'a run without a URI'} go to ${place ?? 'no place that is known'}`, async () => {
    assert.equal(await placeOf(uri), place);
  });
}
