/** Bytes of bodies under way, and the most that may be. */
export interface Inflight {
  /** Whether `bytes` more would fit. */
  fits(bytes: number): boolean;
  /** Room for one body, which grows while it is read. */
  open(): InflightBody;
  bytes(): number;
}

export interface InflightBody {
  /** Takes `bytes` more; false, taking none, where they do not fit. */
  grow(bytes: number): boolean;
  /** The body is gone. */
  close(): void;
}

export function createInflight(maxBytes: number): Inflight {
  let used = 0;
  return {
    bytes: () => used,
    fits: (bytes) => used + bytes <= maxBytes,
    open: () => {
      let own = 0;
      return {
        grow: (bytes) => {
          if (used + bytes > maxBytes) return false;
          used += bytes;
          own += bytes;
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
