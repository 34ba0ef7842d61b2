import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLogged } from '../../support/logged.ts';
import type { AccessKeyLookup } from '../../support/sagemaker-edge/access-keys.ts';
import { type Source, sourceCases } from './sources.ts';
import { assertEachOnce, authReport, post, sidecarOn, startStage } from './stage.ts';

for (const { name, source, identity, expires, start } of sourceCases) {
  test(`where there is only ${name}, it is found, and requests are signed by it`, async (t) => {
    let given: Source | undefined;
    const find: AccessKeyLookup = (id) => given?.find(id);
    const stage = await startStage(t, find);
    given = await start(t, stage.home);

    const report = await authReport(stage, given.environment);
    assert.equal(report.code, 0, report.error);
    assert.equal(report.source, source);
    assert.match(report.arn ?? '', identity);
    assert.equal(report.expires !== undefined, expires);

    const sidecar = await sidecarOn(t, stage, given.environment);
    await post(sidecar, 1, 5);
    await sidecar.drained();
    assertEachOnce(stage, 5);
    const refused = stage.edge.requests.filter(({ refusal }) => refusal !== undefined);
    assert.deepEqual(refused, []);
    const as = report.arn?.split('/')[0];
    await assertLogged(sidecar.logFile, `requests to MLflow are signed as ${as}`, 1);
  });
}
