import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { readJoinedRecord } from '../../src/journal/read-record.ts';
import { isDamage } from '../../src/journal/salvage/is-damage.ts';
import { makeOnSound } from '../../src/journal/salvage/make-on-sound.ts';
import type { SqliteJournal } from '../../src/journal/sqlite-journal.ts';
import {
  account,
  allCalls,
  assertWorks,
  callIds,
  calls,
  copyPage,
  databaseOf,
  flipBit,
  idsUpTo,
  killedJournal,
  leavesOf,
  openIn,
  overwrite,
  overwriteRoot,
  page,
  postedAt,
  rootOf,
  run,
  server,
  setKey,
  setKeyOfLeaf,
  spoilTypeOfCall,
  withRestarts,
} from '../support/damaged-journal.ts';

for (const [what, key] of [
  ['larger than any that there is', 127],
  ['that of a later call', 39],
] as const) {
  test(`a key of the payloads that damage made ${what} costs its own call alone`, (t) => {
    const folder = killedJournal(t, calls(40), false);
    setKeyOfLeaf(folder, 'payloads', key);
    assertCosts(folder, 40, 1);
  });
}

test('a call whose payload is gone becomes a dead letter', (t) => {
  const folder = killedJournal(t, calls(20), false);
  const database = new DatabaseSync(databaseOf(folder));
  database.exec('DELETE FROM payloads WHERE seq = 3');
  database.close();
  assertCosts(folder, 20, 1);
});

test('a column that is of another type costs no call', (t) => {
  const folder = killedJournal(t, calls(5), false);
  spoilTypeOfCall(folder);
  assertCosts(folder, 5, 0);
});

/** Each call has a run, named after it. */
const runForEach = (journal: SqliteJournal) => {
  for (const { seq, record } of allCalls(journal)) {
    const runId = `run of ${record.callId}`;
    run(journal, (own) => own.progress(seq, { destination: server, runId }));
  }
};

for (const [what, table, without] of [
  ['its own row', 'calls', ['call-5']],
  ['its payload', 'payloads', []],
] as const) {
  test(`a call that damage gave the number of another in ${what} costs none, and none its run`, (t) => {
    const folder = killedJournal(t, [...calls(10), runForEach], false);
    setKey(folder, table, 5, 4);
    withRestarts(folder, (journal) => {
      const taken = allCalls(journal);
      assert.deepEqual(callIds(taken), idsUpTo(10));
      const others = taken.filter(({ record, progress }) => {
        return progress?.runId !== `run of ${record.callId}`;
      });
      assert.deepEqual(callIds(others), without);
      for (const { progress } of others) assert.equal(progress?.runId, undefined);
      assertWorks(journal);
    });
  });
}

test('a payload that belongs to another call than its number says is not taken for its own', () => {
  const record = JSON.stringify({ recordId: 'a1' });
  const row = { seq: 1, record, record_crc: crc32(record) };
  const own = { ...row, record_id: Buffer.from('a1', 'hex') };
  assert.deepEqual(readJoinedRecord(own), { recordId: 'a1' });
  const another = { ...row, record_id: Buffer.from('a2', 'hex') };
  assert.throws(() => readJoinedRecord(another), { code: 'JOURNAL_DAMAGED' });
});

for (const table of ['calls', 'payloads']) {
  test(`a leaf of the ${table} that another was written over costs no other call`, (t) => {
    const folder = killedJournal(t, calls(100), false);
    const [first, ...others] = leavesOf(folder, table);
    const last = others.at(-1);
    assert.ok(first && last);
    const itsCalls = readFileSync(databaseOf(folder)).readUInt16BE(first + 3);
    copyPage(folder, last, first);
    assertCosts(folder, 100, table === 'calls' ? 0 : itsCalls);
  });
}

for (const [what, byte] of [
  ['points to another page', 1],
  ['points nowhere', 0],
] as const) {
  test(`a middle of the payloads' search tree that ${what} costs what is below it alone`, (t) => {
    const folder = killedJournal(t, calls(50), false);
    const root = (rootOf(folder, 'payloads') - 1) * page;
    const cells = readFileSync(databaseOf(folder)).readUInt16BE(root + 3);
    flipBit(databaseOf(folder), root + 12 + 2 * ((cells - 1) >> 1) + byte, 0);
    assertCosts(folder, 50, 2);
  });
}

test('what lies between two bad pages is read', (t) => {
  const folder = killedJournal(t, calls(50), false);
  const leaves = leavesOf(folder, 'payloads');
  const bytes = readFileSync(databaseOf(folder));
  const [second = 0, last = 0] = [leaves[1], leaves.at(-2)];
  for (const leaf of [second, last]) {
    overwrite(databaseOf(folder), leaf, Buffer.alloc(page, 0xa5));
  }
  assertCosts(folder, 50, bytes.readUInt16BE(second + 3) + bytes.readUInt16BE(last + 3));
});

