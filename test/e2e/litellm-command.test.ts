import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { configure } from '../../src/cli/litellm/configure.ts';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { tempFolder } from '../support/temp-folder.ts';

const options = { yes: false, check: false, json: false };
const noTerminal = { isInteractive: false, confirm: async () => false };

/** The program from its sources, without a terminal. */
function litellmMlflow(words: string[], env: Record<string, string> = {}) {
  return runProgram(process.execPath, ['--import', 'tsx', 'src/main.ts', ...words], {
    env: serverEnvironment(undefined, env),
    withinMs: 30_000,
  });
}

const text = '# ours\nlitellm_settings:\n  callbacks: ["otel"] # why\n';

function configIn(t: TestContext, content = text): { dir: string; file: string } {
  const dir = tempFolder(t);
  const file = join(dir, 'config.yaml');
  writeFileSync(file, content);
  return { dir, file };
}

test('configure shows the change and, without a terminal or --yes, leaves the file alone', async (t) => {
  const { dir, file } = configIn(t);
  const { code, output } = await litellmMlflow(['litellm', 'configure', file]);
  assert.equal(code, 64, output);
  assert.match(output, /^- {3}callbacks: \["otel"\] # why$/m);
  assert.match(output, /^\+ {3}callbacks: \["otel", sidecar\] # why$/m);
  assert.match(output, /was left alone: there is no terminal to ask at\. --yes makes the change/);
  assert.equal(readFileSync(file, 'utf8'), text);
  assert.deepEqual(readdirSync(dir), ['config.yaml']);
});

test('configure --yes changes the file, keeps a copy, and does nothing the second time', async (t) => {
  const { dir, file } = configIn(t);
  chmodSync(file, 0o640);
  const first = await litellmMlflow(['litellm', 'configure', '--yes', file]);
  assert.equal(first.code, 0, first.output);
  assert.match(first.output, /SIDECAR_EVENTS_URL=.* and SIDECAR_AUTH_TOKEN=/);
  const [backup = ''] = readdirSync(dir).filter((name) => name.endsWith('.bak'));
  assert.ok(first.output.includes(backup), first.output);
  assert.equal(readFileSync(join(dir, backup), 'utf8'), text);
  const after = readFileSync(file, 'utf8');
  assert.match(after, /^# ours\n/);
  assert.equal(statSync(file).mode & 0o777, 0o640);

  const second = await litellmMlflow(['litellm', 'configure', '--yes', file]);
  assert.deepEqual(second, { code: 0, output: `${file}: nothing is to be changed.\n` });
  assert.equal(readFileSync(file, 'utf8'), after);
  assert.equal(readdirSync(dir).length, 2);
});

test('configure --check fails where something is wrong, and changes nothing', async (t) => {
  const { dir, file } = configIn(t);
  const before = await litellmMlflow(['litellm', 'configure', '--check', file]);
  assert.equal(before.code, 1);
  assert.match(before.output, /^FAULT {2}callback_settings\.sidecar: /m);
  assert.deepEqual(readdirSync(dir), ['config.yaml']);
  assert.equal((await litellmMlflow(['litellm', 'configure', '--yes', file])).code, 0);
  const after = await litellmMlflow(['litellm', 'configure', '--check', file]);
  assert.deepEqual(after, { code: 0, output: `${file}: nothing is wrong.\n` });
});

test('configure --json tells programs the same', async (t) => {
  const { file } = configIn(t);
  const checked = await litellmMlflow(['litellm', 'configure', '--check', '--json', file]);
  assert.equal(checked.code, 1);
  const { ok, findings } = JSON.parse(checked.output);
  assert.equal(ok, false);
  assert.deepEqual(
    findings.map(({ code }: { code: string }) => code),
    ['not_posted', 'no_correlation', 'callback_missing'],
  );
  const made = await litellmMlflow(['litellm', 'configure', '--yes', '--json', file]);
  assert.equal(made.code, 0);
  assert.partialDeepStrictEqual(JSON.parse(made.output), { file, changed: true, left: [] });
});

test('configure --json does not ask: without --yes or --check it is a mistake', async (t) => {
  const { file } = configIn(t);
  const terminal = { isInteractive: true, confirm: () => assert.fail('it asks') };
  assert.equal(await configure({}, file, { ...options, json: true }, terminal), 64);
  assert.equal(readFileSync(file, 'utf8'), text);
});

test('configure fails while there is a fault that it cannot mend, and says how many', async (t) => {
  const { file } = configIn(t, `${text}general_settings:\n  callbacks: [sidecar]\n`);
  // The first time it changes the file, the second time nothing.
  for (const said of [/^Changed /m, /nothing is to be changed/]) {
    const { code, output } = await litellmMlflow(['litellm', 'configure', '--yes', file]);
    assert.equal(code, 1, output);
    assert.match(output, said);
    assert.match(output, /: one fault left to be mended by hand\.$/m);
  }
});

const isRoot = process.getuid?.() === 0;
test('the file stays with whom it belongs to', { skip: !isRoot }, async (t) => {
  const { file } = configIn(t);
  chownSync(file, 1234, 2345);
  chmodSync(file, 0o640);
  assert.equal(await configure({}, file, { ...options, yes: true }, noTerminal), 0);
  const { uid, gid, mode } = statSync(file);
  assert.deepEqual([uid, gid, mode & 0o777], [1234, 2345, 0o640]);
});

test('configure puts in what the settings say of caching', async (t) => {
  const { dir, file } = configIn(t);
  const settings = join(dir, 'sidecar.yaml');
  writeFileSync(settings, 'litellm: { cache: "on", cacheTtl: 1m }\n');
  const { code } = await litellmMlflow(['litellm', 'configure', '--yes', file], {
    SIDECAR_CONFIG: settings,
  });
  assert.equal(code, 0);
  assert.match(readFileSync(file, 'utf8'), /^ {2}cache_params:\n {4}type: local\n {4}ttl: 60$/m);
});

test('configure says what is wrong with a file that it cannot work on', async (t) => {
  const { dir } = configIn(t);
  const no = join(dir, 'no.yaml');
  const bytes = join(dir, 'bytes.yaml');
  writeFileSync(bytes, Buffer.from([0x61, 0xff, 0x0a]));
  for (const [file, message] of [
    [no, `${no}: it cannot be read (ENOENT)\n`],
    [bytes, `${bytes}: it is no UTF-8\n`],
  ] as const) {
    const { code, output } = await litellmMlflow(['litellm', 'configure', '--yes', file]);
    assert.deepEqual([code, output], [1, message]);
  }
});

test('wrong settings of the sidecar are told of first, with exit code 78', async (t) => {
  const { dir, file } = configIn(t);
  const settings = join(dir, 'sidecar.yaml');
  writeFileSync(settings, 'litellm: { cacheBackend: memcached }\n');
  const { code, output } = await litellmMlflow(['litellm', 'configure', file], {
    SIDECAR_CONFIG: settings,
  });
  assert.equal(code, 78);
  assert.match(output, /litellm\.cacheBackend: is "memcached", must be one of local, disk, redis/);
  const words = ['litellm', 'configure', '--check', '--json', file];
  const told = await litellmMlflow(words, { SIDECAR_CONFIG: settings });
  assert.equal(told.code, 78);
  assert.match(JSON.parse(told.output).error, /litellm\.cacheBackend: is "memcached"/);
});

test('configure prints no secret of the file, as text or as JSON', async (t) => {
  const { file } = configIn(
    t,
    `environment_variables:
  SLACK_WEBHOOK_URL: https://hooks.slack.com/services/T01/s3cr3t
callback_settings:
  sidecar:
    headers: { Authorization: "Bearer $s3cr3t", X-Auth: s3cr3t }
    endpoint: http://127.0.0.1:4100/v1/events?s3cr3t
`,
  );
  for (const how of [['--check'], ['--check', '--json'], [], ['--yes', '--json']]) {
    const { output } = await litellmMlflow(['litellm', 'configure', ...how, file]);
    assert.match(output, /max_retries/);
    assert.doesNotMatch(output, /s3cr3t/);
  }
});

test('at a terminal, yes makes the change and anything else does not', async (t) => {
  const { dir, file } = configIn(t);
  const asked: string[] = [];
  const answering = (answer: boolean) => ({
    isInteractive: true,
    confirm: async (question: string) => {
      asked.push(question);
      return answer;
    },
  });
  assert.equal(await configure({}, file, options, answering(false)), 1);
  assert.equal(readFileSync(file, 'utf8'), text);
  assert.equal(await configure({}, file, options, answering(true)), 0);
  assert.match(readFileSync(file, 'utf8'), /callback_settings/);
  assert.deepEqual(asked, [`Change ${file}?`, `Change ${file}?`]);
  assert.equal(readdirSync(dir).length, 2);
});

test('a file that somebody changes while the question stands is left alone', async (t) => {
  const { dir, file } = configIn(t);
  const terminal = {
    isInteractive: true,
    confirm: async () => {
      writeFileSync(file, 'other: true\n');
      return true;
    },
  };
  assert.equal(await configure({}, file, options, terminal), 1);
  assert.equal(readFileSync(file, 'utf8'), 'other: true\n');
  assert.deepEqual(readdirSync(dir), ['config.yaml']);
});

test('what a link points to is changed, and the link stays', async (t) => {
  const { dir, file } = configIn(t);
  const link = join(dir, 'link.yaml');
  symlinkSync(file, link);
  const terminal = { isInteractive: true, confirm: async () => true };
  assert.equal(await configure({}, link, options, terminal), 0);
  assert.match(readFileSync(file, 'utf8'), /callback_settings/);
  assert.ok(readdirSync(dir, { withFileTypes: true }).some((one) => one.isSymbolicLink()));
});
