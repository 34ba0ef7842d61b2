import type { DestinationState } from '../deliver/hold.ts';
import type { Account } from '../journal/account.ts';
import { detailReport } from './detail-report.ts';

export interface HealthParts {
  version: string;
  account: () => Promise<Account>;
  destinations: () => Readonly<Record<string, DestinationState>>;
  /** Requests a second; absent without a ration. */
  rate: () => number | undefined;
  /** What is recorded, as the settings have it. */
  recording: () => { runs: string; calls: string; traces: string; usage: string };
  stopping: () => boolean;
  now: () => number;
}

/** The body of `/healthz` and `/readyz`. A held destination is no fault of the sidecar's own. */
export function createHealth(parts: HealthParts) {
  const startedAt = parts.now();
  return async (): Promise<{ accepting: boolean; report: object }> => {
    const account = await parts.account().catch(() => undefined);
    const accepting = account?.accepting === true && !parts.stopping();
    const now = parts.now();
    return {
      accepting,
      report: {
        status: accepting ? 'ok' : 'not_accepting',
        version: parts.version,
        uptime_seconds: seconds(now - startedAt),
        journal: account === undefined ? { state: 'unavailable' } : journalReport(account, now),
        destinations: Object.fromEntries(
          Object.entries(parts.destinations()).map(([name, state]) => [name, stateReport(state)]),
        ),
        requests_per_second: parts.rate(),
        recording: account && detailReport(account, parts.recording(), now),
      },
    };
  };
}

function journalReport(account: Account, now: number): object {
  const { oldestPendingAt } = account;
  return {
    state: stateOf(account),
    trouble: account.trouble && {
      since: new Date(account.trouble.since).toISOString(),
      message: account.trouble.message,
    },
    id: account.journalId,
    received: account.received,
    recorded: account.recorded,
    pending: account.pending,
    duplicate: account.duplicate,
    dead: account.dead,
    shed: account.shed,
    bodies_shed: account.bodiesShed,
    bodies_unvetted: account.bodiesUnvetted,
    adds_up: account.addsUp,
    oldest_pending_seconds:
      oldestPendingAt === undefined ? undefined : seconds(now - oldestPendingAt),
    bytes: account.bytes,
    max_bytes: account.maxBytes,
  };
}

function stateOf({ accepting, trouble }: Account): 'open' | 'full' | 'failing' {
  if (trouble !== undefined) return 'failing';
  return accepting ? 'open' : 'full';
}

function stateReport(state: DestinationState): object {
  if (state.state === 'open') return state;
  return {
    state: state.state,
    reason: state.reason,
    detail: state.detail,
    since: new Date(state.since).toISOString(),
    next_probe: new Date(state.probeAt).toISOString(),
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
