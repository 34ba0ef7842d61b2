import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DestinationState } from '../../src/deliver/hold.ts';
import { openSqliteJournal } from '../../src/journal/sqlite-journal.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, litellmEvent } from '../support/litellm-event.ts';
import { tempFolder } from '../support/temp-folder.ts';

const now = 1_800_000_000_000;
const held: DestinationState = {
  state: 'held',
  reason: 'forbidden',
  detail: 'HTTP 403',
  since: now,
  probeAt: now,
};

test('what the journal counts is a metric, that of second runs included', async (t) => {
  const journal = openSqliteJournal(journalDefaults(tempFolder(t)));
  t.after(() => journal.close());
  journal.run([
    () => {
      journal.append(bodyOf(litellmEvent(1), litellmEvent(2)), now);
      const [call] = journal.take(1, 'http://mlflow.test', now).calls;
      assert.ok(call);
      journal.progress(call.seq, { destination: 'http://mlflow.test', secondRunsDeleted: 1 });
      journal.settle(call.seq, { kind: 'recorded' }, now);
    },
  ]);
  const metrics = createMetrics({
    account: async () => journal.account(),
    destinations: () => ({ mlflow: held, artifacts: { state: 'open' } }),
    now: () => now,
  });
  const { text } = await metrics.text();
  for (const line of [
    'calls_received_total 2',
    'calls_recorded_total 1',
    'calls_pending 1',
    'runs_complete_total 1',
    'second_runs_deleted_total 1',
    'destination_held\\{destination="mlflow"\\} 1',
    'destination_held\\{destination="artifacts"\\} 0',
    'destination_held_reason\\{destination="mlflow",reason="forbidden"\\} 1',
  ]) {
    assert.match(text, new RegExp(`^litellm_mlflow_${line}$`, 'm'));
  }
});
