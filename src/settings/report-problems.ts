import type { SettingsProblem } from './settings-problem.ts';

/** A mistake as a line for a person: path, value and what is allowed. */
export function reportProblem({ path, value, allowed }: SettingsProblem): string {
  return `${path}: is ${value}, must be ${allowed}`;
}

/** The mistakes as text for a person, a line each. */
export function reportProblems(problems: readonly SettingsProblem[], file?: string): string {
  const count = problems.length === 1 ? 'is one mistake' : `are ${problems.length} mistakes`;
  const where = file === undefined ? 'the environment' : `${file} and the environment`;
  const lines = problems.map((problem) => `  ${reportProblem(problem)}`);
  return [`There ${count} in the settings (${where}):`, ...lines].join('\n');
}
