// Puts entries together into calls of PutEvents.
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';

const mostEntries = 10;
/** Bytes of all entries of a call. AWS takes more by now, and many targets of rules do not. */
const mostBytes = 250_000;

/** The entries in their order, ten and 250,000 bytes at most in each batch. One that is larger is alone. */
export function batchEntries(
  entries: readonly PutEventsRequestEntry[],
): readonly (readonly PutEventsRequestEntry[])[] {
  const batches: PutEventsRequestEntry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = sizeOf(entry);
    const last = batches.at(-1);
    if (last && last.length < mostEntries && bytes + size <= mostBytes) {
      last.push(entry);
      bytes += size;
    } else {
      batches.push([entry]);
      bytes = size;
    }
  }
  return batches;
}

/** As AWS documents it: 14 bytes for a time, and the texts' bytes. */
function sizeOf({
  Source = '',
  DetailType = '',
  Detail = '',
  Resources = [],
}: PutEventsRequestEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 14);
}
