import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoCredentialsError } from '../../src/aws/authorizer.ts';
import { type AwsCredentials, createCredentialSource } from '../../src/aws/credentials.ts';

const seconds = 1_000;
const minutes = 60 * seconds;
const hours = 60 * minutes;

/** A source over a provider that answers when the test says so. */
function setUp({ random = 0, start = 1_800_000_000_000, patienceMs = 30_000 } = {}) {
  let now = start;
  const asked: PromiseWithResolvers<AwsCredentials>[] = [];
  const source = createCredentialSource({
    fetch: () => {
      const answer = Promise.withResolvers<AwsCredentials>();
      asked.push(answer);
      return answer.promise;
    },
    now: () => now,
    random: () => random,
    patienceMs,
  });
  /** Answers the last question, and lets what waits for it go on. */
  const settle = async (act: (answer: PromiseWithResolvers<AwsCredentials>) => void) => {
    const answer = asked.at(-1);
    assert.ok(answer !== undefined);
    act(answer);
    await answer.promise.catch(() => undefined);
    await new Promise(setImmediate);
  };
  return {
    source,
    asked: () => asked.length,
    give: (accessKeyId: string, expiresAt?: number) =>
      settle(({ resolve }) => resolve(credentials(accessKeyId, expiresAt))),
    fail: (error: Error) => settle(({ reject }) => reject(error)),
    /** Begins with credentials that hold for so long. */
    begin: async (life: number) => {
      const first = source.current();
      await settle(({ resolve }) => resolve(credentials('FIRST', now + life)));
      return first;
    },
    current: async () => (await source.current()).accessKeyId,
    now: () => now,
    advance: (ms: number) => {
      now += ms;
    },
  };
}

function credentials(accessKeyId: string, expiresAt?: number): AwsCredentials {
  const lasting = { accessKeyId, secretAccessKey: `secret of ${accessKeyId}`, source: 'a test' };
  return expiresAt === undefined ? lasting : { ...lasting, expiresAt };
}

test('whoever needs credentials at once asks once', async () => {
  const { source, asked, give } = setUp();
  const waiting = Array.from({ length: 50 }, () => source.current());
  await give('ONLY');
  const keys = (await Promise.all(waiting)).map(({ accessKeyId }) => accessKeyId);
  assert.deepEqual([new Set(keys), asked()], [new Set(['ONLY']), 1]);
});

test('credentials that last are never asked for again', async () => {
  const { source, asked, give, advance } = setUp();
  const first = source.current();
  await give('LASTING');
  await first;
  advance(10_000 * hours);
  await source.current();
  assert.equal(asked(), 1);
});

for (const [life, random, ahead] of [
  [6 * hours, 0, 5 * minutes],
  [6 * hours, 0.999, 10 * minutes],
  [hours, 0.5, 7.5 * minutes],
  [15 * minutes, 0, 112.5 * seconds],
  [15 * minutes, 0.999, 225 * seconds],
  [8 * seconds, 0, seconds],
  [8 * seconds, 0.999, 2 * seconds],
] as const) {
  test(`a life of ${life / seconds} s is renewed ${ahead / seconds} s before its end, by chance ${random}`, async () => {
    const { source, begin, current, asked, give, now, advance } = setUp({ random });
    await begin(life);
    advance(life - ahead - 0.01 * ahead);
    await source.current();
    assert.equal(asked(), 1, 'not yet');
    advance(0.02 * ahead);
    assert.equal(await current(), 'FIRST', 'nobody waits');
    await Promise.all([source.current(), source.current()]);
    assert.equal(asked(), 2, 'one asks');
    await give('SECOND', now() + life);
    assert.equal(await current(), 'SECOND');
    assert.equal(asked(), 2);
  });
}

test('a renewal in the background that fails is repeated after a pause, while the old ones hold', async () => {
  const { begin, current, asked, fail, give, now, advance } = setUp();
  await begin(hours);
  advance(56 * minutes);
  await current();
  await fail(new Error('away'));
  for (let request = 0; request < 20; request += 1) assert.equal(await current(), 'FIRST');
  assert.equal(asked(), 2);
  advance(15 * seconds);
  assert.equal(await current(), 'FIRST');
  assert.equal(asked(), 3);
  await give('SECOND', now() + hours);
  assert.equal(await current(), 'SECOND');
});

test('a provider that hands out the same until they run out is not asked for each request', async () => {
  const { begin, current, asked, give, now, advance } = setUp();
  const end = now() + 10 * minutes;
  await begin(10 * minutes);
  while (now() < end - seconds) {
    advance(seconds);
    const before = asked();
    await current();
    if (asked() > before) await give('FIRST', end);
  }
  assert.ok(asked() < 8, `it was asked ${asked()} times`);
});