test('a call whose rows are both there is not lost, though its own has a number that no other has', (t) => {
  const folder = killedJournal(t, calls(10), false);
  const database = new DatabaseSync(databaseOf(folder));
  database.exec(`
    DELETE FROM calls WHERE seq = 6; DELETE FROM payloads WHERE seq = 6;
    UPDATE ledger SET calls = 9 WHERE name IN ('received', 'pending');
  `);
  database.close();
  setKey(folder, 'calls', 5, 6);
  assertCosts(folder, 9, 0);
});

test('a call whose id is damaged in its own row is not lost', (t) => {
  const folder = killedJournal(t, calls(10), false);
  const database = new DatabaseSync(databaseOf(folder));
  const id = database.prepare('SELECT record_id FROM calls WHERE seq = 5').get()?.['record_id'];
  database.close();
  assert.ok(id instanceof Uint8Array);
  const root = (rootOf(folder, 'calls') - 1) * page;
  flipBit(databaseOf(folder), readFileSync(databaseOf(folder)).indexOf(id, root), 0);
  writeFileSync(join(folder, 'damaged'), '');
  assertCosts(folder, 10, 0);
});

test('a lost call that a misplaced page tells of twice is one dead letter', (t) => {
  const folder = killedJournal(t, calls(100), false);
  const leaves = leavesOf(folder, 'calls');
  const [first = 0, last = 0] = [leaves[0], leaves.at(-1)];
  const itsCalls = readFileSync(databaseOf(folder)).readUInt16BE(last + 3);
  copyPage(folder, last, first);
  overwriteRoot(folder, 'payloads');
  withRestarts(folder, (journal) => {
    assert.equal(journal.damage?.database?.lost, 100);
    const { dead, shed, addsUp } = account(journal);
    assert.deepEqual([dead, shed, addsUp], [itsCalls, { damaged: 100 - itsCalls }, true]);
    assert.equal(run(journal, (own) => own.dead.list({}, 1_000)).length, itsCalls);
  });
});

test('a time of what is due that damage made late is found at the start: it hides those behind it', (t) => {
  const folder = killedJournal(t, calls(20), false);
  const root = (rootOf(folder, 'calls_due') - 1) * page;
  const time = Buffer.alloc(6);
  time.writeUIntBE(postedAt, 0, 6);
  // Entries are written from the end of the page: the one that is found first came last.
  const last = readFileSync(databaseOf(folder)).indexOf(time, root);
  const another = readFileSync(databaseOf(folder)).indexOf(time, last + 1);
  assert.ok(another > last && another < root + page);
  flipBit(databaseOf(folder), another, 6);
  const journal = openIn(folder);
  assert.equal(journal.damage?.database?.reason, 'its tables contradict each other');
  assert.deepEqual(callIds(allCalls(journal)), idsUpTo(20));
  journal.close();
});

test('a key that is there already is damage; what is refused otherwise is not', () => {
  const database = new DatabaseSync(':memory:');
  database.exec(
    'CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER UNIQUE, c INTEGER CHECK (c > 0)) STRICT',
  );
  database.exec('INSERT INTO t VALUES (1, 1, 1)');
  const thrownBy = (values: string): unknown => {
    try {
      return database.exec(`INSERT INTO t VALUES (${values})`);
    } catch (error) {
      return error;
    }
  };
  const thrown = ['1, 2, 1', '2, 1, 1', '2, 2, 0'].map(thrownBy);
  database.close();
  assert.deepEqual(thrown.map(isDamage), [true, true, false]);
});

test('a number of a call that a payload already has is damage, and salvaged', (t) => {
  const end = (journal: SqliteJournal) => {
    for (const { seq } of allCalls(journal)) {
      run(journal, (own) => own.settle(seq, { kind: 'recorded' }, Date.now()));
    }
  };
  const folder = killedJournal(t, [...calls(5), end], false);
  setKey(folder, 'payloads', 5, 6);
  withRestarts(folder, (journal) => {
    assertWorks(journal);
    assert.equal(account(journal).recorded, 5);
    assert.ok(journal.damage?.database);
  });
});

/** Of `count` calls all but `lost` are found, and those are dead. */
function assertCosts(folder: string, count: number, lost: number): void {
  withRestarts(folder, (journal) => {
    assert.equal(allCalls(journal).length, count - lost);
    const { pending, dead } = account(journal);
    assert.deepEqual([pending, dead], [count - lost, lost]);
    assertWorks(journal);
    assert.ok(journal.damage?.database);
  });
}

test('a damaged file that does not even close is salvaged in the same start', () => {
  const malformed = () => {
    throw Object.assign(new Error('malformed'), { errcode: 11 });
  };
  let opened = 0;
  let isNoted = false;
  const noteDamage = () => {
    isNoted = true;
  };
  const database = new DatabaseSync(':memory:');
  const open = () => {
    opened += 1;
    return { database, noteDamage, withdrawNote: () => undefined, close: malformed };
  };
  assert.equal(
    makeOnSound(open, () => (opened === 1 ? malformed() : 'made')),
    'made',
  );
  assert.ok(isNoted);
  database.close();
});
