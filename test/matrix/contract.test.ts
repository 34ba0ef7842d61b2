import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { grantedBy } from '../support/iam-policy.ts';
import { contractReleases } from '../support/mlflow-releases.ts';
import { artifacts } from './artifacts.ts';
import { detail } from './detail.ts';
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
        detail(release);
        limits(release);
      });

      const settings = ['kms', ...(release.makesTraces ? ['traces'] : [])];
      for (const [kind, more] of [
        ['tracking-server', settings],
        ['app', ['kms']],
      ] as const) {
        it(`the policies of config/iam for the ${kind} grant all that was asked of AWS, and no more`, () => {
          assert.deepEqual(release.actions(kind), grantedBy(`sidecar-${kind}`, ...more));
        });
      }
    });
  }
});
