import type { Account } from '../journal/account.ts';

export interface KnownAccountParts {
  account: () => Promise<Account>;
  /** Unix milliseconds. */
  now: () => number;
  /** Resolves after so many milliseconds. */
  sleep: (ms: number) => Promise<void>;
}

/** Milliseconds that a look at the journal may take. */
const patience = 250;
/** Milliseconds from which on a journal that does not answer is a trouble, and one that takes no posts. */
const slow = 5_000;
const hung = 30_000;

/**
 * The journal's account at once: where the disk holds the answer up, the last one stands in, so that
 * whoever looks after the process does not take a slow disk for a dead process.
 */
export function createKnownAccount({ account, now, sleep }: KnownAccountParts) {
  let known: Account | undefined;
  let asked: { at: number; answer: Promise<Account> } | undefined;

  const ask = (): { at: number; answer: Promise<Account> } => {
    const answer = account().finally(() => {
      asked = undefined;
    });
    answer.then(
      (answered) => {
        known = answered;
      },
      () => undefined,
    );
    return { at: now(), answer };
  };

  return async (): Promise<Account> => {
    asked ??= ask();
    const { at, answer } = asked;
    const answered = await Promise.race([answer, sleep(patience)]);
    if (answered !== undefined) return answered;
    return known === undefined ? answer : heldUp(known, at, now() - at);
  };
}

function heldUp(known: Account, since: number, ms: number): Account {
  const message = `the disk has not answered for ${Math.round(ms / 1000)} s`;
  return {
    ...known,
    accepting: known.accepting && ms < hung,
    ...(ms >= slow && { trouble: known.trouble ?? { since, message } }),
  };
}
