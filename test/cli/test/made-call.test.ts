import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRunChooser } from '../../../src/admit/run-choice.ts';
import { makeCall } from '../../../src/cli/test/made-call.ts';
import { sidecarUrl } from '../../../src/cli/test/sidecar-link.ts';
import { journalPolicy, testTag } from '../../../src/journal-options.ts';
import { settingsSchema } from '../../../src/settings/schema.ts';

const now = 1_795_531_721_525;
const { call } = makeCall('one', now);

/** What becomes of the made call where very many others wait. */
function choice(record: object) {
  const { runs } = journalPolicy(settingsSchema.parse({ record }));
  assert.ok(runs !== undefined);
  const load = { pendingRuns: 1_000_000, runsPerSecond: 1, pendingIn: () => 0 };
  return createRunChooser(runs, now).choose(call, now, load);
}

test('a made call gets a run, whatever waits, unless none gets one', () => {
  for (const runs of ['auto', 'errors', 'all']) {
    assert.partialDeepStrictEqual(choice({ runs }), { sampleRate: 1 }, runs);
  }
  assert.deepEqual(choice({ runs: 'off' }), { reason: 'off' });
});

test('the tags that the settings mark stay marked beside it', () => {
  const policy = journalPolicy(settingsSchema.parse({ record: { mark: { tags: ['audit'] } } }));
  assert.deepEqual(policy.runs?.mark.tags, ['audit', testTag]);
});

test('each made call is another, with times, tokens and the tag of tests, and no price', () => {
  assert.notEqual(makeCall('two', now).call.recordId, call.recordId);
  assert.equal(Math.round(call.times.end - call.times.start), 250);
  assert.deepEqual(call.requestTags, [testTag]);
  assert.deepEqual([call.tokens.prompt, call.tokens.completion, call.tokens.total], [21, 7, 28]);
  assert.equal(call.cost.usd, undefined);
});

for (const [host, url] of [
  ['127.0.0.1', 'http://127.0.0.1:4100'],
  ['0.0.0.0', 'http://127.0.0.1:4100'],
  ['::1', 'http://[::1]:4100'],
  ['sidecar.internal', 'http://sidecar.internal:4100'],
] as const) {
  test(`a sidecar that listens on ${host} is asked at ${url}`, () => {
    assert.equal(sidecarUrl(settingsSchema.parse({ server: { host } })), url);
  });
}
