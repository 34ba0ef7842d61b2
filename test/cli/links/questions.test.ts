import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linksOf, type Places } from '../../../src/cli/links/questions.ts';
import { keptView } from '../../../src/cli/links/runs-page.ts';

const since = 1_795_000_000_000;
const run = (id: string, name: string) => ({ id, name, startTime: since, tags: new Map() });
const day = (name: string) => {
  const startsAt = Date.parse(`${name}T00:00Z`);
  return { day: name, startsAt, endsAt: startsAt + 86_400_000 };
};
const dayRun = (id: string, name: string) => ({
  ...run(id, `usage ${name}`),
  tags: new Map([['usage.day', name]]),
});
const places: Places = {
  ...{ since, until: since + 3_600_000, traced: true },
  calls: [{ id: '1', name: '/llm' }],
  usage: {
    id: '2',
    first: day('2026-11-18'),
    last: day('2026-11-18'),
    runs: [dayRun('u1', '2026-11-18')],
  },
  chunks: { id: '3', newest: run('c1', 'calls 08:00') },
};

/** The address of the page with this title, and the query that its page reads. */
function pageOf(title: string, from: Places = places, kept = false) {
  const found = linksOf(from, kept).filter((link) => link.title.startsWith(title));
  assert.equal(found.length, 1, title);
  const [path = '', query] = (found[0]?.path ?? '').split('?');
  return { path, query: Object.fromEntries(new URLSearchParams(query)) };
}

test('the pages of runs filter by the time, and sort by what is asked', () => {
  const common = { startTime: 'ALL', lifecycleFilter: 'Active', orderByAsc: 'false' };
  const from = `attributes.start_time >= ${since}`;
  assert.deepEqual(pageOf('calls, the costliest first'), {
    path: '#/experiments/1/runs',
    query: { ...common, searchFilter: from, orderByKey: 'metrics.`cost_usd`' },
  });
  assert.deepEqual(pageOf('failed calls').query, {
    ...{ ...common, orderByKey: 'attributes.start_time' },
    searchFilter: `tags.status = 'failure' and ${from}`,
  });
  assert.deepEqual(pageOf('calls, the slowest first').query, {
    ...{ ...common, orderByKey: 'metrics.`latency_ms`' },
    searchFilter: `metrics.latency_ms > 0 and ${from}`,
  });
  assert.equal(
    pageOf('totals of 2026-11-18').query['searchFilter'],
    'attributes.start_time >= 1794960000000 and attributes.start_time < 1795046400000',
  );
});

test('a kept view is named in the address alone: beside other parameters MLflow takes no view', () => {
  assert.deepEqual(pageOf('failed calls', places, true), {
    path: '#/experiments/1/runs',
    query: { viewStateShareKey: 'sidecar-failures' },
  });
  const view = { filter: 'f', orderBy: 'metrics.`x`', columns: ['tags.`a`'] };
  const [name, value] = keptView('sidecar-failures', view);
  assert.equal(name, 'mlflow.sharedViewState.sidecar-failures');
  assert.deepEqual(JSON.parse(value), {
    ...{ searchFilter: 'f', orderByKey: 'metrics.`x`', orderByAsc: false },
    ...{ startTime: 'ALL', lifecycleFilter: 'Active', selectedColumns: ['tags.`a`'] },
  });
});

test('the pages of traces are of the time that was asked for', () => {
  const times = {
    startTimeLabel: 'CUSTOM',
    ...{ startTime: '2026-11-18T11:06:40.000Z', endTime: '2026-11-18T12:06:40.000Z' },
  };
  assert.deepEqual(pageOf('traces of failed calls'), {
    path: '#/experiments/1/traces',
    query: { ...times, tag: 'status=failure', filter: 'state::=::ERROR' },
  });
  assert.deepEqual(pageOf('traces, the slowest first').query, {
    ...{ ...times, sort: 'duration', dir: 'desc' },
  });
  assert.deepEqual(pageOf('traces: tokens and cost'), {
    path: '#/experiments/1/overview/usage',
    query: times,
  });
});

test('the charts of a day are of its run, and of each where there are several sidecars', () => {
  assert.equal(
    pageOf('charts of 2026-11-18: requests').path,
    '#/experiments/2/runs/u1/model-metrics',
  );
  const two = [dayRun('u1', '2026-11-18'), dayRun('u2', '2026-11-18')];
  const [first, last] = [day('2026-11-18'), day('2026-11-18')];
  const usage = { id: '2', first, last, runs: two };
  const charts = linksOf({ ...places, usage }, false).filter(({ title }) => /charts/.test(title));
  assert.deepEqual(
    charts.map(({ title, path }) => [title.slice(-9), path]),
    [
      ['sidecar 1', '#/experiments/2/runs/u1/model-metrics'],
      ['sidecar 2', '#/experiments/2/runs/u2/model-metrics'],
      ['sidecar 1', '#/experiments/2/runs/u1/model-metrics'],
      ['sidecar 2', '#/experiments/2/runs/u2/model-metrics'],
    ],
  );
});

test('over several days the totals are of all of them, the charts of each', () => {
  const [first, last] = [day('2026-11-16'), day('2026-11-18')];
  const runs = [dayRun('u3', '2026-11-18'), dayRun('u2', '2026-11-17')];
  const usage = { id: '2', first, last, runs };
  const titles = linksOf({ ...places, usage }, false).map(({ title }) => title);
  assert.deepEqual(
    titles.filter((title) => /2026/.test(title)),
    [
      'totals of 2026-11-16 to 2026-11-18 by model and team, the costliest first',
      'charts of 2026-11-18: requests, tokens and cost by model and team',
      'charts of 2026-11-17: requests, tokens and cost by model and team',
      'charts of 2026-11-18: latency, and errors by type',
      'charts of 2026-11-17: latency, and errors by type',
    ],
  );
  assert.equal(
    pageOf('totals of', { ...places, usage }).query['searchFilter'],
    'attributes.start_time >= 1794787200000 and attributes.start_time < 1795046400000',
  );
});

test('the calls table reaches back to the chunk that may hold the first of the calls', () => {
  const { searchFilter } = pageOf('the calls table').query;
  assert.equal(searchFilter, `attributes.start_time >= ${since - 900_000}`);
  assert.equal(pageOf('the newest chunk').path, '#/experiments/3/runs/c1/artifacts/calls.json');
});

test('the runs of several experiments are in one table', () => {
  const calls = [
    { id: '1', name: '/llm/a' },
    { id: '7', name: '/llm/b' },
  ];
  const { path, query } = pageOf('failed calls', { ...places, calls }, true);
  assert.equal(path, '#/compare-experiments/s');
  assert.deepEqual(JSON.parse(query['experiments'] ?? ''), ['1', '7']);
  assert.ok(linksOf({ ...places, calls }, false).some(({ title }) => title === 'traces in /llm/b'));
});

test('what is not there has no page, and the questions keep their order', () => {
  const { usage, chunks, ...less } = places;
  const links = linksOf({ ...less, traced: false }, false);
  assert.deepEqual(
    links.map(({ question }) => question),
    ['who spends what', 'what fails', 'what got slow'],
  );
  assert.deepEqual(linksOf({ ...less, calls: [], traced: false }, false), []);
  assert.ok(usage && chunks);
});
