import { setTimeout as pause } from 'node:timers/promises';
import type { Fault, PassingRequest } from '../support/fault-proxy.ts';
import type { Random } from '../support/random.ts';

/** A time in which the server refuses everything, by what it answers. */
export const refusals: readonly Extract<Fault, { kind: 'answer' }>[] = [
  { kind: 'answer', status: 403, body: 'Forbidden' },
  { kind: 'answer', status: 503, body: '{"error_code":"TEMPORARILY_UNAVAILABLE"}' },
  { kind: 'answer', status: 429, headers: { 'retry-after': '1' } },
  { kind: 'answer', status: 429 },
];

/**
 * What goes wrong with single requests: one in ten. A late create acts before the last search for it,
 * at 90 s; that one acts after all others is the matter of a test of its own.
 */
export function createFaultPlan(random: Random): (passing: PassingRequest) => Fault | undefined {
  return ({ name }) => {
    const roll = random.next();
    if (roll < 0.04) return { kind: 'lose_answer' };
    if (roll < 0.055) return { kind: 'reset_answer' };
    if (roll < 0.065) return { kind: 'hang' };
    if (roll < 0.075) return { kind: 'slow', ms: random.between(500, 2_500) };
    if (roll < 0.09) {
      const ms = random.pick([100, 1_000, 5_000, 25_000]);
      return { kind: 'act_late', until: () => pause(ms) };
    }
    // MLflow may have acted when it answers a create with 500; others are simply sent again.
    if (roll < 0.1) return { kind: 'answer', status: name === 'runs/create' ? 502 : 500 };
    return undefined;
  };
}
