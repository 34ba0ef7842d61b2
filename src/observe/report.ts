import type { Logger } from 'pino';
import type { CallEnd } from '../deliver/call-end.ts';
import type { DestinationState } from '../deliver/hold.ts';
import type { Account } from '../journal/account.ts';
import type { PendingCall } from '../journal/journal.ts';
import type { Damage } from '../journal/salvage/damage.ts';
import type { PostReport } from '../receive/receiver.ts';
import type { Reload } from '../settings/reload.ts';
import type { SettingsProblem } from '../settings/settings-problem.ts';
import { describeDamage } from './describe-damage.ts';

/*
 * What is worth a line in the log. No line holds anything of a call's content: ids, counts and the
 * names of reasons alone.
 */

/** What start-up found damaged in the journal. */
export function reportDamage(log: Logger, damage: Damage): void {
  const { log: writeAheadLog, database, account, setAside } = damage;
  log.error(
    {
      ...(writeAheadLog && { writeAheadLog }),
      ...(database && { database }),
      ...(account && { account }),
      setAside,
    },
    describeDamage(damage).join(' '),
  );
}

/** The beginning and the end of an episode in which the disk fails the journal. */
export function reportDisk(log: Logger, trouble: Account['trouble']): void {
  if (trouble === undefined) log.info('the disk works again; what had to wait is done');
  else log.error(`${trouble.message}; what cannot be done now is tried again until it can`);
}

/** Settings that were read again, in part or not at all to new effect. */
export function reportReload(log: Logger, { changed, afterRestart }: Reload): void {
  if (afterRestart.length > 0) {
    log.warn({ afterRestart }, 'these settings have changed and take effect after a restart');
  }
  if (changed.length > 0) log.info({ changed }, 'these settings have changed and are in effect');
  else log.info('the settings were read again; none has changed that can while this runs');
}

/** Settings that were read again and cannot be used. */
export function reportMistakes(log: Logger, problems: readonly SettingsProblem[]): void {
  log.error({ problems }, 'the settings were read again and have mistakes: nothing has changed');
}

/** A post that was refused, or of which something was. */
export function reportPost(log: Logger, { status, bytes, receipt, code }: PostReport): void {
  if (status === 401) log.warn({ bytes }, 'a post without the right token was refused; it is lost');
  if (status === 413) log.error({ bytes }, 'a post larger than server.maxBodyBytes is lost');
  if (status === 503) log.warn({ bytes, code }, 'a post was put off with 503');
  if (receipt === undefined) return;
  const { received, accepted, duplicates, rejected } = receipt;
  log.debug({ received, accepted, duplicates, rejected: rejected.length }, 'a post was kept');
  if (rejected.length > 0) {
    const reasons = [...new Set(rejected.map(({ reason }) => reason))];
    log.warn({ rejected: rejected.length, reasons }, 'parts of a post are no calls: dead letters');
  }
}

/** The beginning and the end of an episode in which a destination refuses. */
export function reportHold(log: Logger, destination: string, state: DestinationState): void {
  if (state.state === 'open') {
    log.info({ destination }, `${destination} answers again; delivery goes on`);
    return;
  }
  const { reason, detail } = state;
  log.warn(
    { destination, reason, detail },
    `${destination} takes nothing (${reason}: ${detail}); calls are kept until it does`,
  );
}

/** A call that ended as nobody wishes. */
export function reportEnd(log: Logger, call: PendingCall, end: CallEnd): void {
  const { recordId, callId } = call.record;
  if (end.kind !== 'settled') return;
  switch (end.settlement.kind) {
    case 'recorded':
      log.trace({ recordId }, 'a call is recorded');
      break;
    case 'dead':
      log.error({ recordId, callId, reason: end.settlement.reason }, 'a call cannot be recorded');
      break;
    case 'shed':
      log.warn({ recordId, callId, reason: end.settlement.reason }, 'a call was given up');
      break;
  }
}
