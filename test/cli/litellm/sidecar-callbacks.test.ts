import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { planConfig } from '../../../src/cli/litellm/plan.ts';
import { recordOf } from '../../support/upstream-request.ts';
import { block, findings, settingsWith } from './planned.ts';

test('a callback of another name that posts to the sidecar is the one that is worked on', () => {
  const text = JSON.stringify({
    litellm_settings: { callbacks: ['calls'], request_correlation_in_logs: true },
    callback_settings: {
      calls: {
        ...{ callback_type: 'generic_api', endpoint: 'os.environ/SIDECAR_EVENTS_URL' },
        ...{ headers: {}, max_retries: 1, retry_delay: 1 },
      },
    },
  });
  assert.deepEqual(findings(text).mended, ['no_timeout callback_settings.calls.timeout']);
});

/** A configuration with blocks of this type and these endpoints, of which some are on. */
function withBlocks(on: readonly string[], blocks: Record<string, object>): string {
  return JSON.stringify({
    litellm_settings: { callbacks: on, request_correlation_in_logs: true },
    callback_settings: Object.fromEntries(
      Object.entries(blocks).map(([name, of]) => [
        name,
        {
          ...{ callback_type: 'generic_api', headers: {}, max_retries: 5, retry_delay: 1 },
          ...{ timeout: 10, ...of },
        },
      ]),
    ),
  });
}

test('a block that is off stays off, wherever it stands', () => {
  const off = { endpoint: 'http://staging:4100/v1/events' };
  const on = { endpoint: 'os.environ/SIDECAR_EVENTS_URL' };
  for (const blocks of [
    { off, sidecar: on },
    { sidecar: on, off },
    { sidecar: off, calls: on },
  ]) {
    const name = 'calls' in blocks ? 'calls' : 'sidecar';
    const text = withBlocks([name], blocks);
    assert.deepEqual(findings(text), { mended: [], left: [] });
    assert.equal(planConfig(text, settingsWith()).text, text);
  }
});

test('of blocks that are all off, the one named sidecar is switched on', () => {
  const of = { endpoint: 'http://staging:4100/v1/events' };
  const { text } = planConfig(withBlocks([], { off: of, sidecar: of }), settingsWith());
  assert.deepEqual(recordOf(recordOf(parse(text))['litellm_settings'])['callbacks'], ['sidecar']);
});

test('where sidecar is on and has no block, it gets one; a block that is off does not do for it', () => {
  const text = withBlocks(['sidecar'], { off: { endpoint: 'http://staging:4100/v1/events' } });
  assert.deepEqual(findings(text), { mended: [`callback_missing ${block}`], left: [] });
});

test('a second name that is on without a block is told of', () => {
  const text = withBlocks(['sidecar', 'calls'], {
    calls: { endpoint: 'os.environ/SIDECAR_EVENTS_URL' },
  });
  const { left } = planConfig(text, settingsWith());
  assert.deepEqual(
    left.map(({ code, path }) => [code, path]),
    [['callback_double', block]],
  );
  assert.match(left[0]?.says ?? '', /^sidecar is switched on and has no block/);
});

const key = { headers: { Authorization: 'os.environ/A_KEY' } };

for (const [endpoint, more] of [
  ['http://h:4100/v1/events', key],
  ['http://h/v1/events/', key],
  ['https://h:8443/v1/events', key],
  ['https://h.example/v1/events', {}],
  ['https://sidecar.h.example/v1/events', key],
  ['https://h.example/sidecar/v1/events', key],
  ['https://h.example/v1/events', { headers: { authorization: 'os.environ/SIDECAR_KEY' } }],
  ['http://os.environ/HOST:4100/v1/events', key],
] as const) {
  test(`a block named otherwise is the sidecar's: ${endpoint} ${JSON.stringify(more)}`, () => {
    const { mended } = findings(withBlocks(['calls'], { calls: { endpoint, ...more } }));
    assert.ok(!mended.includes(`callback_missing ${block}`), mended.join());
  });
}

for (const [endpoint, more] of [
  ['https://in.vendor.example/api/v1/events', {}],
  ['https://in.vendor.example/v1/events', key],
  ['os.environ/VENDOR_URL', key],
] as const) {
  test(`another service is told of, and does not do for the sidecar: ${endpoint}`, () => {
    const text = withBlocks(['vendor'], { vendor: { endpoint, ...more } });
    assert.deepEqual(findings(text), {
      mended: ['not_posted litellm_settings.callbacks', `callback_missing ${block}`],
      left: ['other_generic_api callback_settings.vendor'],
    });
  });
}
