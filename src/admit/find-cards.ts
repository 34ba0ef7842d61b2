import type { Span } from './text-view.ts';

/** Digits in groups, with a space or a hyphen between them: a card, or what a card may stand in. */
const groups = /(?<![\p{L}\p{N}]|\d\.)\d+(?:[ \u00a0-]\d+)*(?![\p{L}\p{N}])/gu;
const fewest = 13;
const most = 19;

/**
 * The card numbers in `text`: 13 to 19 digits that begin as cards do (2 to 6) and whose Luhn sum is
 * right, in one group or several. A number beside it does not hide a card.
 */
export function findCards(text: string, instead: string): Span[] {
  const spans: Span[] = [];
  if (text.length < fewest) return spans;
  for (const { index, 0: run } of text.matchAll(groups)) {
    if (run.length >= fewest)
      findInRun(run, (start, end) =>
        spans.push({ start: index + start, end: index + end, instead }),
      );
  }
  return spans;
}

function findInRun(run: string, found: (start: number, end: number) => void): void {
  const parts = [...run.matchAll(/\d+/g)].map(({ 0: digits, index }) => ({ digits, index }));
  for (let first = 0; first < parts.length; first += 1) {
    const last = lastOfCard(parts, first);
    if (last === undefined) continue;
    const end = parts[last];
    found(parts[first]?.index ?? 0, (end?.index ?? 0) + (end?.digits.length ?? 0));
    first = last;
  }
}

/** The last group of the longest card that begins with the group `first`. */
function lastOfCard(parts: readonly { digits: string }[], first: number): number | undefined {
  let found: number | undefined;
  let digits = '';
  for (let last = first; last < parts.length && digits.length < most; last += 1) {
    digits += parts[last]?.digits ?? '';
    if (isCard(digits)) found = last;
  }
  return found;
}

function isCard(digits: string): boolean {
  return (
    digits.length >= fewest && digits.length <= most && /^[2-6]/.test(digits) && luhnHolds(digits)
  );
}

function luhnHolds(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]);
    const counted = place % 2 === 0 ? digit : digit * 2;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 === 0;
}
