// Opens connections late: their client is loaded with the first use, and most invocations use none.
import { once } from '../../lib/async/promise-cache.ts';
import type { Closing } from '../runtime/define-function.ts';

/** A function that opens the connection at its first call and returns the same one afterwards. `closing` ends
 *  it; if it is never called, nothing is opened. */
export function openLazily<T extends { close(): void }>(
  open: () => Promise<T>,
  closing: Closing,
): () => Promise<T> {
  return once(async () => {
    const connection = await open();
    closing.push(() => connection.close());
    return connection;
  });
}
