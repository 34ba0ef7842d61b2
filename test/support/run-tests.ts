/**
 * Runs the tests of the named suites: `run-tests.ts unit e2e crash [--only-file TEXT]`. The last line
 * says how many passed and failed; the exit code is 1 when one failed or none ran.
 *
 * Of the crash suite: `--long` kills the sidecar 200 times instead of 15, and `--seed NUMBER` lets
 * the same things go wrong as in the run that printed this seed.
 */
import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

const apart = ['test/e2e/', 'test/crash/', 'test/bench/'];
const suites: Readonly<Record<string, () => string[]>> = {
  unit: () =>
    globSync('test/**/*.test.ts').filter((file) => !apart.some((dir) => file.startsWith(dir))),
  e2e: () => globSync('test/e2e/**/*.test.ts'),
  crash: () => globSync('test/crash/**/*.test.ts'),
};

/** For a test that says nothing of its own; one that hangs must not hang the run. */
const testTimeoutMs = 120_000;
/** For a file as a whole: servers are started in it, environments made. */
const fileTimeoutMs = 30 * 60_000;

const { values, positionals } = parseArgs({
  options: {
    'only-file': { type: 'string', default: '' },
    long: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
  allowPositionals: true,
});
// The tests run in processes of their own, which inherit this.
if (values.long) process.env['CRASH_KILLS'] = '200';
if (values.seed !== undefined) process.env['CRASH_SEED'] = values.seed;

const files = positionals
  .flatMap((name) => {
    const find = suites[name];
    if (find === undefined) {
      process.stderr.write(`No suite ${name}; there are ${Object.keys(suites).join(', ')}.\n`);
      process.exit(64);
    }
    return find().sort();
  })
  .filter((file) => file.includes(values['only-file']));

const counts = { passed: 0, failed: 0, skipped: 0 };
const events = run({
  files,
  concurrency: 2,
  timeout: fileTimeoutMs,
  // A test that ran out of time leaves its timers and sockets behind, which would hold the process.
  execArgv: ['--import', 'tsx', `--test-timeout=${testTimeoutMs}`, '--test-force-exit'],
});
// A file that holds no test is reported as a test of its own, which passes.
let filesWithoutTests = 0;
events.on('test:pass', ({ name }) => {
  if (files.includes(name)) filesWithoutTests += 1;
});
events.on('test:summary', (summary) => {
  // Each file has a summary of its own; the one without a file is the whole run's.
  if (summary.file !== undefined) return;
  const { tests, passed, skipped, todo } = summary.counts;
  counts.passed = passed - filesWithoutTests;
  counts.failed = tests - passed - skipped - todo;
  counts.skipped = skipped + todo;
});
events
  .compose(spec)
  .on('end', () => {
    const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
    process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
  })
  .pipe(process.stdout, { end: false });
