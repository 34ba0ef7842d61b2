import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { readComposeFile } from './compose-file.ts';
import { environmentOf, lastOf, readDockerfile } from './dockerfile.ts';
import { containerOf, fileIn, type Manifest, readManifest } from './kubernetes-manifest.ts';
import { readLitellmConfig, variablesOf } from './litellm-config.ts';

const beside = await readManifest('sidecar');
const central = await readManifest('central');
const both = Object.entries({ beside, central });
const image = (await readDockerfile()).at(-1);
assert.ok(image);
const imageEnvironment = environmentOf(image);

/** What the sidecar of a manifest reads, with its files mapped into a folder of the test's. */
function settingsIn(manifest: Manifest, t: { after(end: () => void): unknown }) {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'sidecar.yaml'), fileIn(beside, 'sidecar', 'sidecar.yaml'));
  writeFileSync(join(folder, 'token'), 'a-secret-text');
  const { env, volumeMounts } = containerOf(manifest, 'sidecar');
  const mapped = env.map(({ name, value = '' }) => {
    const mount = volumeMounts.find(({ mountPath }) => value.startsWith(`${mountPath}/`));
    return [name, mount === undefined ? value : join(folder, value.slice(mount.mountPath.length))];
  });
  const loaded = loadSettings({ ...imageEnvironment, ...Object.fromEntries(mapped) });
  assert.equal(loaded.kind, 'valid', JSON.stringify(loaded));
  return loaded;
}

test('the sidecar is given only settings that it knows, and takes them', (t) => {
  for (const [name, manifest] of both) {
    const { settings, warnings } = settingsIn(manifest, t);
    assert.deepEqual(warnings, [], name);
    assert.equal(settings.server.authToken, 'a-secret-text', name);
    assert.match(settings.destination.trackingUri ?? '', /^arn:aws:sagemaker:/, name);
    assert.match(settings.archive.uri ?? '', /^s3:/, name);
  }
});

test('no service can set SIDECAR_PORT, as Kubernetes does for each service of a namespace', async () => {
  for (const name of ['sidecar', 'central']) {
    const text = await readFile(`config/kubernetes/${name}.yaml`, 'utf8');
    const pods = text.match(/^ {4}spec:\n/gm)?.length ?? 0;
    assert.ok(pods > 0, name);
    assert.equal(text.match(/^ {6}enableServiceLinks: false$/gm)?.length, pods, name);
  }
});

test('as many sidecars divide the rate as there are pods', (t) => {
  for (const [name, manifest] of both) {
    const { settings } = settingsIn(manifest, t);
    assert.equal(settings.destination.replicas, manifest.statefulSet.spec.replicas, name);
  }
});

test('the sidecar stays beside LiteLLM: it starts before it and ends after it', () => {
  const { initContainers, containers } = beside.statefulSet.spec.template.spec;
  assert.deepEqual(
    initContainers.map(({ name, restartPolicy }) => [name, restartPolicy]),
    [['sidecar', 'Always']],
  );
  assert.deepEqual(
    containers.map(({ name }) => name),
    ['litellm'],
  );
});

test('a pod has longer to end than LiteLLM and the sidecar after it take', (t) => {
  const secondsForLitellm = 60;
  const grace = (manifest: Manifest) => settingsIn(manifest, t).settings.shutdown.grace / 1000;
  const given = ({ statefulSet }: Manifest) =>
    statefulSet.spec.template.spec.terminationGracePeriodSeconds;
  assert.ok(given(beside) >= secondsForLitellm + grace(beside));
  assert.ok(given(central) > grace(central));
});

test('a full journal neither restarts a sidecar nor stops the LiteLLM beside it', () => {
  for (const [name, manifest] of both) {
    const { startupProbe, livenessProbe } = containerOf(manifest, 'sidecar');
    assert.equal(startupProbe?.httpGet.path, '/', name);
    assert.equal(livenessProbe?.httpGet.path, '/', name);
  }
  assert.equal(containerOf(beside, 'sidecar').readinessProbe, undefined);
});

test('a central sidecar that takes no calls leaves the service to the other', () => {
  assert.equal(containerOf(central, 'sidecar').readinessProbe?.httpGet.path, '/readyz');
  const service = central.objects.find(({ metadata }) => metadata.name === 'sidecar');
  assert.ok(JSON.stringify(service).includes('"sessionAffinity":"ClientIP"'));
});

