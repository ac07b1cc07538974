// Sends what a pass has to tell to the queue that starts the notify function.
import { takeFitting } from '../../policy/bounds.ts';
import { boundRow, fitChanges, mostListBytes } from '../../policy/notices/message.ts';
import type { NoticeMessage, NoticeQueue } from '../../ports/notices.ts';
import { openQueue, type QueueOptions } from './queue.ts';

/** `NoticeQueue` over SQS. `installation` names it to people: the prefix of its AWS secrets. The first
 *  message opens a connection; `close` closes it. */
export function connectNoticeQueue({
  installation,
  ...options
}: QueueOptions & { readonly installation: string }): NoticeQueue & { close(): void } {
  const queue = openQueue(options);
  return {
    send: (message, id, signal) =>
      queue.send({ schema: 1, installation, ...selectFitting(message) }, id, {}, signal),
    countWaiting: (signal) => queue.countWaiting(signal),
    close: () => queue.close(),
  };
}

/** Lists share the room: what one leaves, the next has. `omitted` counts what was left out of each. */
function selectFitting({ at, changes = [], issued = [], digest }: NoticeMessage): object {
  const told = fitChanges(changes, digest || issued.length > 0 ? mostListBytes / 2 : mostListBytes);
  const certificates = takeFitting(issued, mostListBytes / 4);
  const rows = takeFitting((digest?.rows ?? []).map(boundRow), mostListBytes / 4);
  return {
    at,
    changes: told.changes,
    issued: certificates,
    ...(digest ? { digest: { ...digest, rows } } : {}),
    omitted: {
      changes: told.omitted,
      issued: issued.length - certificates.length,
      rows: (digest?.rows.length ?? 0) - rows.length,
    },
  };
}
