import type { ObjectStore, PutResult } from '../aws/s3.ts';
import type { StreamBody } from '../aws/stream-body.ts';
import { classifyPut } from './classify-s3.ts';
import type { MlflowClient, OnOutcome, Run } from './client.ts';
import type { Outcome } from './outcome.ts';
import { uploadTo } from './upload-to.ts';

/**
 * As MLflow itself reads it: one slash behind the bucket is none of the key's. An access point, whose ARN
 * would stand in the bucket's place, is not known here.
 */
const s3Uri = /^s3:\/\/([^/?#:]+)(?:\/([^?#]*?))?\/?(?:[?#].*)?$/;

/** What a file holds. */
export type FileContent = Uint8Array | StreamBody;

/** Where the files of runs go. */
export interface Artifacts {
  /** Safe to send again; `undefined` where the run's artifact URI leads nowhere that is known. */
  put(
    run: Pick<Run, 'id' | 'artifactUri'>,
    name: string,
    body: FileContent,
  ): Promise<Outcome<void>> | undefined;
  /**
   * Puts a file at an S3 URI, whatever the runs' own place is. Safe to send again; `undefined` where the
   * URI is none of S3.
   */
  putAt(uri: string, body: FileContent): Promise<Outcome<void>> | undefined;
}

export interface ArtifactsOptions {
  mlflow: MlflowClient;
  /** S3, for artifact URIs that lead there. */
  objects: ObjectStore;
  /** Whether MLflow is asked for a presigned URL for each upload to S3. */
  presigned: boolean;
  now: () => number;
  onOutcome: OnOutcome;
}

/**
 * Puts files where the run's artifact URI leads: behind MLflow's proxy for `mlflow-artifacts:`, straight
 * to S3 for `s3:`.
 */
export function createArtifacts(options: ArtifactsOptions): Artifacts {
  const { mlflow, objects, now, onOutcome } = options;

  const timed = async (upload: Promise<PutResult>): Promise<Outcome<void>> => {
    const start = now();
    const outcome = classifyPut(await upload);
    onOutcome('artifacts/put', outcome.kind, now() - start);
    return outcome;
  };

  const putPresigned = async (runId: string, name: string, body: FileContent) => {
    const presigned = await mlflow.presignUpload(runId, name);
    return presigned.kind === 'done' ? timed(uploadTo(presigned.value, body)) : presigned;
  };

  return {
    put: (run, name, body) => {
      const { artifactUri } = run;
      if (artifactUri.startsWith('mlflow-artifacts:')) {
        return mlflow.putProxiedArtifact(artifactUri, name, body);
      }
      const [, bucket, prefix = ''] = s3Uri.exec(artifactUri) ?? [];
      if (bucket === undefined) return undefined;
      if (options.presigned) return putPresigned(run.id, name, body);
      const key = prefix === '' ? name : `${prefix}/${name}`;
      return timed(objects.put({ bucket, key, body, contentType: typeOf(name) }));
    },
    putAt: (uri, body) => {
      const [, bucket, key = ''] = s3Uri.exec(uri) ?? [];
      if (bucket === undefined || key === '') return undefined;
      return timed(objects.put({ bucket, key, body, contentType: typeOf(key) }));
    },
  };
}

function typeOf(name: string): string {
  if (name.endsWith('.json')) return 'application/json';
  if (name.endsWith('.gz')) return 'application/gzip';
  return name.endsWith('.txt') ? 'text/plain; charset=utf-8' : 'application/octet-stream';
}
