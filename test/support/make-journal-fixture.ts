import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { schemaVersion } from '../../src/journal/schema.ts';
import { account, allCalls, append, openIn, run, server } from './damaged-journal.ts';

/*
 * Writes the journal of this version's format to `test/fixtures/journal/`, for the tests of later
 * versions. To be run once, before the format changes: `node --import tsx test/support/make-journal-fixture.ts`.
 */

const folder = mkdtempSync(join(tmpdir(), 'sidecar-fixture-'));
const journal = openIn(folder);
for (let number = 1; number <= 6; number += 1) append(journal, number);
append(journal, 6);
run(journal, (own) => own.append(new Uint8Array(Buffer.from('[{"id": "x", "messages": [}]')), 1));
const [recorded, forgotten, dead, begun] = allCalls(journal);
if (!recorded || !forgotten || !dead || !begun) throw new Error('the calls are not there');
const now = Date.now();
run(journal, (own) => own.settle(forgotten.seq, { kind: 'recorded' }, 1));
journal.tidy(now);
run(journal, (own) => {
  // Kept for replay by whatever version reads it, as long as time has not passed.
  own.settle(recorded.seq, { kind: 'recorded' }, now);
  own.settle(dead.seq, { kind: 'dead', reason: 'rejected', detail: 'an example' }, now);
  own.progress(begun.seq, {
    destination: server,
    runId: 'run-4',
    artifactUri: 'a',
    done: ['logged'],
  });
});
if (!account(journal).addsUp) throw new Error('the account does not add up');
journal.close();
const file = new URL(`../fixtures/journal/v${schemaVersion}.db`, import.meta.url);
copyFileSync(join(folder, 'journal.db'), file);
rmSync(folder, { recursive: true });
