import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { z } from 'zod';
import { columns } from '../../src/record/calls/columns.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { cdkApp } from '../support/cdk-app.ts';
import { filledIn as known } from '../support/cdk-service.ts';
import { type CloudTemplate, onlyResource, resolved } from '../support/cloud-template.ts';

const app = await cdkApp({ after: (end) => after(end) });
const server = (await app.synth()).template;
const anApp = (await app.synth({ kind: 'app', name: 'team-calls', prefix: 'teams/a' })).template;

const outputsOf = (template: CloudTemplate): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(template.Outputs).map(([name, { Value }]) => [name, resolved(Value, known)]),
  );

test('the outputs are settings that the sidecar takes as they are', () => {
  for (const template of [server, anApp]) {
    const { MlflowTrackingUri, AwsRegion, SidecarArchiveUri, SidecarEnvironment } =
      outputsOf(template);
    const lines = String(SidecarEnvironment).split('\n');
    assert.deepEqual(lines, [
      `MLFLOW_TRACKING_URI=${MlflowTrackingUri}`,
      `AWS_REGION=${AwsRegion}`,
      `SIDECAR_ARCHIVE_URI=${SidecarArchiveUri}`,
    ]);
    const loaded = loadSettings(Object.fromEntries(lines.map((line) => line.split('='))));
    assert.equal(loaded.kind, 'valid', JSON.stringify(loaded));
    assert.deepEqual(loaded.warnings, []);
    assert.equal(loaded.settings.destination.trackingUri, MlflowTrackingUri);
    assert.equal(loaded.settings.archive.uri, SidecarArchiveUri);
  }
});

test('the archive is where the sidecar may write and where Athena looks', () => {
  const archive = outputsOf(server)['SidecarArchiveUri'];
  assert.equal(archive, 's3://the-bucket/litellm/calls');
  const table = JSON.stringify(resolved(onlyResource(server, 'AWS::Glue::Table'), known));
  assert.ok(table.includes(`"Location":"${archive}/"`));
  assert.ok(table.includes(`"storage.location.template":"${archive}/dt=\${dt}/hour=\${hour}/"`));
});

const glueTable = z.object({
  TableInput: z.object({
    Name: z.string(),
    PartitionKeys: z.array(z.object({ Name: z.string(), Type: z.string() })),
    Parameters: z.record(z.string(), z.string()),
    StorageDescriptor: z.object({
      Columns: z.array(z.object({ Name: z.string(), Type: z.string() })),
      SerdeInfo: z.object({ SerializationLibrary: z.string() }),
    }),
  }),
});

test("Athena's table has the columns of the calls table, with the types and properties of the guide", async () => {
  const { Properties } = onlyResource(server, 'AWS::Glue::Table');
  const { TableInput } = glueTable.parse(resolved(Properties, known));
  const { StorageDescriptor, PartitionKeys, Parameters } = TableInput;
  assert.deepEqual(StorageDescriptor.Columns.map(({ Name }) => Name).sort(), [...columns].sort());
  const guide = await readFile('docs/calls.md', 'utf8');
  const ddl = /CREATE EXTERNAL TABLE (\w+) \(\n(.*?)\n\)\nPARTITIONED BY \((.*?)\)\n(.*?)```/s.exec(
    guide,
  );
  const [, name, body = '', partitions = '', rest = ''] = ddl ?? [];
  const typed = (text: string) =>
    text.split(',').map((part) => part.trim().replaceAll('`', '').replace(/\s+/, ' '));
  const shown = (from: readonly { Name: string; Type: string }[]) =>
    from.map(({ Name, Type }) => `${Name} ${Type}`);
  assert.equal(TableInput.Name, name);
  assert.deepEqual(shown(StorageDescriptor.Columns), typed(body));
  assert.deepEqual(shown(PartitionKeys), typed(partitions));
  assert.ok(rest.includes(`SERDE '${StorageDescriptor.SerdeInfo.SerializationLibrary}'`));
  for (const [, key = '', value] of rest.matchAll(/'(projection\.[\w.]+)' = '([^']*)'/g)) {
    assert.equal(Parameters[key], value, key);
  }
});
