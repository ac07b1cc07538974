// Tells people by mail, chat, pager and webhooks. Called by its queue, and by hand to ring every channel.
import { deliver, handOn } from '../lib/notify/notify.ts';
import { type RingReport, ring } from '../lib/notify/ring.ts';
import { channelsOf } from '../lib/policy/notices/channels.ts';
import { ConfigError, codeOf, describeError, toError } from '../lib/ports/errors.ts';
import { parseNotifyEvent } from '../lib/requests/notify.ts';
import { defineMessageFunction } from './runtime/define-function.ts';
import type { Invocation } from './runtime/invocation.ts';
import { openNotices } from './wiring/notices.ts';

/** Answers a test with how each channel ended, whatever it is; a batch with the messages that failed. */
export const handler = defineMessageFunction({
  name: 'notify',
  parse: parseNotifyEvent,
  connect: openNotices,
  async run(_request, ports, invocation) {
    const { settings } = invocation;
    const channels = channelsToRing(invocation);
    if (channels.length === 0) throw new ConfigError('Event', noChannel);
    const answer: RingReport = await ring(ports, settings.prefix, { ...invocation, channels });
    return { answer };
  },
  async work(messages, ports, invocation) {
    const channels = channelsOf(invocation.inventory, invocation.settings);
    const { id: invocationId, signal, cleanUpSignal } = invocation;
    const call = { id: invocationId, channels, signal, cleanUpSignal };
    const failed = await Promise.all(
      messages.map(async ({ id, request }) => {
        if (request.kind !== 'news') return [];
        try {
          await handOn(ports, request.news, call);
          return [];
        } catch (error) {
          const problem = describeError(toError(error));
          ports.log.error('messages failed', { messageIds: [id], code: codeOf(error), problem });
          return [id];
        }
      }),
    );
    const deliveries = messages.flatMap(({ id, request }) =>
      request.kind === 'delivery' ? [{ id, delivery: request.delivery }] : [],
    );
    const left = await deliver(
      ports,
      deliveries.map(({ delivery }) => delivery),
      call,
    );
    return [
      ...failed.flat(),
      ...deliveries.filter(({ delivery }) => left.includes(delivery)).map(({ id }) => id),
    ];
  },
});

const noChannel =
  'there is no channel to ring: add notifications to the inventory, or deploy with --param="alarmEmail=…"';

/** Every channel, and the topic of alarms if no channel is that one already. */
function channelsToRing({ inventory, settings }: Invocation) {
  const channels = channelsOf(inventory, settings);
  const hasMail = channels.some(({ kind }) => kind === 'email');
  const topic = settings.alarmTopic === undefined || hasMail ? [] : [{ kind: 'email', events: [] } as const];
  return [...channels, ...topic];
}
