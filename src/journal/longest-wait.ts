/** Nothing waits longer than this, in milliseconds, unless the clock was set back. */
export const longestWait = 3_600_000;
