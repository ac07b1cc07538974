// Anti-replay nonces (RFC 8555 §6.5): every answer brings one, every signed request uses one up.

/** Nonces are kept this long; CAs forget them after a while and a stale one costs a round trip. */
const maxAgeMs = 10 * 60_000;
/** A CA whose fastest answer takes longer is far away: then several requests are under way at once. */
const farAwayMs = 20;
/** Answers to go by: the first ones are slow because this process has just started, however near the CA is. */
const answersToJudgeBy = 8;
const maxInCirculation = 16;

/** A nonce is the licence for one request. They circulate: fetched once, then handed on from answer to request.
 *  Near a CA one in circulation is as fast as many; far from it up to 16 are fetched, one at a time, as requests queue. */
export class Nonces {
  readonly #idle: { readonly nonce: string; readonly at: number }[] = [];
  readonly #waiting: ((nonce: string | undefined) => void)[] = [];
  readonly #nowMs: () => number;
  #circulating = 0;
  #answers = 0;
  #fastestMs = Number.POSITIVE_INFINITY;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** A nonce, or `undefined`: ask the CA for a new one (and `discard` it where that fails).
   *  @throws the signal's reason where it is aborted before there is one. */
  async take(signal: AbortSignal): Promise<string | undefined> {
    signal.throwIfAborted();
    for (let kept = this.#idle.pop(); kept; kept = this.#idle.pop()) {
      if (this.#nowMs() - kept.at < maxAgeMs) return kept.nonce;
      this.#circulating -= 1;
    }
    if (this.#circulating < this.#limit()) {
      this.#circulating += 1;
      return undefined;
    }
    return this.#wait(signal);
  }

  /** Hands on the nonce that an answer brought after `tookMs`. */
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

  /** The request that held a nonce got none back: somebody who waits fetches a new one. */
  discard(): void {
    const next = this.#waiting.shift();
    if (next) next(undefined);
    else this.#circulating -= 1;
  }

  #wait(signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(receive), 1);
        reject(signal.reason);
      };
      const receive = (nonce: string | undefined) => {
        signal.removeEventListener('abort', leave);
        resolve(nonce);
      };
      this.#waiting.push(receive);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #limit(): number {
    const isFarAway = this.#answers >= answersToJudgeBy && this.#fastestMs > farAwayMs;
    return isFarAway ? maxInCirculation : 1;
  }
}
