/** Exit codes, after BSD's sysexits.h where it has a name. */
export const exitCodes = { ok: 0, failure: 1, usage: 64, settings: 78 } as const;
