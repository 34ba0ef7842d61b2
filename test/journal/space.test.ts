import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteJournal } from '../../src/journal/sqlite-journal.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, litellmEvent } from '../support/litellm-event.ts';
import { tempFolder } from '../support/temp-folder.ts';

const megabyte = 1024 * 1024;

test('when a backlog is gone the file gives its space back, all but a little', (t) => {
  const folder = tempFolder(t);
  const journal = openSqliteJournal(journalDefaults(folder, { retainMs: 0, maxBytes: 1e9 }));
  t.after(() => journal.close());
  const run = <T>(command: () => T): T => {
    const [result] = journal.run([command]);
    if (result?.status !== 'fulfilled') throw result?.reason;
    return result.value;
  };
  const size = () => statSync(join(folder, 'journal.db')).size;
  const large = { messages: 'x'.repeat(megabyte) };
  for (let call = 0; call < 60; call += 1) {
    run(() => journal.append(bodyOf(litellmEvent(call, large)), 1));
  }
  assert.ok(size() > 40 * megabyte);
  for (const { seq } of run(() => journal.take(100, 'http://mlflow.test', 1)).calls) {
    run(() => journal.settle(seq, { kind: 'recorded' }, 1));
  }
  let steps = 0;
  while (journal.tidy(2)) steps += 1;
  assert.ok(steps > 10, 'a little at a time');
  assert.ok(size() < 20 * megabyte, `${size()} bytes are left`);
});

test('a body comes in the place that is given for it, where it fits', (t) => {
  const journal = openSqliteJournal(journalDefaults(tempFolder(t)));
  t.after(() => journal.close());
  journal.run([() => journal.append(bodyOf(litellmEvent(1)), 1)]);
  const [taken] = journal.run([() => journal.take(1, 'http://mlflow.test', 1)]);
  const call = taken?.status === 'fulfilled' ? taken.value.calls[0] : undefined;
  assert.ok(call);
  const own = journal.body(call.seq);
  assert.equal(own?.length, call.bodyBytes);
  const memory = new SharedArrayBuffer(call.bodyBytes + 10);
  const placed = journal.body(call.seq, new Uint8Array(memory, 10, call.bodyBytes));
  assert.equal(placed?.buffer, memory);
  assert.deepEqual(placed, new Uint8Array(own ?? []));
  const tooSmall = journal.body(call.seq, new Uint8Array(memory, 0, 5));
  assert.notEqual(tooSmall?.buffer, memory);
  assert.deepEqual(tooSmall, own);
});
