import { setTimeout as pause } from 'node:timers/promises';
import type { Fault, PassingRequest } from '../support/fault-proxy.ts';
import type { Random } from '../support/random.ts';

/** Times in which the server refuses everything, and the reason for which it is held then. */
export const refusals: readonly { fault: Fault; heldAs: string }[] = [
  { fault: { kind: 'answer', status: 403, body: 'Forbidden' }, heldAs: 'forbidden' },
  {
    fault: { kind: 'answer', status: 503, body: '{"error_code":"TEMPORARILY_UNAVAILABLE"}' },
    heldAs: 'unavailable',
  },
  {
    fault: { kind: 'answer', status: 429, headers: { 'retry-after': '1' } },
    heldAs: 'throttled',
  },
  { fault: { kind: 'answer', status: 429 }, heldAs: 'throttled' },
];

/** How often each kind comes, of twenty. */
const kinds: readonly Fault['kind'][] = [
  ...Array<'lose_answer'>(8).fill('lose_answer'),
  ...(['reset_answer', 'reset_answer', 'reset_answer', 'hang', 'hang', 'slow', 'slow'] as const),
  ...(['act_late', 'act_late', 'act_late', 'answer', 'answer'] as const),
];

/**
 * What goes wrong with single requests: one in ten, each kind once before chance decides. A late create
 * acts before the last search for it, at 90 s; that one acts after all others is the matter of a test of
 * its own.
 */
export function createFaultPlan(random: Random): (passing: PassingRequest) => Fault | undefined {
  const first = random.shuffled([...new Set(kinds)]);
  return ({ name }) => {
    if (!random.chance(0.1)) return undefined;
    const kind = first.pop() ?? random.pick(kinds);
    switch (kind) {
      case 'slow':
        return { kind, ms: random.between(500, 2_500) };
      case 'act_late': {
        const ms = random.pick([100, 1_000, 5_000, 25_000]);
        return { kind, until: () => pause(ms) };
      }
      case 'answer':
        // MLflow may have acted when it answers a create with 500; others are simply sent again.
        return { kind, status: name === 'runs/create' ? 502 : 500 };
      default:
        return { kind };
    }
  };
}
