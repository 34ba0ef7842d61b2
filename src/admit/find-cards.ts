/** Digits in groups, with a space or a hyphen between them: a card, or what a card may stand in. */
const groups = /(?<![\p{L}\p{N}_]|\d\.)\d+(?:[ \u00a0-]\d+)*(?![\p{L}\p{N}_])/gu;
const fewest = 13;
const most = 19;

/**
 * `text` with its card numbers replaced: 13 to 19 digits that begin as cards do (2 to 6) and whose
 * Luhn sum is right, in one group or several. A number beside it does not hide a card.
 */
export function replaceCards(text: string, replacement: string): string {
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
    let digits = '';
    for (let last = first; last < parts.length && digits.length < most; last += 1) {
      const part = parts[last];
      if (part === undefined) break;
      digits += part.digits;
      if (!isCard(digits)) continue;
      result += run.slice(done, start) + replacement;
      done = part.index + part.digits.length;
      first = last;
      break;
    }
  }
  return done === 0 ? run : result + run.slice(done);
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
