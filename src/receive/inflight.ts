/** Bytes of bodies under way, and the most that may be. */
export interface Inflight {
  /** Room for one body. */
  open(): InflightBody;
}

export interface InflightBody {
  /** Takes room for `bytes` in all; false, changing nothing, where they do not fit. */
  grow(bytes: number): boolean;
  /** The body is gone. */
  close(): void;
}

export function createInflight(maxBytes: number): Inflight {
  let used = 0;
  return {
    open: () => {
      let own = 0;
      return {
        grow: (bytes) => {
          const more = Math.max(0, bytes - own);
          if (used + more > maxBytes) return false;
          used += more;
          own += more;
          return true;
        },
        close: () => {
          used -= own;
          own = 0;
        },
      };
    },
  };
}
