import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Context, cdkApp, readSynthesized } from '../support/cdk-app.ts';
import { serviceContext } from '../support/cdk-service.ts';
import { cfnLint } from '../support/cfn-lint.ts';
import { runProgram } from '../support/run-program.ts';

const app = await cdkApp({ after: (end) => after(end) });

/** The largest template that CloudFormation takes without a bucket to read it from. */
const mostTemplateBytes = 51_200;

const targetGroup =
  'arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/litellm/0123456789abcdef';

const variants: Readonly<Record<string, Context>> = {
  'a tracking server': {},
  'a large one of a version, with bodies that go': {
    ...{ size: 'Large', mlflowVersion: '3.0.0', maintenanceWindow: 'Sun:23:59' },
    ...{ artifactDays: '90', archiveDays: '3650', traces: 'true', bucketName: 'all-the-calls' },
  },
  'an app': { kind: 'app', name: 'team-a', prefix: 'teams/a' },
  'an app with a service': { ...serviceContext, kind: 'app' },
  'a service with a balancer and a shell': {
    ...{ ...serviceContext, targetGroup, exec: 'true', replicas: '4' },
    ...{ cpu: '2048', memory: '8192', image: `ghcr.io/me/sidecar@sha256:${'0'.repeat(64)}` },
  },
};

for (const [name, context] of Object.entries(variants)) {
  test(`${name} passes cfn-lint, and is small enough to be deployed as it is`, async () => {
    const { file } = await app.synth(context);
    assert.deepEqual(await cfnLint(file), []);
    assert.ok((await stat(file)).size < mostTemplateBytes);
  });
}

test('cfn-lint finds a mistake in a template', async () => {
  const { file } = await app.synth();
  const broken = join(app.dir, 'broken.json');
  await writeFile(broken, (await readFile(file, 'utf8')).replace('"Small"', '"Tiny"'));
  assert.match((await cfnLint(broken)).join('\n'), /TrackingServerSize|Tiny/);
});

test('cdk synth works without a network or credentials, and guards the stack against deletion', async () => {
  const out = join(app.dir, 'cdk.out');
  const { code, output } = await app.cdk(['synth', '--quiet', '-c', 'name=from-cli']);
  assert.equal(code, 0, output);
  const { template } = await readSynthesized(out, 'from-cli');
  assert.deepEqual(Object.keys(template.Outputs).slice(0, 3), [
    'MlflowTrackingUri',
    'AwsRegion',
    'SidecarArchiveUri',
  ]);
  const manifest = await readFile(join(out, 'manifest.json'), 'utf8');
  assert.match(manifest, /"terminationProtection": true/);
});

test('a wrong context ends with its mistakes, and no template', async () => {
  const { code, output } = await app.run({ kind: 'apps', artifactDays: 'never' });
  assert.equal(code, 78);
  assert.equal(
    output,
    'The context is wrong:\n' +
      '  kind: "apps" is not one of tracking-server, app\n' +
      '  artifactDays: "never" is not a whole number from 1 to 3650\n',
  );
});

test('its types are right', async () => {
  const { code, output } = await runProgram('node_modules/.bin/tsc', ['-p', app.dir], {
    withinMs: 180_000,
  });
  assert.equal(code, 0, output);
});

test('its versions are exact, and its lock file names no registry', async () => {
  const { dependencies } = JSON.parse(await readFile('config/cdk/package.json', 'utf8'));
  for (const version of Object.values(dependencies))
    assert.match(String(version), /^\d+\.\d+\.\d+$/);
  assert.doesNotMatch(await readFile('config/cdk/package-lock.json', 'utf8'), /"resolved"/);
});
