import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from '../support/run-program.ts';

test('the demo shows what MLflow holds of its calls, and leaves', {
  timeout: 300_000,
}, async () => {
  const { code, output } = await runProgram(
    process.execPath,
    ['--import', 'tsx', 'test/demo/main.ts', '--once'],
    { withinMs: 280_000 },
  );
  assert.equal(code, 0, output);
  assert.match(output, /What MLflow holds now: 66 runs in \/litellm-monitoring/);
  assert.match(output, /^payments +33 /m);
  assert.match(output, /all runs +http:\/\/127\.0\.0\.1:\d+\/#\/experiments\/1\/runs/);
});
