import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patiently } from '../../../src/cli/prune/patient.ts';
import { countRuns, pruneRuns } from '../../../src/cli/prune/prune-runs.ts';
import { pruneTraces } from '../../../src/cli/prune/prune-traces.ts';
import type { Outcome } from '../../../src/mlflow/outcome.ts';
import type { FoundRun, Page } from '../../../src/mlflow/search-client.ts';
import { steppingClock } from '../server/control.ts';

const over = new AbortController().signal;
const done = { kind: 'done', value: undefined } as const;
const down = { kind: 'hold', reason: 'unreachable', detail: 'ECONNREFUSED' } as const;
const refusal = { kind: 'reject', reason: 'invalid', answer: 'no' } as const;

/** A server's runs, `most` to a page; deleting takes them out. */
function storeOf(count: number, most = 10) {
  const runs: FoundRun[] = Array.from({ length: count }, (_, index) => ({
    ...{ id: `run-${index}`, name: '', startTime: index, tags: new Map() },
  }));
  return {
    runs,
    search: async (token = '0'): Promise<Outcome<Page<FoundRun>>> => {
      const from = Number(token);
      const next = from + most < runs.length ? { next: String(from + most) } : {};
      return { kind: 'done', value: { items: runs.slice(from, from + most), ...next } };
    },
    remove: async (id: string): Promise<Outcome<void>> => {
      runs.splice(
        runs.findIndex((one) => one.id === id),
        1,
      );
      return done;
    },
  };
}

test('all pages of runs are deleted, the oldest first', async () => {
  const store = storeOf(35);
  const told: number[] = [];
  const onDeleted = (run: FoundRun) => told.push(run.startTime);
  const pruned = await pruneRuns({ runs: store.search, deleteRun: store.remove, onDeleted, over });
  assert.deepEqual(pruned, { deleted: 35, left: 0 });
  assert.deepEqual(
    told,
    Array.from({ length: 35 }, (_, index) => index),
  );
});

test('runs that cannot be deleted do not keep the others', async () => {
  const store = storeOf(35);
  let asked = 0;
  const deleteRun = async (id: string) => {
    asked += 1;
    return Number(id.slice(4)) < 12 ? refusal : store.remove(id);
  };
  const pruned = await pruneRuns({ runs: store.search, deleteRun, onDeleted: () => {}, over });
  assert.deepEqual([pruned, asked, store.runs.length], [{ deleted: 23, left: 12 }, 35, 12]);
});

test('a run that somebody else has deleted counts as gone, also where it is still found', async () => {
  const store = storeOf(3);
  const gone = { kind: 'reject', reason: 'deleted', answer: '' } as const;
  const parts = { runs: store.search, deleteRun: async () => gone, onDeleted: () => {}, over };
  assert.deepEqual(await pruneRuns(parts), { deleted: 3, left: 0 });
});

test('a server that goes away ends it, with what was done until then', async () => {
  const store = storeOf(35);
  const deleteRun = async (id: string) => (id === 'run-12' ? down : store.remove(id));
  const parts = { runs: store.search, deleteRun, onDeleted: () => {}, over };
  assert.deepEqual(await pruneRuns(parts), { deleted: 12, left: 0, failure: down });
  const search = { ...parts, runs: async () => down };
  assert.deepEqual(await pruneRuns(search), { deleted: 0, left: 0, failure: down });
});

test('an interruption ends it between two runs', async () => {
  const store = storeOf(35);
  const stop = new AbortController();
  const onDeleted = (_: FoundRun, deleted: number) => deleted === 7 && stop.abort();
  const parts = { runs: store.search, deleteRun: store.remove, onDeleted, over: stop.signal };
  assert.deepEqual(await pruneRuns(parts), { deleted: 7, left: 0 });
});

test('counting goes through all pages', async () => {
  const counts: number[] = [];
  const counted = await countRuns(storeOf(35).search, (count) => counts.push(count), over);
  assert.deepEqual([counted, counts], [{ kind: 'done', value: 35 }, [10, 20, 30, 35]]);
});

test('traces are deleted a hundred at a time, and what stays does not go on for ever', async () => {
  let left = Array.from({ length: 250 }, (_, index) => ({ id: `tr-${index}` }));
  const asked: number[] = [];
  const deleteTraces = async (ids: readonly string[]) => {
    asked.push(ids.length);
    left = left.filter(({ id }) => !ids.includes(id));
    return { kind: 'done', value: ids.length } as const;
  };
  const traces = async () => ({ kind: 'done', value: { items: left } }) as const;
  const parts = { traces, deleteTraces, onDeleted: () => {}, over };
  assert.deepEqual(await pruneTraces(parts, 'old'), { deleted: 250 });
  assert.deepEqual(asked, [100, 100, 50]);
  left = [{ id: 'tr-1' }];
  const none = { ...parts, deleteTraces: async () => ({ kind: 'done', value: 0 }) as const };
  assert.deepEqual(await pruneTraces(none, 'old'), { deleted: 0 });
});

test('what fails for a moment is asked again, as late as the server says', async () => {
  const throttled = { kind: 'hold', reason: 'throttled', detail: '429', afterMs: 9_000 } as const;
  const answers: Outcome<void>[] = [{ kind: 'retry', reason: '500' }, throttled, down, done];
  const clock = steppingClock();
  const outcome = await patiently(async () => answers.shift() ?? refusal, clock, over);
  assert.deepEqual([outcome.kind, clock.slept.length], ['done', 3]);
  assert.ok((clock.slept[1] ?? 0) >= 9_000);
});

test('what fails again and again, or for good, is told', async () => {
  let asked = 0;
  const ask = (outcome: Outcome<void>) => async () => {
    asked += 1;
    return outcome;
  };
  const clock = steppingClock();
  assert.equal(await patiently(ask(down), clock, over), down);
  assert.equal(asked, 5);
  assert.equal(await patiently(ask(refusal), clock, over), refusal);
  const forbidden = { kind: 'hold', reason: 'forbidden', detail: '403' } as const;
  assert.equal(await patiently(ask(forbidden), clock, over), forbidden);
  assert.equal(asked, 7);
});
