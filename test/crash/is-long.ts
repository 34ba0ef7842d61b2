/** `--long`: the whole of what is promised, which takes a quarter of an hour and more. */
export const isLong = process.env['CRASH_LONG'] !== undefined;
