/**
 * Runs the tests of the named suites: `run-tests.ts unit e2e crash [--only-file TEXT]`. The last line
 * says how many passed and failed; the exit code is 1 when one failed or none ran.
 *
 * `--long`: the crash suite kills the sidecar 200 times instead of 15, drains 200,000 calls instead of
 * 20,000, and lets servers refuse and hang as long as they do in life; the economy is watched for
 * minutes. `--seed NUMBER` lets the same things go wrong in the crash suite as in the run that printed
 * this seed. `--releases "2.16.2 3.0.1"` (or `all`) names the releases of MLflow for the matrix.
 */
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { fastFolder } from './fast-folder.ts';
import { supportedReleases } from './mlflow-releases.ts';

interface Suite {
  find: () => string[];
  /** Milliseconds for a file as a whole: servers are started in it, environments made. */
  fileTimeout: number;
  /**
   * Whether a file's process ends with its last test. One that ran out of time leaves servers and
   * sockets behind, which would hold it; but a process that is ended so may not have told all of its
   * results yet, so that the suite of many small tests goes without.
   */
  forceExit: boolean;
  /** More than there are processors where tests also wait: for servers, for programs; 2 unless told. */
  filesAtOnce?: number;
  /** More of its tests' environment. */
  env?: Readonly<Record<string, string>>;
}

const minutes = 60_000;
const apart = ['test/e2e/', 'test/crash/', 'test/matrix/', 'test/bench/'];
const suites: Readonly<Record<string, Suite>> = {
  unit: {
    find: () =>
      globSync('test/**/*.test.ts').filter((file) => !apart.some((dir) => file.startsWith(dir))),
    fileTimeout: 5 * minutes,
    forceExit: false,
    filesAtOnce: 3,
    // What is on disk after a kill is seen in memory, too; hundreds of journals wait for no disk.
    env: fastFolder(),
  },
  e2e: {
    find: () => globSync('test/e2e/**/*.test.ts'),
    fileTimeout: 30 * minutes,
    forceExit: true,
    filesAtOnce: 3,
  },
  crash: {
    find: () => globSync('test/crash/**/*.test.ts'),
    fileTimeout: 30 * minutes,
    forceExit: true,
    filesAtOnce: 3,
  },
  matrix: {
    find: () => globSync('test/matrix/**/*.test.ts'),
    fileTimeout: 60 * minutes,
    forceExit: true,
  },
  /**
   * Suites that hold for any MLflow, through the edge of SageMaker. Left out is what is through it
   * already (the oracle of its own, credentials, the contract, which counts requests), what is another
   * MLflow's (PostgreSQL, the compose file, the demo), and what MLflow has no part in (LiteLLM's
   * configuration, packaging, the doubles, a disk that is full or fails, a backlog's memory).
   */
  edge: {
    find: () => [
      ...['disappearances', 'faults', 'kill', 'refusals'].map(
        (name) => `test/crash/${name}.test.ts`,
      ),
      ...['any-call', 'damage', 'litellm', 'operate', 'redaction', 'reload', 'secrets', 'stop'].map(
        (name) => `test/e2e/${name}.test.ts`,
      ),
      'test/e2e/usage.test.ts',
    ],
    fileTimeout: 30 * minutes,
    forceExit: true,
    env: { MLFLOW_BEHIND: 'sagemaker' },
  },
  economy: {
    find: () => [
      ...['economy', 'economy-detail', 'economy-clock'].map(
        (name) => `test/matrix/${name}.test.ts`,
      ),
      'test/admit/sampling.test.ts',
    ],
    fileTimeout: 60 * minutes,
    forceExit: true,
  },
};

/**
 * For a test that says nothing of its own; one that hangs must not hang the run. Within a `describe` it
 * also ends tests that ask for longer.
 */
const testTimeoutMs = 400_000;
/** The same with `--long`, where servers refuse and loads last as long as they do in life. */
const longTestTimeoutMs = 30 * minutes;

const { values, positionals } = parseArgs({
  options: {
    'only-file': { type: 'string', default: '' },
    long: { type: 'boolean', default: false },
    seed: { type: 'string' },
    releases: { type: 'string' },
  },
  allowPositionals: true,
});
// The tests run in processes of their own, which inherit this.
if (values.long)
  Object.assign(process.env, { CRASH_KILLS: '200', CRASH_LONG: '1', ECONOMY_LONG: '1' });
if (values.seed !== undefined) process.env['CRASH_SEED'] = values.seed;
if (values.releases !== undefined) {
  process.env['MLFLOW_RELEASES'] =
    values.releases === 'all' ? supportedReleases.join(' ') : values.releases;
}

const counts = { passed: 0, failed: 0, skipped: 0 };
const wanted = positionals.map((name) => suites[name] ?? unknownSuite(name));
for (const suite of wanted) await runSuite(suite);

if (counts.skipped > 0) process.stdout.write(`${counts.skipped} skipped\n`);
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;

function isLongest(file: string): boolean {
  return /oracle|economy-detail/.test(file);
}

function unknownSuite(name: string): never {
  process.stderr.write(`No suite ${name}; there are ${Object.keys(suites).join(', ')}.\n`);
  process.exit(64);
}

/** Runs a suite, shows it, and adds up what became of its tests. */
async function runSuite({
  find,
  fileTimeout,
  forceExit,
  filesAtOnce = 2,
  env = {},
}: Suite): Promise<void> {
  const files = find()
    // The longest begin first, so that none is left to run alone at the end.
    .sort(
      (one, other) => Number(isLongest(other)) - Number(isLongest(one)) || (one < other ? -1 : 1),
    )
    .filter((file) => file.includes(values['only-file']));
  if (files.length === 0) return;
  Object.assign(process.env, env);
  const events = run({
    files,
    concurrency: filesAtOnce,
    timeout: fileTimeout,
    execArgv: [
      ...['--import', 'tsx', `--test-timeout=${values.long ? longTestTimeoutMs : testTimeoutMs}`],
      ...(forceExit ? ['--test-force-exit'] : []),
    ],
  });
  // A file that holds no test is reported as a test of its own, which passes.
  let filesWithoutTests = 0;
  events.on('test:pass', ({ name }) => {
    if (files.includes(name)) filesWithoutTests += 1;
  });
  events.on('test:summary', (summary) => {
    // Each file has a summary of its own; the one without a file is the whole suite's.
    if (summary.file !== undefined) return;
    const { tests, passed, skipped: left, todo } = summary.counts;
    counts.passed += passed - filesWithoutTests;
    counts.failed += tests - passed - left - todo;
    counts.skipped += left + todo;
  });
  const shown = events.compose(spec);
  shown.pipe(process.stdout, { end: false });
  await once(shown, 'end');
  for (const name of Object.keys(env)) delete process.env[name];
}
