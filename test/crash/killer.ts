import { setTimeout as pause } from 'node:timers/promises';
import type { PassingRequest, ProxyHooks } from '../support/fault-proxy.ts';
import type { Random } from '../support/random.ts';
import type { Sidecar } from '../support/sidecar.ts';

/**
 * - `before`: a request was sent, and never reaches MLflow.
 * - `during`: it reaches MLflow after the kill.
 * - `after`: MLflow has acted, the sidecar knows nothing of it.
 * - `answered`: the answer was on its way, and may be on disk or not.
 */
const moments = ['before', 'during', 'after', 'answered'] as const;
const steps = ['runs/create', 'runs/log-batch', 'artifacts/put', 'runs/update'] as const;

/** Where a kill may be aimed: a moment of a request, an acknowledgement, or no matter where. */
export type KillPoint = `${(typeof moments)[number]} ${string}` | 'acknowledged' | 'any time';

const ofRequests = steps.flatMap((step) => moments.map((moment): KillPoint => `${moment} ${step}`));

/** What the shortest run has to aim at: each of them would show another broken promise. */
const always: readonly KillPoint[] = [
  ...(['acknowledged', 'acknowledged', 'acknowledged', 'any time', 'any time'] as const),
  ...(['before runs/create', 'during runs/create', 'after runs/create'] as const),
  ...(['answered runs/create', 'after runs/log-batch', 'answered artifacts/put'] as const),
];

/** `count` points in an order by chance. */
export function killPlan(count: number, random: Random): KillPoint[] {
  const others = [...ofRequests, 'after runs/search', 'acknowledged', 'any time'] as const;
  const more = Array.from({ length: count - always.length }, () => random.pick(others));
  return random.shuffled([...always, ...more]).slice(0, count);
}

export interface Killer {
  readonly hooks: ProxyHooks;
  /** To be called at the moment of an acknowledgement. */
  acknowledged(): void;
  /** Kills the sidecar at `point`; after `withinMs` without that, wherever it is. Resolves with where. */
  kill(point: KillPoint, withinMs: number): Promise<KillPoint>;
}

export function createKiller(sidecar: Sidecar): Killer {
  let armed: { point: KillPoint; fire: (hit: Promise<unknown>) => void } | undefined;

  /** The signal is sent before this returns. */
  const reach = (point: KillPoint): Promise<unknown> | undefined => {
    if (armed?.point !== point) return undefined;
    const killed = sidecar.kill();
    armed.fire(killed);
    armed = undefined;
    return killed;
  };

  return {
    hooks: {
      arrived: async ({ name }: PassingRequest) => {
        const before = reach(`before ${name}`);
        await (before ?? reach(`during ${name}`));
        return before === undefined ? undefined : 'forget';
      },
      acted: async ({ name }) => {
        await reach(`after ${name}`);
      },
      answered: ({ name }) => {
        void reach(`answered ${name}`);
      },
    },
    acknowledged: () => {
      void reach('acknowledged');
    },
    kill: async (point, withinMs) => {
      const wait = new AbortController();
      const hit = new Promise<KillPoint>((resolve) => {
        armed = { point, fire: (killed) => void killed.then(() => resolve(point)) };
      });
      const tooLate = pause(withinMs, 'any time' as const, { signal: wait.signal });
      const first = await Promise.race([hit, tooLate]);
      wait.abort();
      tooLate.catch(() => undefined);
      armed = undefined;
      // Harmless when the point has killed it just now.
      await sidecar.kill();
      return first;
    },
  };
}
