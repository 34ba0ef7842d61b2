/**
 * A JSON text with its strings replaced by what `ofString` makes of each, quotes included, and what lies
 * between them by what `between` makes of that.
 *
 * @param ofString `isKey`: a colon follows.
 */
export function mapStrings(
  text: string,
  ofString: (string: string, isKey: () => boolean) => string,
  between: (part: string) => string = (part) => part,
): string {
  const parts: string[] = [];
  let position = 0;
  while (position < text.length) {
    const quote = text.indexOf('"', position);
    const end = quote === -1 ? text.length : quote;
    parts.push(between(text.slice(position, end)));
    if (quote === -1) break;
    const after = endOfString(text, quote);
    parts.push(ofString(text.slice(quote, after), () => isColon(text, after)));
    position = after;
  }
  return parts.join('');
}

/** The position behind the string that opens at `quote`. */
function endOfString(text: string, quote: number): number {
  let close = text.indexOf('"', quote + 1);
  while (close !== -1 && isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close === -1 ? text.length : close + 1;
}

function isEscaped(text: string, position: number): boolean {
  let backslashes = 0;
  while (text[position - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function isColon(text: string, position: number): boolean {
  const colon = /\s*:/y;
  colon.lastIndex = position;
  return colon.test(text);
}
