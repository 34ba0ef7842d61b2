import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planted, textsIn } from '../support/planted.ts';
import { echoed, own, saidIn } from './secrets/planted-calls.ts';
import { leftBehind } from './secrets/whole-path.ts';

const always = [...Object.values(own), ...Object.values(echoed)];

describe('after calls went every way there is', { concurrency: 2, timeout: 300_000 }, () => {
  it('what the settings forbid is in no file, no log, no answer and no run, whatever becomes of a call', async (t) => {
    const redact = {
      rules: [
        { modelGroup: 'dropped', bodies: 'drop' },
        { modelGroup: 'hashed', bodies: 'hash' },
        { modelGroup: 'patterns', bodies: 'keep' },
      ],
      bodies: 'drop',
      fields: [
        { path: 'request.model_parameters.stop', action: 'drop' },
        { path: 'context.metadata.requester_metadata.*', action: 'hash' },
        { path: 'context.error_information.traceback', action: 'mask' },
      ],
      customPatterns: [{ name: 'planted', regex: `${planted}-(prompt|answer|quoted)-in-patterns` }],
      identities: 'hash',
    };
    const left = await leftBehind(t, redact, ['patterns', 'dropped', 'hashed']);
    for (const [name, bytes] of left.files) assert.deepEqual(textsIn(bytes, [planted]), [], name);
    for (const what of ['told', 'shown', 'tags', 'artifacts'] as const) {
      assert.deepEqual(textsIn(left[what], [planted]), [], what);
    }
  });

  it('what no setting forbids is in the journal and in call.json alone, and secrets are nowhere', async (t) => {
    const left = await leftBehind(t, {}, ['one', 'two']);
    for (const [name, bytes] of left.files) assert.deepEqual(textsIn(bytes, always), [], name);
    for (const what of ['told', 'shown', 'tags', 'artifacts'] as const) {
      assert.deepEqual(textsIn(left[what], always), [], what);
    }
    assert.deepEqual(textsIn(left.told, [planted]), [], 'nothing tells of a call’s content');
    const said = saidIn('one');
    // Params are tags of a kind, and a provider's error is one, whatever it quotes.
    const { parameter: _, quoted: __, ...untold } = said;
    assert.deepEqual(textsIn(left.tags, Object.values(untold)), [], 'tags neither');
    // What may be there is there: the search would have found what may not.
    const kept = Buffer.concat([...left.files.values()]);
    assert.deepEqual(textsIn(kept, Object.values(said)), Object.values(said));
    assert.deepEqual(textsIn(left.artifacts, Object.values(said)), Object.values(said));
  });
});
