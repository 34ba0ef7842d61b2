import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusPage } from '../../src/observe/status-page.ts';

const report = {
  status: 'not_accepting',
  version: '1.2.3',
  uptime_seconds: 12.5,
  journal: { state: 'full', received: 1_234_567, shed: { deleted: 2 }, trouble: undefined },
  destinations: { mlflow: { state: 'held', reason: 'forbidden', detail: '<b>&"no"</b>' } },
  recording: { usage: 'on', runs: { setting: 'auto', sample_rate: 0.25 } },
};

test('each value of the report is on the page, under its section', () => {
  const page = statusPage(report);
  assert.match(page, /<h1>litellm-mlflow-sidecar: <span class="bad">not_accepting<\/span><\/h1>/);
  assert.match(page, /<h2>journal<\/h2>.*<th>received<\/th><td>1,234,567<\/td>/);
  assert.match(page, /<h2>journal: shed<\/h2>.*<th>deleted<\/th><td>2<\/td>/);
  assert.match(page, /<h2>To mlflow<\/h2>.*<span class="bad">held<\/span>/);
  assert.match(page, /<h2>recording: runs<\/h2>.*<th>sample rate<\/th><td>0.25<\/td>/);
  assert.ok(!page.includes('trouble'));
});

test('nothing that a server said becomes markup', () => {
  const page = statusPage(report);
  assert.ok(page.includes('&lt;b&gt;&amp;&quot;no&quot;&lt;/b&gt;'));
  assert.ok(!page.includes('<b>'));
});
