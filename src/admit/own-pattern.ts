import { createRequire } from 'node:module';
import type { CustomPattern } from './redaction-options.ts';
import { type TextView, viewOf } from './text-view.ts';

const require = createRequire(import.meta.url);

/**
 * A pattern of the settings, which runs on RE2's automata: no text can make it take more than linear
 * time. It is looked for in the text as its escapes are read, then in the text as it is written. The
 * engine is loaded when there is one.
 */
export function ownPattern({ regex, replacement }: CustomPattern): (view: TextView) => TextView {
  const { RE2JS }: typeof import('re2js') = require('re2js');
  const compiled = RE2JS.compile(regex);
  const asWritten = (text: string) =>
    compiled.test(text) ? compiled.matcher(text).replaceAll(replacement) : text;
  return (view) => {
    const { source, text, at } = view;
    // To look for one is faster than to find where.
    if (source === text || !compiled.test(text)) {
      return compiled.test(source) ? viewOf(asWritten(source)) : view;
    }
    let result = '';
    let done = 0;
    const matcher = compiled.matcher(text);
    while (matcher.find()) {
      /** A group as it is written, escapes and all. */
      const group = (which: string | number) =>
        source.slice(at(matcher.start(which)), at(matcher.end(which)));
      const names = new Set(Object.keys(matcher.getNamedGroups()));
      const instead = expand(replacement, matcher.groupCount(), names, group);
      result += asWritten(source.slice(done, at(matcher.start()))) + instead;
      done = at(matcher.end());
    }
    result += asWritten(source.slice(done));
    return result === source ? view : viewOf(result);
  };
}

/** `replacement` with its `$$`, `$&`, `$1` and `$<name>` as `String.replace` has them. */
function expand(
  replacement: string,
  groups: number,
  names: ReadonlySet<string>,
  group: (which: string | number) => string,
): string {
  return replacement.replace(
    /\$(?:([$&])|(\d)(\d?)|<([^>]*)>)/g,
    (all, sign?: string, one = '', two = '', name?: string) => {
      if (sign !== undefined) return sign === '$' ? '$' : group(0);
      if (name !== undefined) return names.has(name) ? group(name) : names.size > 0 ? '' : all;
      const both = Number(one + two);
      if (both >= 1 && both <= groups) return group(both);
      return Number(one) >= 1 && Number(one) <= groups ? group(Number(one)) + two : all;
    },
  );
}
