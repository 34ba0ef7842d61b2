import type { CallRecord } from '../call/call-record.ts';

/** What makes a call one that is recorded in any case; each rule by itself is enough. */
export interface MarkRules {
  /** It took this many milliseconds or longer. */
  slow?: number | undefined;
  /** It cost this many US dollars or more. */
  cost?: number | undefined;
  /** It has one of these request tags. */
  tags: readonly string[];
  /** It was for one of these models, by their full or their public names. */
  models: readonly string[];
  /** It was by one of these teams, by their ids or aliases. */
  teams: readonly string[];
}

export function isMarked(call: CallRecord, rules: MarkRules): boolean {
  const { times, cost, requestTags, model, modelGroup, caller } = call;
  const isOf = (names: readonly string[], ...own: (string | undefined)[]) =>
    names.length > 0 && own.some((name) => name !== undefined && names.includes(name));
  return (
    (rules.slow !== undefined && times.end - times.start >= rules.slow) ||
    (rules.cost !== undefined && cost.usd !== undefined && cost.usd >= rules.cost) ||
    isOf(rules.tags, ...requestTags) ||
    isOf(rules.models, model, modelGroup) ||
    isOf(rules.teams, caller.teamId, caller.teamAlias)
  );
}
