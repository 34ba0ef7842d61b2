import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredObject } from '../../src/aws/s3.ts';
import { type Artifacts, createArtifacts } from '../../src/mlflow/artifacts.ts';
import { createMlflowClient } from '../../src/mlflow/client.ts';

/** Where what `put` puts goes in S3. */
async function placeOf(
  put: (artifacts: Artifacts) => Promise<unknown> | undefined,
): Promise<string | undefined> {
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
  await put(artifacts);
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
    const run = { id: 'r', artifactUri: uri };
    const put = ({ put }: Artifacts) => put(run, 'call.json', new Uint8Array());
    assert.equal(await placeOf(put), place);
  });
}

for (const [uri, place] of [
  ['s3://lake/dt=2026-11-24/hour=13/j-1.jsonl.gz', 'lake dt=2026-11-24/hour=13/j-1.jsonl.gz'],
  ['s3://lake', undefined],
  ['gs://lake/a.gz', undefined],
] as const) {
  test(`a file for ${uri} goes to ${place ?? 'no place that is known'}`, async () => {
    assert.equal(await placeOf(({ putAt }) => putAt(uri, new Uint8Array())), place);
  });
}
