// Paces the requests of one run to Route 53, so that AWS throttles neither this run nor other clients.
import type { Clock } from '../../ports/clock.ts';

/** Half of the account's 10 requests a second; other clients get the other half (Developer Guide,
 *  "Quotas"). */
const requestsPerSecond = 5;
/** Requests that may be sent at once after a quiet time. */
const burst = 50;

/** A token bucket. Callers that find it empty wait in the order of their calls. */
export class RateLimiter {
  readonly #clock: Clock;
  #tokens = burst;
  #countedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedAt = clock.now().getTime();
  }

  /** Resolves when one more request may be sent.
   *  @throws the signal's reason once the signal is aborted. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = this.#clock.now().getTime();
    const refilled = ((now - this.#countedAt) / 1000) * requestsPerSecond;
    this.#tokens = Math.min(burst, this.#tokens + refilled) - 1;
    this.#countedAt = now;
    if (this.#tokens < 0) await this.#clock.sleep((-this.#tokens / requestsPerSecond) * 1000, signal);
  }
}
