/** What becomes of a call's body, which is its `call.json`. */
export type BodyTreatment = 'keep' | 'drop' | 'hash';

export type FieldAction = 'drop' | 'mask' | 'hash';

/** The built-in patterns. */
export const patternNames = [
  'e-mail',
  'credentials',
  'aws-keys',
  'bearer-tokens',
  'card-numbers',
  'ip-addresses',
] as const;

export type PatternName = (typeof patternNames)[number];

/** A treatment for the calls that meet all the conditions which are given. */
export interface BodyRule {
  /** The team's id or alias. */
  team?: string | undefined;
  keyAlias?: string | undefined;
  modelGroup?: string | undefined;
  requestTag?: string | undefined;
  bodies: BodyTreatment;
}

/** `path`: from the root of `call.json`; `[]` is each element of a list, `*` each member. */
export interface FieldRule {
  path: readonly string[];
  action: FieldAction;
}

/** A pattern in RE2's syntax; `replacement` is literal but for `$1`, `$<name>` and `$&`. */
export interface CustomPattern {
  name: string;
  regex: string;
  replacement: string;
}

/** What is redacted beyond what always is. Plain data, so that it can cross to a thread. */
export interface RedactionOptions {
  bodies: BodyTreatment;
  /** The first that matches decides; `bodies` where none does. */
  rules: readonly BodyRule[];
  fields: readonly FieldRule[];
  patterns: readonly PatternName[];
  customPatterns: readonly CustomPattern[];
  identities: 'keep' | 'hash';
  /** Whether base64 and embedding vectors stay as they are. */
  keepBinary: boolean;
  /** Needed where something is hashed. */
  hashKey?: string | undefined;
  /** The external redactor, and how long a post may wait for it, in milliseconds. */
  url?: string | undefined;
  timeout: number;
}

/** Nothing but what always is redacted. */
export const builtInOnly: RedactionOptions = {
  bodies: 'keep',
  rules: [],
  fields: [],
  patterns: [],
  customPatterns: [],
  identities: 'keep',
  keepBinary: false,
  timeout: 5_000,
};

/** Whether something is redacted by choice: then nothing that was not redacted may be kept. */
export function redactsByChoice(options: RedactionOptions): boolean {
  return (
    options.bodies !== 'keep' ||
    options.rules.some(({ bodies }) => bodies !== 'keep') ||
    options.fields.length > 0 ||
    options.patterns.length > 0 ||
    options.customPatterns.length > 0 ||
    options.identities === 'hash' ||
    options.url !== undefined
  );
}
