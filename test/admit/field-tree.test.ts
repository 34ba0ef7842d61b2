import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyedHash } from '../../src/admit/keyed-hash.ts';
import { planRun } from '../../src/record/plan-run.ts';
import { admitUnder, hashKey } from '../support/redaction.ts';

const hash = createKeyedHash(hashKey);

/** The places of what LiteLLM writes twice, and texts that differ. */
const twice = {
  status: 'failure',
  end_user: 'EVE-1',
  requester_ip_address: 'IP-1',
  user_agent: 'AGENT-1',
  session_id: 'SESSION-1',
  api_base: 'https://base-1',
  error_str: 'litellm.X: MESSAGE-1 and more',
  error_information: { error_class: 'X', error_message: 'MESSAGE-1' },
  metadata: {
    user_api_key_end_user_id: 'EVE-1',
    requester_ip_address: 'IP-1',
    user_agent: 'AGENT-1',
    requester_metadata: { session_id: 'SESSION-1' },
  },
  hidden_params: { api_base: 'https://base-1' },
};
const person = ['EVE-1', 'IP-1', 'AGENT-1', 'SESSION-1'];
const underRules: readonly (readonly [path: string, gone: readonly string[]])[] = [
  ['context.error_information', ['MESSAGE-1']],
  ['context.error_information.*', ['MESSAGE-1']],
  ['context.*.error_message', ['MESSAGE-1']],
  ['context.error_str', ['MESSAGE-1']],
  ['context.metadata', person],
  ['context.metadata.*', person],
  ['context.metadata.requester_metadata', ['SESSION-1']],
  ['context.metadata.requester_metadata.*', ['SESSION-1']],
  ['context.*.*.session_id', ['SESSION-1']],
  ['context.end_user', ['EVE-1']],
  ['context.hidden_params', ['https://base-1']],
  ['context.*', [...person, 'MESSAGE-1', 'https://base-1']],
  ['context', [...person, 'MESSAGE-1', 'https://base-1']],
];

for (const [path, gone] of underRules) {
  for (const action of ['drop', 'mask', 'hash'] as const) {
    test(`to ${action} ${path} is to ${action} what is written twice in both places`, () => {
      const fields = [{ path: path.split('.'), action }];
      const { record, body } = admitUnder({ fields }, twice);
      const kept = JSON.stringify([record, [...planRun(record).tags], String(body)]);
      for (const text of gone) assert.ok(!kept.includes(text), `${text} in ${kept}`);
      for (const text of [...person, 'MESSAGE-1', 'https://base-1']) {
        assert.ok(gone.includes(text) || kept.includes(text), text);
      }
    });
  }
}

test('a rule for a place itself decides before one that takes its twin along', () => {
  const { body } = admitUnder(
    {
      fields: [
        { path: ['context', 'metadata'], action: 'drop' },
        { path: ['context', 'end_user'], action: 'hash' },
      ],
    },
    twice,
  );
  const { context } = JSON.parse(body?.toString('utf8') ?? '');
  assert.equal(context.end_user, hash('EVE-1'));
  assert.equal(context.session_id, undefined);
});