test('what has run out is waited for, and cannot be had when the provider fails', async () => {
  const { source, begin, asked, fail, give, now, advance } = setUp();
  await begin(hours);
  advance(hours);
  const waiting = Promise.allSettled([source.current(), source.current()]);
  await fail(Object.assign(new Error('secret words'), { name: 'AccessDenied' }));
  for (const one of await waiting) {
    assert.ok(one.status === 'rejected' && one.reason instanceof NoCredentialsError);
    assert.equal(one.reason.message, 'AccessDenied');
  }
  assert.equal(asked(), 2);
  const next = source.current();
  await give('SECOND', now() + hours);
  assert.equal((await next).accessKeyId, 'SECOND');
});

test('a first answer that fails is asked for again by the next request', async () => {
  const { source, fail, give } = setUp();
  const first = assert.rejects(source.current(), NoCredentialsError);
  await fail(new Error('away'));
  await first;
  const second = source.current();
  await give('FIRST');
  assert.equal((await second).accessKeyId, 'FIRST');
});

test('credentials that were refused are asked for anew once, by whoever is refused', async () => {
  const { source, begin, asked, give, now } = setUp();
  const stale = await begin(hours);
  const renewals = [source.renew(stale), source.renew(stale)];
  await give('SECOND', now() + hours);
  assert.deepEqual(await Promise.all(renewals), [true, true]);
  assert.equal(await source.renew(stale), true, 'they have been renewed by then');
  assert.equal(asked(), 2);
});

test('a renewal under way in the background serves those who are refused, too', async () => {
  const { source, begin, asked, give, now, advance } = setUp();
  const stale = await begin(hours);
  advance(59 * minutes);
  await source.current();
  const renewal = source.renew(stale);
  await give('SECOND', now() + hours);
  assert.equal(await renewal, true);
  assert.equal(asked(), 2);
});

test('the same again, or none at all, is no renewal', async () => {
  const { source, begin, fail, give, now } = setUp();
  const stale = await begin(hours);
  const vain = source.renew(stale);
  await give('FIRST', now() + hours);
  assert.equal(await vain, false);
  const failed = source.renew(stale);
  await fail(new Error('away'));
  assert.equal(await failed, false);
  assert.equal((await source.current()).accessKeyId, 'FIRST');
});

test('by a clock that is an hour ahead, credentials are over as they come, but not asked for each time', async () => {
  const { source, begin, current, asked, give, now, advance } = setUp();
  await begin(-1 * minutes);
  for (let request = 0; request < 20; request += 1) assert.equal(await current(), 'FIRST');
  assert.equal(asked(), 1);

  advance(-1 * hours);
  assert.equal(await current(), 'FIRST');
  advance(58 * minutes);
  assert.equal(await current(), 'FIRST');
  assert.equal(asked(), 2, 'when the clock is right they are renewed as ever');
  await give('SECOND', now() + hours);

  advance(hours);
  const next = source.current();
  await give('THIRD', now());
  assert.equal((await next).accessKeyId, 'THIRD');
  advance(15 * seconds);
  void source.current();
  assert.equal(asked(), 4, 'what stays over is asked for after a pause');
  await give('FOURTH', now() + hours);
});

test('a provider that never answers is given up, and asked again by the next request', async () => {
  const { source, asked, give } = setUp({ patienceMs: 1 });
  await assert.rejects(source.current(), new NoCredentialsError('timed out'));
  const second = source.current();
  await give('FIRST');
  assert.equal((await second).accessKeyId, 'FIRST');
  assert.equal(asked(), 2);
});

test('an answer that comes too late is kept for the next request, unless there is a later one', async () => {
  let now = 0;
  const answers: PromiseWithResolvers<AwsCredentials>[] = [];
  const source = createCredentialSource({
    fetch: () => {
      const answer = Promise.withResolvers<AwsCredentials>();
      answers.push(answer);
      return answer.promise;
    },
    now: () => now,
    random: () => 0,
    patienceMs: 1,
  });
  await assert.rejects(source.current(), NoCredentialsError);
  await assert.rejects(source.current(), NoCredentialsError);
  answers[1]?.resolve(credentials('SECOND'));
  await new Promise(setImmediate);
  answers[0]?.resolve(credentials('FIRST'));
  await new Promise(setImmediate);
  now += hours;
  assert.equal((await source.current()).accessKeyId, 'SECOND');
  assert.equal(answers.length, 2);
});
