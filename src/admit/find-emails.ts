const at = /@|%40/g;
/** What ends the part before the `@`: white space, quotes, brackets and separators of lists and URLs. */
const endOfLocalPart = /[\s"'`<>()[\]{},;:=/\\|@?&]/;
const domain = /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,62})\.){1,10}[\p{L}]{2,63}(?![\p{L}\p{N}])/u;
const longestDomain = 300;

/**
 * `text` with its e-mail addresses replaced, also those whose `@` a URL has as `%40`.
 *
 * Each `@` is looked at once, and what stands before it is read no further than to the one before:
 * the time grows with the text alone.
 */
export function replaceEmails(text: string, replacement: string): string {
  if (!text.includes('@') && !text.includes('%40')) return text;
  let result = '';
  let done = 0;
  let floor = 0;
  for (const { index, 0: sign } of text.matchAll(at)) {
    if (index < done) continue;
    let start = index;
    while (start > floor && !endOfLocalPart.test(text.charAt(start - 1))) start -= 1;
    const behind = index + sign.length;
    floor = behind;
    const found = domain.exec(text.slice(behind, behind + longestDomain));
    if (start === index || found === null) continue;
    result += text.slice(done, start) + replacement;
    done = behind + found[0].length;
    floor = done;
  }
  return done === 0 ? text : result + text.slice(done);
}
