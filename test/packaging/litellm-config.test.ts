import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readComposeFile } from './compose-file.ts';
import { readLitellmConfig, variablesOf } from './litellm-config.ts';

const config = await readLitellmConfig();

test('the named callback is switched on for successes and failures, with retries and a bound', () => {
  assert.deepEqual(config.litellm_settings, {
    callbacks: ['sidecar'],
    request_correlation_in_logs: true,
  });
  assert.deepEqual(config.callback_settings, {
    sidecar: {
      callback_type: 'generic_api',
      endpoint: 'os.environ/SIDECAR_EVENTS_URL',
      headers: { Authorization: 'os.environ/SIDECAR_AUTH_TOKEN' },
      log_format: 'json_array',
      max_retries: 5,
      retry_delay: 1,
      timeout: 10,
    },
  });
});

test('a variable is always a whole value, since LiteLLM replaces it nowhere else', () => {
  for (const [, value = ''] of JSON.stringify(config).matchAll(/"([^"]*os\.environ[^"]*)"/g)) {
    assert.match(value, /^os\.environ\/[A-Z_]+$/);
  }
});

test('the compose file gives LiteLLM every variable that the configuration takes', async () => {
  const { environment } = (await readComposeFile()).services.litellm;
  for (const name of variablesOf(config)) assert.ok(name in environment, name);
});
