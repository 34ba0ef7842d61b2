import { createRequire } from 'node:module';
import { z } from 'zod';
import { duration, oneOf, secret, text } from './units.ts';

/** Where the bodies of calls go; `redact.rules` use the same words. */
const bodies = oneOf(['keep', 'drop', 'hash']);

/** A path's steps: names and `*` behind points, `[]` for each element of a list. */
const step = /\.(?<name>[^.[\]]+)|(?<elements>\[\])/g;
const path =
  /^(?:request(?:\.(?:messages|model_parameters|\*)(?:\.[^.[\]]+|\[\])*)?|(?:response|context)(?:\.[^.[\]]+|\[\])*)$/;
const pathAllowed =
  'a path in call.json that begins with request.messages, request.model_parameters, response or context, such as request.messages[].content or context.metadata.*';

function stepsOf(written: string): string[] {
  const root = /^[a-z]+/.exec(written)?.[0] ?? '';
  return [root, ...[...written.matchAll(step)].map(({ groups }) => groups?.['name'] ?? '[]')];
}

const rule = z
  .strictObject({
    team: text("a team's id or alias").optional(),
    keyAlias: text("a key's alias").optional(),
    modelGroup: text('a model group').optional(),
    requestTag: text('a request tag').optional(),
    bodies,
  })
  .refine(
    ({ bodies: _, ...conditions }) => Object.values(conditions).some((one) => one !== undefined),
    'a rule with one condition at least: team, keyAlias, modelGroup or requestTag',
  );

const field = z.strictObject({
  path: z.string(pathAllowed).regex(path, pathAllowed).transform(stepsOf),
  action: oneOf(['drop', 'mask', 'hash']),
});

const customPattern = z.strictObject({
  name: text('a name'),
  regex: text('a regular expression').superRefine((regex, context) => {
    const message = whyNoPattern(regex);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  }),
  replacement: z.string('a text').default('***'),
});

/** RE2's engine takes a few megabytes of memory: it is loaded when a pattern asks for it. */
const require = createRequire(import.meta.url);

/** What a pattern must be that is wrong, and why it is not; undefined where nothing is wrong. */
function whyNoPattern(regex: string): string | undefined {
  const { RE2JS, RE2JSException }: typeof import('re2js') = require('re2js');
  try {
    return RE2JS.compile(regex).test('')
      ? 'a regular expression that no empty text matches'
      : undefined;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return `a regular expression in RE2's syntax (${error.message})`;
  }
}

/** What is taken out of calls before they are written to disk. */
export const redactSchema = z
  .strictObject({
    bodies: bodies
      .default('keep')
      .describe(
        'What becomes of call.json: keep, drop, or hash (a keyed hash of each message and answer). Without it, error texts and free-text parameters go too.',
      ),
    rules: z
      .array(rule, 'a list of rules')
      .default([])
      .describe(
        'Other treatments by team (id or alias), keyAlias, modelGroup and requestTag, such as {team: payments, bodies: drop}. The first that matches decides.',
      ),
    fields: z
      .array(field, 'a list of fields')
      .prefault([])
      .describe(
        'Fields by their path in call.json, such as {path: "request.messages[].content", action: mask}; actions are drop, mask and hash. [] is each element of a list, * each member.',
      ),
    patterns: z
      .array(
        oneOf([
          'e-mail',
          'credentials',
          'aws-keys',
          'bearer-tokens',
          'card-numbers',
          'ip-addresses',
        ]),
        'a list of names',
      )
      .default([])
      .describe(
        'What is masked in all texts: e-mail, credentials, aws-keys, bearer-tokens, card-numbers, ip-addresses. Credentials in error texts always are.',
      ),
    customPatterns: z
      .array(customPattern, 'a list of patterns')
      .default([])
      .describe(
        "Patterns of your own in RE2's syntax, such as {name: ticket, regex: 'ACME-[0-9]+', replacement: '[ticket]'}.",
      ),
    identities: oneOf(['keep', 'hash'])
      .default('keep')
      .describe('Whether user id, end user and user e-mail are kept or become keyed hashes.'),
    keepBinary: z
      .boolean('true or false')
      .default(false)
      .describe(
        'Whether base64 (audio, images, data URIs) and embedding vectors stay. Otherwise a size and a hash stand for them.',
      ),
    hashKey: secret(
      z.string('a text of 16 characters or more').min(16, 'a text of 16 characters or more'),
    )
      .optional()
      .describe(
        'The key of all hashes; needed where something is hashed. Keep it: another joins nothing.',
      ),
    url: z
      .url({ protocol: /^https?$/, error: 'a URL that begins with http:// or https://' })
      .optional()
      .describe(
        'An external redactor, which is shown all free texts. Where it fails, the body is not kept.',
      ),
    timeout: duration('100ms', '15s')
      .prefault('5s')
      .describe('How long a post may wait for the external redactor.'),
  })
  .prefault({});

type RedactSettings = z.output<typeof redactSchema>;

/** Whether a key is needed: something is to be hashed. */
export function needsHashKey({ bodies: all, rules, fields, identities }: RedactSettings): boolean {
  return (
    identities === 'hash' ||
    all === 'hash' ||
    rules.some((one) => one.bodies === 'hash') ||
    fields.some((one) => one.action === 'hash')
  );
}
