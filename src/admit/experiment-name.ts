import type { CallRecord } from '../call/call-record.ts';
import { beginningOf } from '../call/fields.ts';

/** The experiments of calls, by a template. */
export interface ExperimentNaming {
  nameFor(call: CallRecord): string;
  /** The name for calls beyond the most that may have experiments of their own. */
  other: string;
}

/** The most experiments that one journal makes; a template over free text cannot flood a server. */
export const maxExperiments = 500;

/** MLflow takes 500 characters; PostgreSQL and MySQL keep 256 and refuse more. */
const maxNameLength = 256;
const placeholder = /\{(team_id|team_alias|model_group|key_alias|date:[YMD-]+)\}/g;

/**
 * Reads a template such as `/litellm/{team_alias}/{date:YYYY-MM}`. A value that is not known is
 * `none`; a `/` in one becomes `-`; dates are those of the call's start, in UTC.
 */
export function experimentNaming(template: string): ExperimentNaming {
  const fill = (value: (name: string) => string) =>
    beginningOf(
      template.replace(placeholder, (_, name: string) => value(name)),
      maxNameLength,
    );
  return {
    nameFor: (call) => fill((name) => placeholderValue(name, call).replaceAll('/', '-')),
    other: fill(() => 'other'),
  };
}

function placeholderValue(name: string, call: CallRecord): string {
  switch (name) {
    case 'team_id':
      return call.caller.teamId ?? 'none';
    case 'team_alias':
      return call.caller.teamAlias ?? 'none';
    case 'model_group':
      return call.modelGroup ?? 'none';
    case 'key_alias':
      return call.caller.keyAlias ?? 'none';
    default:
      return dateIn(name.slice('date:'.length), new Date(call.times.start).toISOString());
  }
}

function dateIn(format: string, iso: string): string {
  return format
    .replace('YYYY', iso.slice(0, 4))
    .replace('MM', iso.slice(5, 7))
    .replace('DD', iso.slice(8, 10));
}
