// Limits the memory for one cluster's responses: large ones are read one after the other.

/** Lets one large response of a connection be read at a time. */
export class LargeResponses {
  /** A response is large from this number of bytes on. */
  readonly fromBytes = 256 * 1024;
  #last: Promise<void> = Promise.resolve();

  /** Waits until no other large response is being read. Call the returned function when this one is read.
   *  @throws the signal's reason once the signal is aborted. */
  async enter(signal: AbortSignal): Promise<() => void> {
    const ended = Promise.withResolvers<void>();
    const previous = this.#last;
    this.#last = previous.then(() => ended.promise);
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    try {
      signal.throwIfAborted();
      signal.addEventListener('abort', abort, { once: true });
      await Promise.race([previous, aborted.promise]);
      return ended.resolve;
    } catch (error) {
      ended.resolve();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
