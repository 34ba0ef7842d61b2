/** One mistake in the settings. */
export interface SettingsProblem {
  /** The setting's path in the file, or the environment variable's name. */
  path: string;
  /** The offending value, as a message may show it; a secret's is never shown. */
  value: string;
  /** What would be right, in words that follow "must be". */
  allowed: string;
}

/** A mistake, and where it stands. */
export interface Mistake {
  /** The path of the setting; nobody knows what is meant to stand there. */
  at: readonly string[];
  problem: SettingsProblem;
}

/** The value of a setting that is not there. */
export const unset = 'unset';

/** The value of one that may hold a secret. */
export const hidden = '(hidden)';

/**
 * A value as a message may show it: a URL without credentials, and not too long; of a list or a
 * mapping nothing, since it may hold a secret in a place where none belongs.
 */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  return (JSON.stringify(value) ?? unset).replace(/(\/\/)?[^"/]+:.*@/, '$1***@').slice(0, 200);
}
