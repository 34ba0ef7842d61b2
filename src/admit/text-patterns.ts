import { findIPv4, findIPv6 } from './find-addresses.ts';
import { findCards } from './find-cards.ts';
import { findEmails } from './find-emails.ts';
import { mask, secretsInProse } from './mask-secrets.ts';
import { ownPattern } from './own-pattern.ts';
import type { PatternName, RedactionOptions } from './redaction-options.ts';
import { type Finder, formFinder, replaceFound, viewOf } from './text-view.ts';

/** A text without what a pattern finds in it. Its time grows with the text's length alone. */
export type TextPattern = (text: string) => string;

/*
 * The secret forms of a kind; what the first group holds stays. Repetitions are bounded, or cannot
 * begin within one another.
 */
const awsForms = [
  /(?<![A-Za-z0-9])(A[KS]IA|A[GIR]DA|AROA)[A-Z0-9]{12,16}(?![A-Za-z0-9])/g,
  /(secret[-_ ]?access[-_ ]?key\W{1,8}|session[-_ ]?token\W{1,8})[\w/+=]{16}[\w/+=]*/gi,
  /(X-Amz-(?:Signature|Security-Token|Credential)(?:=|%3D))[^&\s"'<>]+/gi,
];

const bearerForms = [
  /\b((?:Bearer|Basic)(?:\s{1,8}|%20|\+))[\w.~+/=-]{8}[\w.~+/=-]*/gi,
  /(?<![\w-])eyJ[\w-]{8}[\w-]*\.[\w-]{8}[\w-]*(?:\.[\w-]*)?/g,
];

const privateKey =
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\w+/=\s\\]*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g;

const builtIn: Readonly<Record<PatternName, readonly Finder[]>> = {
  'e-mail': [({ text }) => findEmails(text, '[e-mail]')],
  credentials: [formFinder(privateKey, '[private key]'), ...secretsInProse],
  'aws-keys': awsForms.map((form) => formFinder(form, mask)),
  'bearer-tokens': bearerForms.map((form) => formFinder(form, mask)),
  'card-numbers': [({ text }) => findCards(text, '[card]')],
  'ip-addresses': [({ text }) => findIPv6(text, '[ip]'), ({ text }) => findIPv4(text, '[ip]')],
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
  const finders = options.patterns.flatMap((name) => builtIn[name]);
  const own = options.customPatterns.map(ownPattern);
  if (finders.length + own.length === 0) return undefined;
  return (text) =>
    own.reduce((view, step) => step(view), replaceFound(viewOf(text), finders)).source;
}
