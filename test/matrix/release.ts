import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Stage, type StageOptions, startStage } from '../crash/stage.ts';
import type { MlflowRun } from '../support/mlflow-reader.ts';
import { s3Actions } from '../support/s3-actions.ts';
import type { ResourceKind } from '../support/sagemaker-edge/resource.ts';
import {
  bucket,
  type ManagedMlflow,
  type SagemakerStack,
  startManagedMlflow,
} from '../support/sagemaker-stack.ts';

/** A sidecar that records in a managed MLflow. */
export interface ManagedStage extends Omit<Stage, 'sagemaker'> {
  readonly sagemaker: SagemakerStack;
}

export type ManagedOptions = Omit<StageOptions, 'mlflow' | 'endpoint' | 'withoutProxy'>;

/** One release of MLflow as SageMaker runs it, and what the edges before it have seen. */
export class Release {
  readonly version: string;
  readonly #stacks: { readonly kind: ResourceKind; readonly stack: SagemakerStack }[] = [];
  #mlflow: ManagedMlflow | undefined;

  constructor(version: string) {
    this.version = version;
  }

  get mlflow(): ManagedMlflow {
    assert.ok(this.#mlflow, 'it was started');
    return this.#mlflow;
  }

  /** Traces can be made one by one from 3.2 on. */
  get makesTraces(): boolean {
    return this.#isFrom(2);
  }

  /** MLflow itself hands out URLs for uploads from 3.12 on. */
  get presigns(): boolean {
    return this.#isFrom(12);
  }

  /** Of version 3. */
  #isFrom(least: number): boolean {
    const [major = 0, minor = 0] = this.version.split('.').map(Number);
    return major > 3 || (major === 3 && minor >= least);
  }

  async start(): Promise<void> {
    this.#mlflow = await startManagedMlflow({ version: this.version });
  }

  async close(): Promise<void> {
    await this.#mlflow?.close();
  }

  /** A SageMaker and a sidecar of a test's own before it, at the rate that the server's size gives. */
  async stage(t: TestContext, options: ManagedOptions = {}): Promise<ManagedStage> {
    const env = { SIDECAR_REQUESTS_PER_SECOND: '', ...options.env };
    const stage = await startStage(t, { ...options, mlflow: this.mlflow, env });
    const { sagemaker } = stage;
    assert.ok(sagemaker);
    this.#stacks.push({ kind: options.kind ?? 'tracking-server', stack: sagemaker });
    return { ...stage, sagemaker };
  }

  /** What S3 holds of these runs: the content by the number of the call and the file's name. */
  async files(runs: readonly MlflowRun[]): Promise<Map<string, Buffer>> {
    const files = new Map<string, Buffer>();
    for (const { artifactUri, tags } of runs) {
      const prefix = artifactUri.replace(`s3://${bucket}/`, '');
      const number = tags['request_id']?.replace('call-', '');
      for (const [key, content] of await this.mlflow.moto.objects(bucket, prefix)) {
        files.set(`${number} ${key.slice(prefix.length + 1)}`, content);
      }
    }
    return files;
  }

  /** Asks MLflow itself, as a person with another client would. */
  async tell(request: string, body: object): Promise<void> {
    const response = await fetch(`${this.mlflow.url}/api/2.0/mlflow/${request}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200);
  }

  /**
   * The IAM actions that sidecars on this kind of resource needed so far, sorted: of the data plane, the
   * control plane and S3, the latter with its keys.
   */
  actions(of: ResourceKind): string[] {
    const stacks = this.#stacks.flatMap(({ kind, stack }) => (kind === of ? [stack] : []));
    const actions = stacks.flatMap(({ edge, controlPlane, proxy }) => [
      ...edge.verbs(),
      ...controlPlane.calls.map(({ operation }) => `sagemaker:${operation}`),
      ...proxy.requests.filter(({ isForS3 }) => isForS3).flatMap(s3Actions),
    ]);
    return [...new Set(actions)].sort();
  }
}
