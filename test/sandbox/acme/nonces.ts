// Anti-replay nonces, each good for one request (RFC 8555 §6.5).
import { randomBytes } from 'node:crypto';

/** A client may hold this many unused; the oldest are forgotten first, as a real CA's expire. */
const most = 20_000;

/** The nonces that are out and not used. */
export class Nonces {
  readonly #open = new Set<string>();

  issue(): string {
    const nonce = randomBytes(16).toString('base64url');
    this.#open.add(nonce);
    if (this.#open.size > most) {
      for (const oldest of this.#open) {
        this.#open.delete(oldest);
        break;
      }
    }
    return nonce;
  }

  /** Uses a nonce up; false where it was never given out, was used before or is forgotten. */
  redeem(nonce: string): boolean {
    return this.#open.delete(nonce);
  }
}
