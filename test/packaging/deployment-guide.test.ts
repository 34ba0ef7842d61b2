import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { variables } from '../../src/settings/environment.ts';
import { settingsSchema } from '../../src/settings/schema.ts';

const guides = ['docs/deployment.md', 'config/cdk/README.md'];
const guide = await readFile('docs/deployment.md', 'utf8');

/** The anchors that the headings of a text get, as GitHub makes them. */
function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

test('every link leads to a file, and to a heading in it', async () => {
  for (const from of guides) {
    const text = await readFile(from, 'utf8');
    for (const [, path = '', , anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)(#([^)]+))?\)/g)) {
      const file = path === '' ? from : join(from, '..', path);
      assert.ok(existsSync(file), `${from}: ${path}`);
      if (anchor !== undefined) {
        assert.ok(
          anchorsIn(await readFile(file, 'utf8')).includes(anchor),
          `${from}: ${path}#${anchor}`,
        );
      }
    }
  }
});

test('the variables and settings that it names are there', () => {
  for (const [name] of guide.matchAll(/\bSIDECAR_[A-Z_]+/g)) {
    assert.ok(variables.has(name) || name === 'SIDECAR_EVENTS_URL', name);
  }
  const defaults = settingsSchema.parse({});
  const known = new Map(
    Object.entries(defaults).map(([name, value]) => [name, Object.keys(value)]),
  );
  // These have no default, so that they are absent where nothing is set.
  known.get('journal')?.push('maxBytes');
  const named = [...guide.matchAll(/`(journal|record|shutdown|destination|archive)\.(\w+)`/g)];
  assert.ok(named.length > 0);
  for (const [, section = '', name = ''] of named)
    assert.ok(known.get(section)?.includes(name), name);
});

test("it quotes the refusal of a newer journal in the daemon's own words", async () => {
  const words = 'written by a later version; this one reads up to format ';
  assert.ok(guide.includes(words));
  assert.ok((await readFile('src/journal/open-database.ts', 'utf8')).includes(words));
});

const day = 86_400;

/** What the guide's section on sizes calculates, as it says. */
function sizes(callsPerSecond: number, mostRuns: number) {
  const runs = Math.min(day * callsPerSecond, mostRuns);
  const open = Math.min(
    Math.max(60, 900 / (1 + 0.9 * callsPerSecond)),
    5000 / callsPerSecond,
    (32 * 1024) / (8 * callsPerSecond),
  );
  const chunks = day / open;
  const gigabytes = (callsPerSecond * day * 365 * 4e3 + runs * 365 * 8e3) / 1e9;
  const uploads = (runs * 1.5 + chunks * 3) * 30;
  const sidecar = 730 * (0.25 * 0.0405 + 0.0044);
  return {
    runsAYear: ((runs + chunks) * 365) / 1e6,
    requests: (3 * (runs + chunks)) / day + 1 / 300,
    hours: 16e9 / (callsPerSecond * 10e3) / 3600,
    gigabytes,
    dollars: gigabytes * 0.023 + (uploads / 1000) * 0.005 + 20 * 0.08 + sidecar,
  };
}

const bears: Readonly<Record<string, number>> = { Small: 25, Medium: 50, Large: 100 };
const rows = [...guide.matchAll(/^\| ([\d.]+) \| (.*?) \| (\w+) \| (.*?) \|$/gm)];

/** Whether a number is another one, rounded to the digits that it is written with. */
function isRounded(written: string, exact: number): boolean {
  const decimals = written.split('.')[1]?.length ?? 0;
  return Math.abs(Number(written) - exact) <= 0.5 * 10 ** -decimals + 1e-9;
}

test('the table of sizes is what its arithmetic says, and its servers bear what they are given', () => {
  assert.equal(rows.length, 9);
  for (const [row, calls = '', record = '', server = '', rest = ''] of rows) {
    const most = /maxRunsPerDay: (\d+)/.exec(record)?.[1];
    const standard = settingsSchema.parse({}).record.maxRunsPerDay;
    const exact = sizes(
      Number(calls),
      record.includes('all') ? Infinity : most === undefined ? standard : Number(most),
    );
    const written = rest.split(' | ');
    for (const [index, value] of Object.values(exact).entries()) {
      assert.ok(isRounded(written[index] ?? '', value), `${row}: ${value}`);
    }
    const ration = 0.6 * (bears[server] ?? 0);
    assert.ok(exact.requests < ration || isRounded(String(ration), exact.requests), row);
  }
});
