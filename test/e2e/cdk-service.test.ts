import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { z } from 'zod';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { readComposeFile } from '../packaging/compose-file.ts';
import { environmentOf, healthCommand, lastOf, readDockerfile } from '../packaging/dockerfile.ts';
import { readLitellmConfig, variablesOf } from '../packaging/litellm-config.ts';
import { cdkApp } from '../support/cdk-app.ts';
import { serviceContext } from '../support/cdk-service.ts';
import { onlyResource, resolved, resourcesOf } from '../support/cloud-template.ts';

const container = z.object({
  Name: z.string(),
  Image: z.string(),
  Essential: z.boolean(),
  Memory: z.number().optional(),
  EntryPoint: z.array(z.string()).optional(),
  Command: z.array(z.string()).default([]),
  Environment: z.array(z.object({ Name: z.string(), Value: z.string() })),
  Secrets: z.array(z.object({ Name: z.string(), ValueFrom: z.string() })),
  DependsOn: z.array(z.object({ ContainerName: z.string(), Condition: z.string() })).default([]),
  MountPoints: z
    .array(z.object({ SourceVolume: z.string(), ContainerPath: z.string(), ReadOnly: z.boolean() }))
    .default([]),
  HealthCheck: z.object({ Command: z.array(z.string()) }),
  RestartPolicy: z
    .object({ Enabled: z.boolean(), IgnoredExitCodes: z.array(z.number()) })
    .optional(),
  StopTimeout: z.number(),
});
const taskDefinition = z.object({
  ContainerDefinitions: z.tuple([container, container]),
  RequiresCompatibilities: z.array(z.string()),
  NetworkMode: z.string(),
  Volumes: z.array(z.unknown()),
});

const app = await cdkApp({ after: (end) => after(end) });
const { template } = await app.synth({ ...serviceContext, replicas: '3' });
const known = {
  Bucket83908E77: 'the-bucket',
  'TrackingServer.TrackingServerArn':
    'arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/llm-calls',
  'AWS::Region': 'eu-west-1',
  'AWS::URLSuffix': 'amazonaws.com',
};
const task = taskDefinition.parse(
  resolved(onlyResource(template, 'AWS::ECS::TaskDefinition').Properties, known),
);
const [sidecar, litellm] = task.ContainerDefinitions;
const environmentIn = ({ Environment }: z.infer<typeof container>) =>
  Object.fromEntries(Environment.map(({ Name, Value }) => [Name, Value]));
const image = (await readDockerfile()).at(-1);
assert.ok(image);

/** What the sidecar in the task reads, over what its image sets; a secret's ARN stands for the secret. */
function settingsInTask() {
  const secrets = Object.fromEntries(sidecar.Secrets.map(({ Name }) => [Name, 'a-secret-text']));
  const environment = {
    ...environmentOf(image ?? assert.fail()),
    ...environmentIn(sidecar),
    ...secrets,
  };
  const loaded = loadSettings(environment);
  assert.equal(loaded.kind, 'valid', JSON.stringify(loaded));
  return loaded;
}

test('LiteLLM and the sidecar are two containers of one Fargate task, and only LiteLLM is essential', () => {
  assert.deepEqual(
    [sidecar.Name, sidecar.Essential, litellm.Name, litellm.Essential],
    ['sidecar', false, 'litellm', true],
  );
  assert.equal(sidecar.Image, serviceContext.image);
  assert.deepEqual([task.RequiresCompatibilities, task.NetworkMode], [['FARGATE'], 'awsvpc']);
});

test('LiteLLM starts when the sidecar is healthy, and so ends before it', () => {
  assert.deepEqual(litellm.DependsOn, [{ ContainerName: 'sidecar', Condition: 'HEALTHY' }]);
  assert.deepEqual(sidecar.DependsOn, []);
});

test('a sidecar that crashes is started again, one with wrong settings is not', () => {
  assert.deepEqual(sidecar.RestartPolicy, { Enabled: true, IgnoredExitCodes: [0, 78] });
});