test('each pod has a claim of its own for the journal, where the image keeps it', (t) => {
  for (const [name, manifest] of both) {
    const [claim, ...others] = manifest.statefulSet.spec.volumeClaimTemplates;
    assert.deepEqual([claim?.metadata.name, others], ['journal', []], name);
    assert.deepEqual(claim?.spec.accessModes, ['ReadWriteOncePod'], name);
    const { volumeMounts } = containerOf(manifest, 'sidecar');
    const mount = volumeMounts.find((one) => one.name === 'journal');
    assert.equal(mount?.mountPath, imageEnvironment['SIDECAR_DATA_DIR'], name);
    const { settings } = settingsIn(manifest, t);
    const gibibytes = Number(/^(\d+)Gi$/.exec(claim?.spec.resources.requests.storage ?? '')?.[1]);
    assert.ok((settings.journal.maxBytes ?? Infinity) < gibibytes * 2 ** 30, name);
  }
});

test('the sidecar runs as the user of its image, and can write to its volumes alone', () => {
  const [user, group] = lastOf(image, 'USER').split(':').map(Number);
  for (const [name, manifest] of both) {
    assert.deepEqual(
      containerOf(manifest, 'sidecar').securityContext,
      {
        runAsNonRoot: true,
        runAsUser: user,
        runAsGroup: group,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      },
      name,
    );
    assert.equal(manifest.statefulSet.spec.template.spec.securityContext.fsGroup, group, name);
  }
});

test('probes and services name ports that there are, those of the image', () => {
  for (const [name, manifest] of both) {
    const { ports } = containerOf(manifest, 'sidecar');
    const own = Number(imageEnvironment['SIDECAR_PORT']);
    assert.deepEqual(ports, [{ name: 'sidecar', containerPort: own }], name);
    const { initContainers, containers } = manifest.statefulSet.spec.template.spec;
    const named = new Set<string>();
    for (const one of [...initContainers, ...containers]) {
      for (const port of one.ports) named.add(port.name);
      for (const probe of [one.startupProbe, one.readinessProbe, one.livenessProbe]) {
        if (probe) assert.ok(one.ports.some((port) => port.name === probe.httpGet.port));
      }
    }
    const text = JSON.stringify(manifest.objects.filter(({ kind }) => kind === 'Service'));
    for (const [, port = ''] of text.matchAll(/"targetPort":"(\w+)"/g)) assert.ok(named.has(port));
  }
});

test('LiteLLM posts to the sidecar of its pod, with its token, and has what its configuration takes', async () => {
  const { env, envFrom, args, image: litellmImage } = containerOf(beside, 'litellm');
  const variable = (name: string) => env.find((one) => one.name === name);
  assert.equal(
    variable('SIDECAR_EVENTS_URL')?.value,
    `http://127.0.0.1:${imageEnvironment['SIDECAR_PORT']}/v1/events`,
  );
  assert.deepEqual(variable('SIDECAR_AUTH_TOKEN')?.valueFrom, {
    secretKeyRef: { name: 'sidecar', key: 'token' },
  });
  assert.deepEqual(envFrom, [{ secretRef: { name: 'litellm' } }]);
  const ours = variablesOf(await readLitellmConfig()).filter((name) => name.startsWith('SIDECAR_'));
  for (const name of ours) assert.ok(variable(name), name);
  const compose = (await readComposeFile()).services.litellm;
  assert.equal(litellmImage, compose.image);
  assert.deepEqual(args.slice(2), compose.command.slice(2));
});

test('every volume that is mounted is there, and settings and secrets are mounted read-only', () => {
  for (const [name, manifest] of both) {
    const { template, volumeClaimTemplates } = manifest.statefulSet.spec;
    const { volumes, initContainers, containers } = template.spec;
    const there = [
      ...volumes.map((one) => one.name),
      ...volumeClaimTemplates.map((one) => one.metadata.name),
    ];
    for (const one of [...initContainers, ...containers]) {
      for (const mount of one.volumeMounts) {
        assert.ok(there.includes(mount.name), `${name}: ${mount.name}`);
        const volume = volumes.find((candidate) => candidate.name === mount.name);
        if (volume?.configMap || volume?.secret) assert.ok(mount.readOnly, mount.name);
      }
    }
  }
});

test('what selects the pods finds them, and only they are shut off from the network', () => {
  for (const [name, manifest] of both) {
    const { selector, template, serviceName } = manifest.statefulSet.spec;
    assert.deepEqual(selector.matchLabels, template.metadata.labels, name);
    assert.ok(
      manifest.objects.some((one) => one.metadata.name === serviceName),
      name,
    );
    const label = JSON.stringify(selector.matchLabels);
    for (const { kind, spec } of manifest.objects) {
      if (kind === 'Service') assert.ok(JSON.stringify(spec).includes(`"selector":${label}`), name);
      if (kind !== 'NetworkPolicy') continue;
      assert.ok(JSON.stringify(spec).includes(`"podSelector":{"matchLabels":${label}}`), name);
      assert.ok(JSON.stringify(spec).includes('"policyTypes":["Ingress","Egress"]'), name);
    }
  }
});
