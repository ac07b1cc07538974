// Keeps one run below Route 53's request rate, so that it throttles neither itself nor others in the account.
import type { Clock } from '../../ports/clock.ts';

/** Half of the account's 10 requests a second, the other half being everybody else's (Developer Guide, "Quotas"). */
const requestsPerSecond = 5;
const burst = 50;

/** A token bucket. Who finds it empty waits in the order of asking. */
export class Pace {
  readonly #clock: Clock;
  #tokens = burst;
  #countedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedAt = clock.now().getTime();
  }

  /** Resolves when one more request may be made; rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = this.#clock.now().getTime();
    const refilled = ((now - this.#countedAt) / 1000) * requestsPerSecond;
    this.#tokens = Math.min(burst, this.#tokens + refilled) - 1;
    this.#countedAt = now;
    if (this.#tokens < 0) await this.#clock.sleep((-this.#tokens / requestsPerSecond) * 1000, signal);
  }
}
