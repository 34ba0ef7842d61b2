import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { openJournal } from '../../src/journal/journal-client.ts';
import { journalDefaults } from '../support/journal-defaults.ts';
import { bodyOf, litellmEvent } from '../support/litellm-event.ts';
import { redaction } from '../support/redaction.ts';
import { tempFolder } from '../support/temp-folder.ts';

const now = 1_800_000_000_000;
const intervalMs = 60_000;

/** Answers the texts of one request: a status and a body, or nothing for as long as it is asked. */
type Answer = (texts: string[]) => { status?: number; body: unknown } | 'silence';

/** A redactor on a real socket, and a journal that asks it. */
async function vettedBy(t: TestContext, answer: Answer, timeout = 5_000) {
  const asked: string[][] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const { texts } = JSON.parse(await text(request));
    asked.push(texts);
    const answered = answer(texts);
    if (answered === 'silence') return;
    response.writeHead(answered.status ?? 200, { 'content-type': 'application/json' });
    response.end(typeof answered.body === 'string' ? answered.body : JSON.stringify(answered.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const folder = tempFolder(t);
  const journal = await openJournal(
    journalDefaults(folder, {
      redact: redaction({ url: `http://127.0.0.1:${port}/redact`, timeout }),
      usage: { intervalMs, timeZone: 'UTC', by: [], maxSeries: 10 },
    }),
    () => assert.fail('the thread ended'),
  );
  t.after(async () => {
    await journal.close().catch(() => undefined);
    server.closeAllConnections();
    server.close();
  });
  const kept = async () => {
    const { calls } = await journal.take(100, 'http://mlflow.test', now);
    return Promise.all(
      calls.map(async ({ seq, record }) => {
        const body = await journal.body(seq);
        return { record, body: body && Buffer.from(body).toString('utf8') };
      }),
    );
  };
  return { asked, journal, kept };
}

const upper = (texts: string[]) => ({ body: { texts: texts.map((one) => one.toUpperCase()) } });

test('a call that the redactor held up counts in the interval in which it was committed', async (t) => {
  const { journal } = await vettedBy(t, upper);
  const before = Date.now();
  await journal.append(bodyOf(litellmEvent(1)), before - 10 * intervalMs);
  const report = await journal.usageReport('http://mlflow.test', Date.now() + intervalMs, 0);
  const [interval] = report?.intervals ?? [];
  assert.ok(interval);
  assert.equal(interval.sums.get('')?.attempts, 1);
  assert.ok(interval.endsAt > before, `it ended ${before - interval.endsAt} ms before`);
});

test('what the redactor gives back is what is kept, in body, params, tags and error', async (t) => {
  const { asked, journal, kept } = await vettedBy(t, upper);
  const event = litellmEvent(1, {
    status: 'failure',
    error_information: { error_message: 'oh no', error_class: 'X' },
    request_tags: ['tag-a'],
    model_parameters: { stop: 'here' },
  });
  assert.equal((await journal.append(bodyOf(event), now)).accepted, 1);
  const [call] = await kept();
  assert.ok(call !== undefined);
  assert.ok(call.body?.includes('QUESTION 1') && call.body.includes('ANSWER 1'));
  assert.equal(call.record.error?.message, 'OH NO');
  assert.deepEqual(call.record.requestTags, ['TAG-A']);
  assert.equal(call.record.parameters['stop'], 'HERE');
  assert.equal(call.record.caller.userId, 'user-42', 'names and ids are not shown');
  assert.equal(asked.length, 1);
  assert.ok(!asked.flat().includes('call-1'));
});

const failures: readonly (readonly [what: string, Answer])[] = [
  ['answers 500', () => ({ status: 500, body: 'oops' })],
  ['answers 204', () => ({ status: 204, body: '' })],
  ['redirects', () => ({ status: 302, body: '' })],
  ['answers no JSON', () => ({ body: 'ok' })],
  ['answers another shape', (texts) => ({ body: texts })],
  ['answers too few texts', (texts) => ({ body: { texts: texts.slice(1) } })],
  ['answers something else than texts', (texts) => ({ body: { texts: texts.map(() => null) } })],
  ['says nothing', () => 'silence'],
];

test('whatever the redactor does wrong, a call is kept without any text, marked and counted', async (t) => {
  let answer: Answer = upper;
  const { journal, kept } = await vettedBy(t, (texts) => answer(texts), 300);
  for (const [index, [what, next]] of failures.entries()) {
    await t.test(`when it ${what}`, async () => {
      answer = next;
      const secret = 'a secret of the client';
      const event = litellmEvent(index, {
        messages: [{ content: secret }],
        status: 'failure',
        error_str: secret,
        error_information: { error_message: secret, traceback: secret },
        request_tags: [secret],
        model_parameters: { stop: secret, temperature: 1 },
      });
      const receipt = await journal.append(bodyOf(event), now);
      assert.equal(receipt.accepted, 1);
      const call = (await kept()).find(({ record }) => record.callId === `call-${index}`);
      assert.equal(call?.record.body, 'unvetted');
      assert.equal(call.body, undefined);
      assert.ok(!JSON.stringify(call.record).includes(secret));
      assert.equal(call.record.tokens.prompt, 21);
      const account = await journal.account();
      assert.equal(account.bodiesUnvetted, index + 1);
      assert.ok(account.addsUp);
    });
  }
});

test('a call that the redactor fails over costs the others of its post nothing', async (t) => {
  const { journal, kept } = await vettedBy(t, (texts) =>
    texts.some((text) => text.startsWith('question 2')) ? { status: 500, body: '' } : upper(texts),
  );
  await journal.append(bodyOf(litellmEvent(1), litellmEvent(2), litellmEvent(3), null), now);
  const states = (await kept()).map(({ record }) => record.body);
  assert.deepEqual(states, [undefined, 'unvetted', undefined]);
});

test('a redactor that says nothing delays a post by its timeout, and other work by nothing', async (t) => {
  const { journal } = await vettedBy(t, () => 'silence', 700);
  const began = performance.now();
  const posts = Promise.all(
    [1, 2, 3].map((number) =>
      journal.append(
        bodyOf(...Array.from({ length: 20 }, (_, index) => litellmEvent(number * 100 + index))),
        now,
      ),
    ),
  );
  await journal.account();
  assert.ok(performance.now() - began < 500, 'the account was answered meanwhile');
  await posts;
  assert.ok(performance.now() - began < 1_800, `${performance.now() - began} ms`);
});

test('closing waits for the posts that the redactor has yet to answer', async (t) => {
  const { journal } = await vettedBy(t, () => 'silence', 400);
  const post = journal.append(bodyOf(litellmEvent(1)), now);
  await journal.close();
  assert.equal((await post).accepted, 1);
});

test('the redactor that new settings name, or none, is asked from then on', async (t) => {
  const { asked, journal, kept } = await vettedBy(t, upper);
  const policy = { retainMs: 3_600_000, experiment: '/e' };
  await journal.append(bodyOf(litellmEvent(1)), now);
  await journal.reconfigure(policy);
  await journal.append(bodyOf(litellmEvent(2)), now);
  assert.equal(asked.length, 1);
  // Nobody listens there: were it not asked, the text would stay.
  await journal.reconfigure({
    ...policy,
    redact: redaction({ url: 'http://127.0.0.1:1', timeout: 300 }),
  });
  await journal.append(bodyOf(litellmEvent(3)), now);
  const bodies = (await kept()).map(({ body }) => body);
  assert.ok(bodies[0]?.includes('QUESTION 1'));
  assert.ok(bodies[1]?.includes('question 2'));
  assert.equal(bodies[2], undefined);
});
