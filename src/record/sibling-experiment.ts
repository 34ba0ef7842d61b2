import { beginningOf } from '../call/fields.ts';

/**
 * The name of an experiment that stands beside that of the calls, by the part of its name that is the
 * same for all calls, what stands before its first placeholder: `/litellm/{team_id}` and `usage` become
 * `/litellm/usage`.
 *
 * @param template The name of the calls' experiment, with or without placeholders.
 */
export function siblingExperiment(template: string, name: string): string {
  const literal = beginningOf(template.replace(/\{.*$/s, ''), longestLiteral);
  return literal === '' ? name : `${literal.replace(/[/\s]+$/, '')}/${name}`;
}

/** PostgreSQL keeps 256 characters of an experiment's name. */
const longestLiteral = 250;
