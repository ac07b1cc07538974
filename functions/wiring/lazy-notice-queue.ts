// Connects to the queue of `notify`, if somebody is to be told. SQS is loaded with the first message.
import type { NoticeQueue } from '../../lib/ports/notices.ts';
import type { Settings } from '../../lib/settings/functions.ts';
import type { Closing } from '../runtime/define-function.ts';
import { openLazily } from './lazily.ts';

/** The queue; `undefined` if the settings name none. Opens no connection before the first message; `closing`
 *  ends it. */
export function openNoticeQueueLazily(
  { notifyQueueUrl: url, prefix: installation }: Pick<Settings, 'notifyQueueUrl' | 'prefix'>,
  closing: Closing,
): NoticeQueue | undefined {
  if (url === undefined) return undefined;
  const open = openLazily(async () => {
    const { connectNoticeQueue } = await import('../../lib/adapters/sqs/notice-queue.ts');
    return connectNoticeQueue({ url, installation });
  }, closing);
  return {
    send: async (...message) => (await open()).send(...message),
    countWaiting: async (signal) => (await open()).countWaiting(signal),
  };
}
