// Keeps the room that one cluster's answers take small: large ones are read one after the other.

/** The large answers of one connection. */
export class LargeAnswers {
  /** Bytes from which on an answer waits for its turn. */
  readonly fromBytes = 256 * 1024;
  #last: Promise<void> = Promise.resolve();

  /** Waits until no other is read; what it gives ends the turn. @throws the signal's reason, once that is aborted. */
  async enter(signal: AbortSignal): Promise<() => void> {
    const own = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = before.then(() => own.promise);
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    try {
      signal.throwIfAborted();
      signal.addEventListener('abort', abort, { once: true });
      await Promise.race([before, aborted.promise]);
      return own.resolve;
    } catch (error) {
      own.resolve();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
