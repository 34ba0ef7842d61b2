import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createMakeRoom } from '../../src/journal/make-room.ts';
import { databaseOf, killedJournal, postedAt, run, setKey } from '../support/damaged-journal.ts';

test('a dead letter out of its order is not given up for room for ever', (t) => {
  const post = new Uint8Array(Buffer.from('[1, 2, 3, 4]'));
  const folder = killedJournal(
    t,
    [(journal) => run(journal, (own) => own.append(post, postedAt))],
    false,
  );
  setKey(folder, 'dead_letters', 4, 2);
  const database = new DatabaseSync(databaseOf(folder));
  t.after(() => database.close());
  let asked = 0;
  const full = () => {
    asked += 1;
    assert.ok(asked < 100, 'it comes to an end');
    return false;
  };
  const makeRoom = createMakeRoom(
    database,
    { add: () => {} },
    { forgetRecorded: () => 0 },
    { admits: full, couldAdmit: () => true },
    { onUndo: () => {} },
    { shed: () => 0 },
  );
  assert.throws(() => makeRoom(1_000, postedAt), { code: 'JOURNAL_DAMAGED' });
});
