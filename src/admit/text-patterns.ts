import { createRequire } from 'node:module';
import { replaceAddresses } from './find-addresses.ts';
import { replaceCards } from './find-cards.ts';
import { replaceEmails } from './find-emails.ts';
import { mask, maskText } from './mask-secrets.ts';
import type { CustomPattern, PatternName, RedactionOptions } from './redaction-options.ts';

/** A text without what a pattern finds in it. Its time grows with the text's length alone. */
export type TextPattern = (text: string) => string;

/** The secret forms of a kind. Repetitions are bounded, or cannot begin within one another. */
type Forms = readonly (readonly [RegExp, string])[];

const awsForms: Forms = [
  [/(?<![A-Za-z0-9])(A[KS]IA|A[GIR]DA|AROA)[A-Z0-9]{12,16}(?![A-Za-z0-9])/g, `$1${mask}`],
  [/(secret[-_ ]?access[-_ ]?key\W{1,8}|session[-_ ]?token\W{1,8})[\w/+=]{16,}/gi, `$1${mask}`],
  [/(X-Amz-(?:Signature|Security-Token|Credential)(?:=|%3D))[^&\s"'<>]+/gi, `$1${mask}`],
];

const bearerForms: Forms = [
  [/\b(Bearer|Basic)(\s{1,8}|%20|\+)[\w.~+/=-]{8,}/gi, `$1$2${mask}`],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, mask],
];

const credentialForms: Forms = [
  [
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\w+/=\s\\]*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g,
    '[private key]',
  ],
];

const builtIn: Readonly<Record<PatternName, TextPattern>> = {
  'e-mail': (text) => replaceEmails(text, '[e-mail]'),
  credentials: (text) => maskText(replaceForms(text, credentialForms)),
  'aws-keys': (text) => replaceForms(text, awsForms),
  'bearer-tokens': (text) => replaceForms(text, bearerForms),
  'card-numbers': (text) => replaceCards(text, '[card]'),
  'ip-addresses': (text) => replaceAddresses(text, '[ip]'),
};

/**
 * What the settings want taken out of texts, compiled; absent when that is nothing. The built-in
 * patterns come first, in the order of the settings.
 *
 * @throws RE2JSException for a pattern that is none, which the settings have ruled out.
 */
export function textPatterns(
  options: Pick<RedactionOptions, 'patterns' | 'customPatterns'>,
): TextPattern | undefined {
  const steps = [
    ...options.patterns.map((name) => builtIn[name]),
    ...options.customPatterns.map(customPattern),
  ];
  if (steps.length === 0) return undefined;
  return (text) => steps.reduce((current, step) => step(current), text);
}

const require = createRequire(import.meta.url);

/**
 * An own pattern runs on RE2's automata: no text can make it take more than linear time. The engine
 * is loaded when there is one.
 */
function customPattern({ regex, replacement }: CustomPattern): TextPattern {
  const { RE2JS }: typeof import('re2js') = require('re2js');
  const compiled = RE2JS.compile(regex);
  return (text) => (compiled.test(text) ? compiled.matcher(text).replaceAll(replacement) : text);
}

function replaceForms(text: string, forms: Forms): string {
  return forms.reduce((current, [form, instead]) => current.replace(form, instead), text);
}
