// Rings every channel, so that a person sees whether notices arrive.
import { channelName, type NoticeChannel } from '../certificate/notice-spec.ts';
import { makeTestNotice } from '../policy/notices/grouping.ts';
import type { TryResult } from '../ports/notices.ts';
import { recordChannels } from './channel-record.ts';
import type { NotifyInvocation, NotifyPorts } from './invocation.ts';

/** How the test of one channel ended. */
export interface RungChannel {
  readonly channel: string;
  readonly result: 'accepted' | 'failed';
  /** What the service answered, or why it was not reached. */
  readonly message: string;
}

/** What a test answers. */
export interface RingReport {
  /** Whether every channel accepted it. */
  readonly ok: boolean;
  readonly channels: readonly RungChannel[];
}

/** Gives a test notice to every channel at the same time, once, and tells how each ended. That a service
 *  accepted it does not show that it arrived. */
export async function ring(
  ports: Omit<NotifyPorts, 'queue' | 'random'>,
  installation: string,
  invocation: NotifyInvocation,
): Promise<RingReport> {
  const { post, clock, log } = ports;
  const notice = makeTestNotice(installation, clock.now());
  const results = new Map<string, TryResult>();
  const rung = await Promise.all(
    invocation.channels.map(async (channel: NoticeChannel): Promise<RungChannel> => {
      const name = channelName(channel);
      const result = await post(channel, notice, invocation.signal).catch(
        (): TryResult => ({ kind: 'failed', words: 'the invocation had no time left' }),
      );
      results.set(name, result);
      const fields = { channel: name, event: notice.event, notice: notice.id };
      if (result.kind === 'accepted') log.info('notice sent', fields);
      else log.error('notice not sent', { ...fields, problem: result.words });
      return {
        channel: name,
        result: result.kind === 'accepted' ? 'accepted' : 'failed',
        message: result.words,
      };
    }),
  );
  await recordChannels(ports, results, invocation);
  return { ok: rung.every(({ result }) => result === 'accepted'), channels: rung };
}
