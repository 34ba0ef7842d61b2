/** Digits in groups, with a space or a hyphen between them: a card, or what a card may stand in. */
const groups = /(?<![\p{L}\p{N}]|\d\.)\d+(?:[ \u00a0-]\d+)*(?![\p{L}\p{N}])/gu;
const fewest = 13;
const most = 19;

/**
 * `text` with its card numbers replaced: 13 to 19 digits that begin as cards do (2 to 6) and whose
 * Luhn sum is right, in one group or several. A number beside it does not hide a card.
 */
export function replaceCards(text: string, replacement: string): string {
  if (text.length < fewest) return text;
  return text.replace(groups, (run) => {
    if (run.length < fewest) return run;
    return replaceInRun(run, replacement);
  });
}

function replaceInRun(run: string, replacement: string): string {
  const parts = [...run.matchAll(/\d+/g)].map(({ 0: digits, index }) => ({ digits, index }));
  let result = '';
  let done = 0;
  for (let first = 0; first < parts.length; first += 1) {
    const start = parts[first]?.index ?? 0;
    const last = lastOfCard(parts, first);
    if (last === undefined) continue;
    const end = parts[last];
    result += run.slice(done, start) + replacement;
    done = (end?.index ?? 0) + (end?.digits.length ?? 0);
    first = last;
  }
  return done === 0 ? run : result + run.slice(done);
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
