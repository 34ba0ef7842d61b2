import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type CloudTemplate, parseTemplate } from './cloud-template.ts';
import { withFileLock } from './file-lock.ts';
import { type ProgramResult, runProgram } from './run-program.ts';

/** The CDK app of `config/cdk`, in a copy of its own that has its packages. */
export interface CdkApp {
  /** The copy of `config/cdk`. */
  readonly dir: string;
  /** Runs the app alone, which is what `cdk` does; throws with what it says when it fails. */
  synth(context?: Context): Promise<Synthesized>;
  /** The same, with the failure as a result. */
  run(context: Context): Promise<ProgramResult>;
  /** Runs CDK's own command line in the copy. */
  cdk(args: readonly string[]): Promise<ProgramResult>;
}

export interface Synthesized {
  readonly template: CloudTemplate;
  readonly file: string;
}

/** As `-c NAME=VALUE` gives it. */
export type Context = Readonly<Record<string, string>>;

const minutes = 60_000;
const source = 'config/cdk';

/**
 * Its packages are installed on first use and kept in `.cache` beside their lock file, apart from
 * `config/`, which is built into images. The copy goes when the test ends.
 */
export async function cdkApp(t: { after(end: () => Promise<void>): unknown }): Promise<CdkApp> {
  const packages = await installedPackages();
  const root = await mkdtemp(join(packages, 'app-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const dir = join(root, source);
  for (const path of ['tsconfig.json', 'config/iam', 'config/litellm.yaml', source]) {
    await cp(path, join(root, path), {
      recursive: true,
      filter: (from) => !/\/(node_modules|cdk\.out)$/.test(from),
    });
  }
  let count = 0;
  const runInto = (out: string, context: Context) =>
    runProgram(process.execPath, [join(dir, 'app.ts')], {
      withinMs: 3 * minutes,
      env: { ...offline(root), CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context) },
    });
  const nextOut = () => join(root, `out-${count++}`);
  return {
    dir,
    run: (context) => runInto(nextOut(), context),
    synth: async (context = {}) => {
      const out = nextOut();
      const { code, output } = await runInto(out, context);
      if (code !== 0) throw new Error(`The app ended with ${code}:\n${output}`);
      return readSynthesized(out, context['name']);
    },
    cdk: (args) =>
      runProgram('/bin/sh', ['-c', 'cd "$0" && exec "$@"', dir, join(packages, bin), ...args], {
        withinMs: 3 * minutes,
        env: offline(root),
      }),
  };
}

const bin = 'node_modules/.bin/cdk';

/** What a run left in its folder. */
export async function readSynthesized(out: string, name = 'llm-calls'): Promise<Synthesized> {
  const file = join(out, `${name}.template.json`);
  return { file, template: parseTemplate(await readFile(file, 'utf8')) };
}

/** No credentials, no instance to ask for them, and a proxy that refuses: whoever asks, fails. */
function offline(home: string): NodeJS.ProcessEnv {
  const nowhere = 'http://127.0.0.1:9';
  return {
    PATH: process.env['PATH'],
    HOME: home,
    AWS_EC2_METADATA_DISABLED: 'true',
    HTTPS_PROXY: nowhere,
    HTTP_PROXY: nowhere,
    https_proxy: nowhere,
    http_proxy: nowhere,
  };
}

/** The folder that holds them, made once for each lock file; a marker, written last, says that it is whole. */
async function installedPackages(): Promise<string> {
  const lock = await readFile(`${source}/package-lock.json`, 'utf8');
  const hash = createHash('sha256').update(lock).digest('hex').slice(0, 8);
  const dir = resolve('.cache', `cdk-${hash}`);
  await mkdir('.cache', { recursive: true });
  await withFileLock(`${dir}.lock`, 10 * minutes, async () => {
    if ((await readFile(join(dir, 'whole'), 'utf8').catch(() => '')) === lock) return;
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir);
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
      await cp(join(source, file), join(dir, file));
    }
    const args = ['ci', '--prefix', dir, '--ignore-scripts', '--no-audit', '--no-fund'];
    const { code, output } = await runProgram('npm', args, { withinMs: 9 * minutes });
    if (code !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${output}`);
    await writeFile(join(dir, 'whole.new'), lock);
    await rename(join(dir, 'whole.new'), join(dir, 'whole'));
  });
  return dir;
}
