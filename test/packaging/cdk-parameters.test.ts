import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parameterNames, readParameters } from '../../config/cdk/parameters.ts';
import { serviceContext as service } from '../support/cdk-service.ts';
import { readComposeFile } from './compose-file.ts';

function parametersOf(context: Readonly<Record<string, unknown>>) {
  const read = readParameters(context);
  assert.equal(read.kind, 'valid', JSON.stringify(read));
  return read.parameters;
}

function problemsOf(context: Readonly<Record<string, unknown>>): readonly string[] {
  const read = readParameters(context);
  assert.equal(read.kind, 'invalid');
  return read.problems;
}

test('without any context it is a small tracking server that keeps all bodies', () => {
  assert.deepEqual(parametersOf({}), {
    name: 'llm-calls',
    kind: 'tracking-server',
    size: 'Small',
    prefix: 'litellm',
    oldVersionDays: 30,
    brokenUploadDays: 7,
    traces: false,
    operatorWrite: false,
  });
});

test('values may be texts, as the command line has them, or JSON of cdk.json', () => {
  const asText = parametersOf({ ...service, artifactDays: '90', traces: 'true', replicas: '3' });
  const asJson = parametersOf({
    ...service,
    ecs: true,
    artifactDays: 90,
    traces: true,
    replicas: 3,
    subnets: service.subnets.split(', '),
  });
  assert.deepEqual(asText, asJson);
  assert.deepEqual(asText.service?.subnets, service.subnets.split(', '));
  assert.deepEqual([asText.artifactDays, asText.traces, asText.service?.replicas], [90, true, 3]);
});

test("CDK's own context is left alone", () => {
  parametersOf({ 'cli-telemetry': false, '@aws-cdk/core:x': true, 'aws:cdk:bundling-stacks': [] });
});

test('every mistake is named at once, with its value and what is allowed', () => {
  assert.deepEqual(
    problemsOf({ kind: 'server', archiveDays: '0', bucketName: 'Calls', nam: 'x' }),
    [
      'kind: "server" is not one of tracking-server, app',
      'bucketName: "Calls" is not a name of 3 to 63 small letters, digits and hyphens',
      'archiveDays: "0" is not a whole number from 1 to 3650',
      `nam: no such parameter; there are ${parameterNames.join(', ')}`,
    ],
  );
});

for (const [name, value] of [
  ['name', '1st'],
  ['name', 'a--b'],
  ['size', 'small'],
  ['mlflowVersion', '3'],
  ['maintenanceWindow', 'TUE:03:30'],
  ['prefix', '/litellm'],
  ['prefix', 'litellm/'],
  ['oldVersionDays', 'week'],
  ['brokenUploadDays', '1.5'],
  ['traces', 'yes'],
] as const) {
  test(`${name}=${value} is refused by name`, () => {
    const [problem, ...others] = problemsOf({ [name]: value });
    assert.deepEqual(others, []);
    assert.ok(problem?.startsWith(`${name}: "${value}" is not `), problem);
  });
}

for (const [name, value] of [
  ['image', 'sidecar'],
  ['litellmImage', 'ghcr.io/berriai/litellm'],
  ['litellmSecret', 'litellm'],
  ['subnets', 'vpc-0123456789abcdef0'],
  ['securityGroups', 'sg-x'],
  ['targetGroup', 'arn:aws:elasticloadbalancing:eu-west-1:1:x'],
  ['replicas', '0'],
  ['cpu', '256'],
  ['memory', '16384'],
  ['exec', 'on'],
] as const) {
  test(`${name}=${value} is refused by name in a service`, () => {
    const [problem, ...others] = problemsOf({ ...service, [name]: value });
    assert.deepEqual(others, []);
    assert.ok(problem?.startsWith(`${name}: "${value}" is not `), problem);
  });
}

test('a service says what it lacks', () => {
  const names = problemsOf({ ecs: 'true' }).map((problem) => problem.replace(/;.*/, ''));
  assert.deepEqual(names, [
    'image: not set',
    'litellmSecret: not set',
    'subnets: not set',
    'securityGroups: not set',
  ]);
});

test('what would do nothing is refused: parameters of the other kind, and of a service without one', () => {
  assert.deepEqual(problemsOf({ kind: 'app', size: 'Small' }), ['size: set, but an app has none']);
  assert.deepEqual(problemsOf({ replicas: '2' }), [
    'replicas: set, but it counts only with ecs=true',
  ]);
});

test('memory has to be what Fargate has for the processors, in whole GiB', () => {
  assert.equal(parametersOf({ ...service, cpu: '2048', memory: '16384' }).service?.memory, 16_384);
  assert.equal(parametersOf({ ...service, cpu: '4096' }).service?.memory, 8192);
  assert.deepEqual(problemsOf({ ...service, memory: '2500' }), [
    'memory: 2500 is not a multiple of 1024',
  ]);
});

test("LiteLLM's configuration has to be there, and fit", () => {
  assert.deepEqual(problemsOf({ ...service, litellmConfig: 'no.yaml' }), [
    'litellmConfig: "no.yaml" cannot be read',
  ]);
  assert.match(
    problemsOf({ ...service, litellmConfig: '../../docs/sagemaker.md' })[0] ?? '',
    /^litellmConfig: .* larger than 16000 bytes/,
  );
});

test("the service runs the LiteLLM of the compose file, with this project's configuration", async () => {
  const { litellmImage, litellmConfig } = parametersOf(service).service ?? {};
  assert.equal(litellmImage, (await readComposeFile()).services.litellm.image);
  assert.equal(litellmConfig, await readFile('config/litellm.yaml', 'utf8'));
});

test('the guide explains every parameter, and no other', async () => {
  const guide = await readFile('config/cdk/README.md', 'utf8');
  const section = /^## Parameters\n(.*?)(?=^## |$(?![\s\S]))/ms.exec(guide)?.[1] ?? '';
  const cells = [...section.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = '']) => cell);
  const explained = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  assert.deepEqual(explained.sort(), [...parameterNames].sort());
});
