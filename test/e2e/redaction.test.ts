import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createKeyedHash } from '../../src/admit/keyed-hash.ts';
import { litellmEvent } from '../support/litellm-event.ts';
import { startMinimalFront } from '../support/minimal-front.ts';
import { postEvents } from '../support/post-events.ts';
import { startSidecar } from '../support/sidecar.ts';
import { tempFolder } from '../support/temp-folder.ts';

const key = 'a-key-that-is-long-enough';
const hash = createKeyedHash(key);

/** What the daemon under these settings makes of calls, in MLflow and in its own log and metrics. */
async function recorded(t: TestContext, redact: object, events: object[]) {
  const { mlflow, trackingUri, environment } = await startMinimalFront(t);
  const config = join(tempFolder(t), 'sidecar.yaml');
  writeFileSync(config, JSON.stringify({ redact }));
  const sidecar = await startSidecar({
    trackingUri,
    env: { ...environment, SIDECAR_CONFIG: config, SIDECAR_REDACT_HASH_KEY: key },
  });
  t.after(() => sidecar.close());
  await postEvents(sidecar.eventsUrl, events);
  await sidecar.drained();
  const runs = new Map([...mlflow.runs.values()].map((run) => [run.tags.get('request_id'), run]));
  const metrics = await sidecar.metrics();
  const said = readFileSync(sidecar.logFile, 'utf8') + JSON.stringify(metrics);
  return { runs, metrics, said, requests: mlflow.requests };
}

test('what the settings redact is in no run, and the run says what became of its body', async (t) => {
  const { runs, said } = await recorded(
    t,
    {
      rules: [{ modelGroup: 'quiet', bodies: 'drop' }],
      patterns: ['e-mail'],
      customPatterns: [{ name: 'ticket', regex: 'ACME-([0-9]+)', replacement: '[ticket $1]' }],
      fields: [{ path: 'response.choices[].message.content', action: 'mask' }],
      identities: 'hash',
    },
    [
      litellmEvent(1, { messages: [{ content: 'ask a@b.com on ACME-7' }] }),
      litellmEvent(2, { model_group: 'quiet' }),
    ],
  );
  const kept = runs.get('call-1');
  const body = JSON.parse(kept?.artifacts.get('call.json')?.toString('utf8') ?? '{}');
  assert.deepEqual(body.request.messages, [{ content: 'ask [e-mail] on [ticket 7]' }]);
  assert.equal(body.response.choices[0].message.content, '***');
  assert.equal(kept?.tags.get('user_id'), hash('user-42'));
  assert.equal(kept?.tags.get('mlflow.user'), hash('user-42'));
  assert.equal(kept?.tags.get('sidecar.body'), undefined);
  const quiet = runs.get('call-2');
  assert.equal(quiet?.status, 'FINISHED');
  assert.equal(quiet?.artifacts.size, 0);
  assert.equal(quiet?.tags.get('sidecar.body'), 'dropped');
  assert.equal(quiet?.tags.get('sidecar.shed'), undefined, 'nothing was lost that was wanted');
  assert.doesNotMatch(said, /a@b\.com|user-42|question|answer 1/);
});

test('where the external redactor is away, the run says so and a metric counts it', async (t) => {
  const { runs, metrics } = await recorded(t, { url: 'http://127.0.0.1:1/' }, [litellmEvent(1)]);
  const run = runs.get('call-1');
  assert.equal(run?.status, 'FINISHED');
  assert.equal(run?.artifacts.size, 0);
  assert.equal(run?.tags.get('sidecar.body'), 'unvetted');
  assert.equal(run?.tags.get('sidecar.shed'), 'call.json');
  assert.equal(metrics['litellm_mlflow_bodies_unvetted_total'], 1);
  assert.equal(metrics['litellm_mlflow_account_adds_up'], 1);
});
