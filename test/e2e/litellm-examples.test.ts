import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { planConfig } from '../../src/cli/litellm/plan.ts';
import { settingsSchema } from '../../src/settings/schema.ts';
import { examples } from '../cli/litellm/configs.ts';
import { refused, taken } from '../cli/litellm/refused-configs.ts';
import { litellmPins, pythonEnv } from '../support/python-env.ts';
import { runProgram } from '../support/run-program.ts';
import { serverEnvironment } from '../support/server-environment.ts';
import { listOf, recordOf } from '../support/upstream-request.ts';

/*
 * The configurations that LiteLLM brings as examples, and those of the unit tests, go through
 * `litellm configure`. LiteLLM's own parser reads what comes out, and the proxy's server starts with it.
 */

const settings = settingsSchema.parse({});
const caching = settingsSchema.parse({
  litellm: { cache: 'on', promptCache: 'on', promptCacheMinTokens: 512 },
});
const eventsUrl = 'http://127.0.0.1:9/v1/events';
const handler = `from litellm.integrations.custom_logger import CustomLogger
handler = CustomLogger()
`;

const madeSchema = z.record(
  z.string(),
  z.object({
    value: z.unknown().optional(),
    refused: z.string().optional(),
    posts: z.array(z.string()).optional(),
    error: z.string().optional(),
  }),
);

/** LiteLLM's own examples: file name and text. */
let shipped: readonly (readonly [name: string, text: string])[];
let made: z.infer<typeof madeSchema>;
let dir: string;

/** Where a text is put for LiteLLM to read, or to start with too. */
const placeOf = (how: 'read' | 'load', name: string) =>
  join(dir, how, `${name.replaceAll(/[^\w.]+/g, '-')}.yaml`);
const configured = (text: string, by = settings) => planConfig(text, by).text;

before(
  async () => {
    const python = await pythonEnv(litellmPins);
    dir = mkdtempSync(join(tmpdir(), 'litellm-examples-'));
    for (const how of ['read', 'load']) mkdirSync(join(dir, how));
    writeFileSync(join(dir, 'load', 'custom.py'), handler);
    const [library = ''] = readdirSync(join(python.dir, 'lib'));
    const examplesDir = 'site-packages/litellm/proxy/example_config_yaml';
    const from = join(python.dir, 'lib', library, examplesDir);
    shipped = readdirSync(from)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => [name, readFileSync(join(from, name), 'utf8')]);
    const files = new Map<string, string>();
    for (const [name, text] of shipped) {
      files.set(placeOf('load', `before ${name}`), text);
      files.set(placeOf('load', `after ${name}`), configured(text));
      files.set(placeOf('read', `cached ${name}`), configured(text, caching));
    }
    for (const { name, text } of examples) {
      files.set(placeOf('read', `before ${name}`), text);
      files.set(placeOf('load', `after ${name}`), configured(text));
    }
    for (const [what, text] of [...refused, ...taken]) files.set(placeOf('read', what), text);
    for (const [file, text] of files) writeFileSync(file, text);
    const results = join(dir, 'results.json');
    const { code, output } = await runProgram(
      python.python,
      ['test/cli/litellm/load_configs.py', results, ...files.keys()],
      {
        withinMs: 300_000,
        env: serverEnvironment(python, {
          ...{ SIDECAR_EVENTS_URL: eventsUrl, SIDECAR_AUTH_TOKEN: 'a-token', SIDECAR_TOKEN: 'one' },
          ...{ KEY: 'sk-key-of-the-test', OPENAI_API_KEY: 'sk-openai' },
          // Everything it would fetch from the network, it has a copy of.
          LITELLM_LOCAL_MODEL_COST_MAP: 'True',
          LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS: 'True',
          LITELLM_LOCAL_BLOG_POSTS: 'True',
          LITELLM_LOCAL_POLICY_TEMPLATES: 'True',
          LITELLM_LOCAL_AUTOROUTER_PRESETS: 'True',
        }),
      },
    );
    assert.equal(code, 0, output.slice(-2_000));
    made = madeSchema.parse(JSON.parse(readFileSync(results, 'utf8')));
  },
  { timeout: 400_000 },
);
after(() => rmSync(dir, { recursive: true, force: true }));

function madeOf(how: 'read' | 'load', name: string) {
  const found = made[placeOf(how, name)];
  assert.ok(found !== undefined, name);
  assert.equal(found.refused, undefined, name);
  return found;
}

/** What a configuration says of anything but the callback, correlation ids and caching. */
function others(value: unknown): unknown {
  const { litellm_settings, callback_settings, model_list, ...rest } = recordOf(value ?? {});
  const { callbacks, success_callback, failure_callback, ...own } = recordOf(
    litellm_settings ?? {},
  );
  for (const name of ['request_correlation_in_logs', 'cache', 'cache_params']) delete own[name];
  const { sidecar: _, ...blocks } = recordOf(callback_settings ?? {});
  const lists = [callbacks, success_callback, failure_callback].map((list) =>
    (Array.isArray(list) ? list : [list ?? []].flat()).filter((name) => name !== 'sidecar'),
  );
  const models = listOf(model_list ?? []).map((model) => {
    const { litellm_params, model_info, ...more } = recordOf(model);
    const { cache_control_injection_points: __, ...params } = recordOf(litellm_params ?? {});
    const { prompt_cache_min_tokens: ___, ...info } = recordOf(model_info ?? {});
    return { params, info, more };
  });
  return { rest, own, blocks, lists, models };
}

/** All comments, whether they have a line of their own or not. */
const commentsIn = (text: string) => text.match(/(?<=^|\s)#.*/gm) ?? [];

test("LiteLLM's own examples mean the same elsewhere, and keep their comments", () => {
  assert.ok(shipped.length > 15, `${shipped.length} examples`);
  for (const [name, text] of shipped) {
    const { value } = madeOf('load', `before ${name}`);
    for (const [by, after] of [
      [settings, madeOf('load', `after ${name}`)],
      [caching, madeOf('read', `cached ${name}`)],
    ] as const) {
      assert.deepEqual(others(after.value), others(value), name);
      const made = configured(text, by);
      assert.deepEqual(commentsIn(made), commentsIn(text), name);
      assert.equal(configured(made, by), made, `${name}: the second time nothing changes`);
    }
  }
});

test('LiteLLM starts with its own examples as it did before, and posts to the sidecar', () => {
  let count = 0;
  for (const [name] of shipped) {
    const [was, is] = [madeOf('load', `before ${name}`), madeOf('load', `after ${name}`)];
    // Some need a Redis or a Python file that the package does not bring.
    assert.equal(is.error, was.error, name);
    if (is.error !== undefined) continue;
    assert.deepEqual(is.posts, [eventsUrl], name);
    count += 1;
  }
  assert.ok(count > 10, `${count} examples start`);
});

for (const { name, text } of examples) {
  test(`LiteLLM reads the same elsewhere, starts and posts to the sidecar, after: ${name}`, () => {
    const is = madeOf('load', `after ${name}`);
    assert.deepEqual(others(is.value), others(madeOf('read', `before ${name}`).value));
    assert.equal(is.error, undefined);
    const own = /endpoint: "(.*)"/.exec(text)?.[1];
    assert.deepEqual(is.posts, [own ?? eventsUrl]);
  });
}

test("what is refused as nothing for LiteLLM's parser, it refuses, and takes what is taken", () => {
  for (const [what] of refused) {
    assert.ok(made[placeOf('read', what)]?.refused !== undefined, what);
  }
  for (const [what] of taken) madeOf('read', what);
});
