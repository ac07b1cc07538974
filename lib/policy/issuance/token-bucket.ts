// A CA's token bucket, counted before the CA does: filled from the times of past orders.
import type { Limit } from './published-limits.ts';

/** The part of every bucket that only urgent orders may spend. */
const reserve = 0.1;

/** One limit of a CA, by the clock that `advance` sets. */
export class TokenBucket {
  readonly limit: Limit;
  #tokens: number;
  #at: number;

  /** @param orders Past orders, in any order. */
  constructor(limit: Limit, orders: readonly Date[], now: Date) {
    this.limit = limit;
    this.#tokens = limit.burst;
    this.#at = Number.NEGATIVE_INFINITY;
    for (const time of orders.toSorted((one, other) => one.getTime() - other.getTime())) {
      this.advance(time);
      this.#tokens -= 1;
    }
    this.advance(now);
  }

  /** Refills it until an instant; an earlier one than before changes nothing. */
  advance(to: Date): void {
    const ms = Math.max(0, to.getTime() - this.#at);
    this.#tokens = Math.min(this.limit.burst, this.#tokens + ms / this.limit.refillMs);
    this.#at = Math.max(this.#at, to.getTime());
  }

  /** Milliseconds until a token can be spent; 0: now. */
  waitMs(isUrgent: boolean): number {
    const kept = isUrgent ? 0 : Math.floor(this.limit.burst * reserve);
    return Math.max(0, Math.ceil((1 + kept - this.#tokens) * this.limit.refillMs));
  }

  /** Takes a token, also one that is not there yet: what comes later waits so much longer. */
  spend(): void {
    this.#tokens -= 1;
  }

  /** Tokens that are spent and not refilled. */
  get spent(): number {
    return Math.max(0, Math.ceil(this.limit.burst - this.#tokens));
  }
}
