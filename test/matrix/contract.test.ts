import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { contractReleases } from '../support/mlflow-releases.ts';
import { sidecarPolicy } from '../support/sidecar-policy.ts';
import { artifacts } from './artifacts.ts';
import { limits } from './limits.ts';
import { refusals } from './refusals.ts';
import { Release } from './release.ts';
import { lateCreate, requests } from './requests.ts';

/*
 * What holds between the sidecar and each release of MLflow, through the edge of SageMaker. The sidecar
 * has the permissions of config/iam and no others.
 */

const timeout = 900_000;

// While one release is waited for, the next one has the processor.
describe('recording through the edge of SageMaker', { concurrency: 2, timeout }, () => {
  for (const version of contractReleases()) {
    describe(`in MLflow ${version}`, { concurrency: 1, timeout }, () => {
      const release = new Release(version);
      before(() => release.start(), { timeout: 600_000 });
      after(() => release.close());

      describe('a sidecar and MLflow agree', { concurrency: 3, timeout }, () => {
        // What takes longest comes first, so that all others run beside it.
        lateCreate(release);
        requests(release);
        refusals(release);
        artifacts(release);
        limits(release);
      });

      it('the policy of config/iam grants the verbs that the edge saw, and no other', () => {
        const granted = sidecarPolicy('tracking-server');
        const verbs = granted.filter((action) => action.startsWith('sagemaker-mlflow:'));
        assert.deepEqual(release.verbs(), verbs.sort());
      });
    });
  }
});
