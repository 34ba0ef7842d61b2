import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCountingProxy } from '../support/counting-proxy.ts';
import { eventsFrom, litellmEvent } from '../support/litellm-event.ts';
import { startMlflow } from '../support/mlflow-server.ts';
import { postEvents } from '../support/post-events.ts';
import { startSidecar } from '../support/sidecar.ts';

test('a call costs exactly three requests and its artifacts', { timeout: 240_000 }, async (t) => {
  const mlflow = await startMlflow();
  t.after(() => mlflow.close());
  const proxy = await startCountingProxy(mlflow.url);
  t.after(() => proxy.close());
  const sidecar = await startSidecar({ trackingUri: proxy.url, experiment: '/counted' });
  t.after(() => sidecar.close());

  const failures = Array.from({ length: 50 }, (_, index) =>
    litellmEvent(451 + index, {
      status: 'failure',
      error_information: { error_class: 'Timeout', error_code: '408', traceback: 'File "a.py"' },
    }),
  );
  await postEvents(sidecar.eventsUrl, eventsFrom(1, 450));
  await postEvents(sidecar.eventsUrl, failures);
  await sidecar.drained(200_000);

  const create = proxy.count('POST', /runs\/create$/);
  const artifacts = proxy.count('PUT', /mlflow-artifacts/);
  assert.deepEqual(
    {
      create,
      logBatch: proxy.count('POST', /runs\/log-batch$/),
      artifacts,
      update: proxy.count('POST', /runs\/update$/),
      experiments: proxy.count('GET', /get-by-name$/) + proxy.count('POST', /experiments\/create$/),
    },
    { create: 500, logBatch: 500, artifacts: 550, update: 500, experiments: 2 },
  );
  assert.equal(proxy.requests.length, 3 * 500 + 550 + 2, 'and nothing else');
});
