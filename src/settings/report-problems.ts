import type { SettingsProblem } from './environment.ts';

/** The mistakes as text for a person: a line each, with path, value and what is allowed. */
export function reportProblems(problems: readonly SettingsProblem[], file?: string): string {
  const count = problems.length === 1 ? 'is one mistake' : `are ${problems.length} mistakes`;
  const where = file === undefined ? 'the environment' : `${file} and the environment`;
  const lines = problems.map(({ path, value, allowed }) =>
    value === undefined ? `  ${path}: must be ${allowed}` : `  ${path}: ${value} is not ${allowed}`,
  );
  return [`There ${count} in the settings (${where}):`, ...lines].join('\n');
}
