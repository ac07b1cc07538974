// Keeps anti-replay nonces (RFC 8555 §6.5): each response brings one, each signed request uses one up.

/** How long a nonce is kept. A CA forgets nonces, and a forgotten one costs a second request. */
const maxAgeMs = 10 * 60_000;
/** A CA is far away if its fastest response takes longer. Only then are several nonces in circulation. */
const farAwayMs = 20;
/** Responses before the distance is judged: the first are slow because the process has just started. */
const answersToJudgeBy = 8;
/** Most nonces in circulation for a far CA, and so most requests under way at once. */
const maxInCirculation = 16;

/** The nonces of one CA. A request needs one; the response to it brings the next, which goes to the request
 *  that waits longest. For a near CA one nonce circulates, because more would not be faster. For a far one up
 *  to 16 circulate; each further nonce is fetched when a request waits. */
export class Nonces {
  readonly #idle: { readonly nonce: string; readonly at: number }[] = [];
  readonly #waiting: ((nonce: string | undefined) => void)[] = [];
  readonly #nowMs: () => number;
  #circulating = 0;
  #answers = 0;
  #fastestMs = Number.POSITIVE_INFINITY;

  /** `nowMs`: the current time in epoch milliseconds. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** A nonce for one request, after waiting for one if need be. `undefined`: the caller fetches one from the
   *  CA, and calls `discard` if that fails.
   *  @throws the signal's reason if the signal is aborted meanwhile. */
  async take(signal: AbortSignal): Promise<string | undefined> {
    signal.throwIfAborted();
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (this.#nowMs() - idle.at < maxAgeMs) return idle.nonce;
      this.#circulating -= 1;
    }
    if (this.#circulating < this.#limit()) {
      this.#circulating += 1;
      return undefined;
    }
    return this.#wait(signal);
  }

  /** Takes back the nonce of a response that took `tookMs` milliseconds, and gives it to the next request. */
  give(nonce: string, tookMs: number): void {
    this.#answers += 1;
    this.#fastestMs = Math.min(this.#fastestMs, tookMs);
    const next = this.#waiting.shift();
    if (next) next(nonce);
    else this.#idle.push({ nonce, at: this.#nowMs() });
    if (this.#waiting.length > 0 && this.#circulating < this.#limit()) {
      this.#circulating += 1;
      this.#waiting.shift()?.(undefined);
    }
  }

  /** Call when a request brought no nonce back: the next waiting request fetches a new one. */
  discard(): void {
    const next = this.#waiting.shift();
    if (next) next(undefined);
    else this.#circulating -= 1;
  }

  #wait(signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const stopWaiting = () => {
        this.#waiting.splice(this.#waiting.indexOf(receive), 1);
        reject(signal.reason);
      };
      const receive = (nonce: string | undefined) => {
        signal.removeEventListener('abort', stopWaiting);
        resolve(nonce);
      };
      this.#waiting.push(receive);
      signal.addEventListener('abort', stopWaiting, { once: true });
    });
  }

  #limit(): number {
    const isFarAway = this.#answers >= answersToJudgeBy && this.#fastestMs > farAwayMs;
    return isFarAway ? maxInCirculation : 1;
  }
}
