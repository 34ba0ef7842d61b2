export interface Rate {
  /** Tokens that come in a second; 0 for none. */
  readonly perSecond: number;
  /** Tokens that it holds at most, and begins with. */
  readonly burst: number;
}

/** Lets through so many requests a second, and so many at once after a rest. */
export class TokenBucket {
  readonly #now: () => number;
  #rate: Rate;
  #tokens: number;
  #filledAt: number;

  /** @param now milliseconds */
  constructor(rate: Rate, now: () => number) {
    this.#now = now;
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAt = now();
  }

  /** Whether there was a token, which is gone now. */
  take(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Another rate from now on, with a full bucket. */
  set(rate: Rate): void {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAt = this.#now();
  }

  #fill(): void {
    const now = this.#now();
    const { perSecond, burst } = this.#rate;
    // A clock that a test sets back brings nothing.
    const seconds = Math.max(0, now - this.#filledAt) / 1000;
    this.#tokens = Math.min(burst, this.#tokens + seconds * perSecond);
    this.#filledAt = now;
  }
}
