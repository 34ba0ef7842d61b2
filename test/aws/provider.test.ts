import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import dns from 'node:dns';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createProvider } from '../../src/aws/provider.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Nothing of the environment's own credentials, and a home of the test's own, until it ends. */
function cleanHome(t: TestContext): string {
  const before = { ...process.env };
  const home = tempFolder(t);
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) delete process.env[name];
  }
  Object.assign(process.env, { HOME: home, AWS_EC2_METADATA_DISABLED: 'true' });
  t.after(() => {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, before);
  });
  mkdirSync(join(home, '.aws/sso/cache'), { recursive: true });
  return home;
}

test('keys that were exchanged in a file count from the next time on', async (t) => {
  const home = cleanHome(t);
  const write = (id: string) =>
    writeFileSync(
      join(home, '.aws/credentials'),
      `[default]\naws_access_key_id = ${id}\naws_secret_access_key = secret\n`,
    );
  const provide = createProvider({ region: 'eu-west-1', roles: [] });
  for (const id of ['AKIAFIRST', 'AKIASECOND']) {
    write(id);
    assert.deepEqual(await provide(), {
      accessKeyId: id,
      secretAccessKey: 'secret',
      source: 'the access keys of a profile',
    });
  }
});

test('SSO is asked in its own region, which need not be that of MLflow', async (t) => {
  const home = cleanHome(t);
  const start = 'https://d-1234567890.awsapps.com/start';
  writeFileSync(
    join(home, '.aws/config'),
    `[default]\nsso_start_url = ${start}\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = r\n`,
  );
  const token = { accessToken: 'token', expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
  const name = createHash('sha1').update(start).digest('hex');
  writeFileSync(join(home, `.aws/sso/cache/${name}.json`), JSON.stringify(token));
  // Where a program wants to go shows in the names that it looks up; none of them is found.
  const hosts = new Set<string>();
  t.mock.method(dns, 'lookup', (host: string, ...rest: unknown[]) => {
    hosts.add(host);
    const found = rest.at(-1);
    if (typeof found === 'function') found(Object.assign(new Error(), { code: 'ENOTFOUND' }));
  });
  await assert.rejects(createProvider({ region: 'eu-west-1', roles: [] })());
  assert.deepEqual([...hosts], ['portal.sso.us-east-1.amazonaws.com']);
});

test('where there is no source at all, none is made up', async (t) => {
  cleanHome(t);
  await assert.rejects(createProvider({ region: undefined, roles: [] })(), {
    name: 'CredentialsProviderError',
  });
});
