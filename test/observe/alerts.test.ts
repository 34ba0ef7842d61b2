import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { z } from 'zod';
import { openSqliteJournal } from '../../src/journal/sqlite-journal.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { tempFolder } from '../support/temp-folder.ts';

const duration = z.string().regex(/^\d+[mh]$/);
const ruleFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^LitellmMlflow\w+$/),
          expr: z.string(),
          for: duration.optional(),
          labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.strictObject({ summary: z.string(), description: z.string() }),
        }),
      ),
    }),
  ),
});

const file = readFileSync(new URL('../../config/alerts.yaml', import.meta.url), 'utf8');
const rules = ruleFile.parse(parse(file)).groups.flatMap((group) => group.rules);

/** The names of metrics in an expression, by Prometheus' own grammar; it fails for what is none. */
function metricsIn(expression: string): string[] {
  const names: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ name, type, from, to }) => {
      assert.ok(!type.isError, `${expression} breaks at ${from}`);
      if (name === 'VectorSelector') {
        names.push(expression.slice(from, to).replace(/\{.*$/s, ''));
      }
    },
  });
  return names;
}

test('the alerts are expressions of Prometheus, of metrics that the sidecar has', async (t) => {
  const journal = openSqliteJournal(journalDefaults(tempFolder(t)));
  t.after(() => journal.close());
  const metrics = createMetrics({
    account: async () => journal.account(),
    destinations: () => ({}),
    now: Date.now,
  });
  const { text } = await metrics.text();
  assert.ok(rules.length > 5);
  for (const { alert, expr } of rules) {
    const names = metricsIn(expr);
    assert.ok(names.length > 0, alert);
    for (const name of names) assert.ok(text.includes(`# TYPE ${name} `), `${alert}: ${name}`);
  }
});

test('each alert has a name of its own', () => {
  const names = rules.map(({ alert }) => alert);
  assert.deepEqual([...new Set(names)], names);
});
