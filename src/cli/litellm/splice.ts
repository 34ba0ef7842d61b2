/** A change of a text: what stands from `from` to `to` gives way to `by`. */
export interface Splice {
  from: number;
  to: number;
  by: string;
}

/** A text that comes in at a place, where nothing goes. */
export function insertion(at: number, by: string): Splice {
  return { from: at, to: at, by };
}

/** Makes several changes of one text; `undefined` where two of them want the same part of it. */
export function applySplices(text: string, splices: readonly Splice[]): string | undefined {
  let [changed, at] = ['', 0];
  for (const { from, to, by } of splices.toSorted((one, other) => one.from - other.from)) {
    if (from < at) return undefined;
    changed += text.slice(at, from) + by;
    at = to;
  }
  return changed + text.slice(at);
}
