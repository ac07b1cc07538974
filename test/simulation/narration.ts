// The story of one simulation: every event, and the hash by which two runs of a seed are compared.
import { createHash } from 'node:crypto';
import type { VirtualClock } from './clock.ts';

const eventsKept = 400;

/** Keeps the last events, and hashes all. */
export class Narration {
  /** The last events, oldest first. */
  readonly events: string[] = [];
  readonly #hash = createHash('sha256');
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Keeps an event, without fingerprints: they differ from run to run, because signatures are random. */
  note(who: string, what: string): void {
    const at = new Date(this.#clock.now).toISOString();
    const event = `${at} ${who}: ${what.replace(/[0-9a-f]{16,}…?/g, '…')}`;
    this.#hash.update(event);
    this.events.push(event);
    if (this.events.length > eventsKept) this.events.shift();
  }

  /** SHA-256 of all events, hex. To be asked once, at the end. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}