test("the sidecar's health is asked as its image asks, LiteLLM's as in the compose file", async () => {
  const own = healthCommand(image ?? assert.fail()).map((word) =>
    word.replace(/`(.*)\$\{process\.env\.SIDECAR_PORT\}(.*)`/, `'$14100$2'`),
  );
  assert.deepEqual(sidecar.HealthCheck.Command, ['CMD', ...own]);
  const { healthcheck } = (await readComposeFile()).services.litellm;
  assert.deepEqual(litellm.HealthCheck.Command, healthcheck?.test);
});

test('the sidecar is given only settings that it knows, and takes them', () => {
  const { settings, warnings } = settingsInTask();
  assert.deepEqual(warnings, []);
  assert.equal(settings.destination.trackingUri, known['TrackingServer.TrackingServerArn']);
  assert.equal(settings.archive.uri, 's3://the-bucket/litellm/calls');
  assert.equal(settings.destination.replicas, 3);
  assert.equal(onlyResource(template, 'AWS::ECS::Service').Properties['DesiredCount'], 3);
});

test('the disk goes with the task, so a stop sends what is pending, and has the time', () => {
  const { settings } = settingsInTask();
  assert.equal(settings.journal.ephemeral, true);
  assert.equal(sidecar.StopTimeout, 120);
  assert.ok(settings.shutdown.grace < sidecar.StopTimeout * 1000);
  assert.ok(settings.shutdown.grace >= 60_000);
});

test("the journal's volume lies where the image declares one, which gives it its owner", () => {
  const path = environmentOf(image ?? assert.fail())['SIDECAR_DATA_DIR'];
  assert.equal(lastOf(image ?? assert.fail(), 'VOLUME'), path);
  assert.deepEqual(sidecar.MountPoints, [
    { SourceVolume: 'journal', ContainerPath: path, ReadOnly: false },
  ]);
  assert.deepEqual(task.Volumes, [{ Name: 'journal' }]);
});

test('only the task itself can reach the sidecar, by the token that both are given', () => {
  const { settings } = settingsInTask();
  assert.equal(settings.server.host, '127.0.0.1');
  assert.equal(
    environmentIn(litellm)['SIDECAR_EVENTS_URL'],
    `http://127.0.0.1:${settings.server.port}/v1/events`,
  );
  const [token] = sidecar.Secrets;
  assert.deepEqual(litellm.Secrets[0], token);
  assert.equal(token?.Name, 'SIDECAR_AUTH_TOKEN');
});

test('LiteLLM gets the configuration of this project, and a secret for each variable that it takes', async () => {
  const config = await readLitellmConfig();
  const given = new Set([
    ...Object.keys(environmentIn(litellm)),
    ...litellm.Secrets.map(({ Name }) => Name),
  ]);
  for (const name of variablesOf(config)) assert.ok(given.has(name), name);
  const keys = litellm.Secrets.filter(({ Name }) => Name !== 'SIDECAR_AUTH_TOKEN');
  for (const { Name, ValueFrom } of keys) {
    assert.equal(ValueFrom, `${serviceContext.litellmSecret}:${Name}::`);
  }
  assert.match(litellm.Command.join(' '), /"\$LITELLM_CONFIG".* exec litellm /);
});

test('a load balancer sends to LiteLLM, where there is one', async () => {
  const targetGroup =
    'arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/litellm/0123456789abcdef';
  const balanced = await app.synth({ ...serviceContext, targetGroup });
  const balancersOf = (from: typeof template) =>
    onlyResource(from, 'AWS::ECS::Service').Properties['LoadBalancers'];
  assert.deepEqual(balancersOf(balanced.template), [
    { ContainerName: 'litellm', ContainerPort: 4000, TargetGroupArn: targetGroup },
  ]);
  assert.equal(balancersOf(template), undefined);
});

test('tasks have the policy of the sidecar and, unless a shell is asked for, nothing else', () => {
  const roles = resourcesOf(template, 'AWS::IAM::Role').filter(
    ({ Properties }) => Properties['ManagedPolicyArns'] !== undefined,
  );
  assert.deepEqual(
    roles.map(({ Properties }) => Properties['ManagedPolicyArns']),
    [[{ Ref: 'SidecarPolicy' }]],
  );
  assert.doesNotMatch(JSON.stringify(template), /ssmmessages/);
});
