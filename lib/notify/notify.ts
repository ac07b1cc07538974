// Tells people: makes notices of what a pass has to tell, and gives each to its channel, later if need be.
import { channelName } from '../certificate/notice-spec.ts';
import { keepsIncidents } from '../policy/notices/channels.ts';
import { type PassNews, planNotices } from '../policy/notices/grouping.ts';
import { findNextTry } from '../policy/notices/tries.ts';
import type { QueuedDelivery, TryResult } from '../ports/notices.ts';
import { recordChannels } from './channel-record.ts';
import { divide, recordTold, withoutOutdated } from './incident-order.ts';
import type { NotifyInvocation, NotifyPorts } from './invocation.ts';

/** Hands the notices of a pass to the queue, one message for each channel, and gives none to a channel
 *  itself: if handing over fails, nobody has been told, and the pass may be handed on again.
 *  @throws QueueError `QueueFailed` */
export async function handOn(
  { queue, log }: Pick<NotifyPorts, 'queue' | 'log'>,
  news: PassNews,
  { id, channels, signal }: NotifyInvocation,
): Promise<void> {
  const deliveries = planNotices(news, channels);
  const { length: changes } = news.changes;
  log.info('notices planned', { changes, omitted: news.omitted.changes, notices: deliveries.length });
  if (deliveries.length > 0) {
    await queue.send(
      deliveries.map((delivery) => ({ ...delivery, tries: 0 })),
      id,
      signal,
    );
  }
}

/** Gives each notice to its channel, all at the same time, but for those of a channel that opens and closes
 *  incidents: these go one after the other, the oldest first. One that a channel does not take goes back to
 *  the queue, unless no later try helps. Returns those that must be delivered to `notify` again, because the
 *  queue did not take them. Never rejects. */
export async function deliver(
  ports: NotifyPorts,
  deliveries: readonly QueuedDelivery[],
  invocation: NotifyInvocation,
): Promise<readonly QueuedDelivery[]> {
  const results = new Map<string, TryResult>();
  const give = async (delivery: QueuedDelivery): Promise<readonly QueuedDelivery[]> => {
    const later = await tryOnce(ports, delivery, invocation, results);
    if (later === undefined) return [];
    return (await isQueued(ports, later, invocation)) ? [] : [delivery];
  };
  const ordered = new Set(invocation.channels.filter(keepsIncidents).map(channelName));
  const last = new Map<string, Promise<unknown>>();
  const oldestFirst = deliveries.toSorted(
    (one, other) => one.notice.at.getTime() - other.notice.at.getTime(),
  );
  const left = await Promise.all(
    oldestFirst.map((delivery) => {
      if (!ordered.has(delivery.channel)) return give(delivery);
      const own = (last.get(delivery.channel) ?? Promise.resolve()).then(() => give(delivery));
      last.set(delivery.channel, own);
      return own;
    }),
  );
  await recordChannels(ports, results, invocation);
  return left.flat();
}

/** One try; returns what is to be tried later. */
async function tryOnce(
  ports: NotifyPorts,
  delivery: QueuedDelivery,
  invocation: NotifyInvocation,
  results: Map<string, TryResult>,
): Promise<QueuedDelivery | undefined> {
  const { channels, signal } = invocation;
  const { clock, log, post } = ports;
  const { channel: name, notice, notBefore } = delivery;
  const fields = { channel: name, event: notice.event, notice: notice.id };
  const channel = channels.find((one) => channelName(one) === name);
  if (!channel) {
    log.info('notice dropped', { ...fields, problem: 'the inventory no longer has this channel' });
    return undefined;
  }
  if (notBefore !== undefined && notBefore > clock.now()) return delivery;
  const opens = keepsIncidents(channel);
  const due = opens ? await withoutOutdated(name, notice, ports, invocation) : notice;
  if (!due) {
    log.info('notice dropped', { ...fields, problem: 'the channel was told what came later' });
    return undefined;
  }
  const result = await post(channel, due, signal).catch(
    (): TryResult => ({ kind: 'failed', words: 'the invocation had no time left' }),
  );
  const posted = (result.kind === 'failed' && result.posted) || 0;
  const { told, left = due } = posted > 0 ? divide(due, posted) : { told: due };
  if (opens && told && (posted > 0 || result.kind === 'accepted'))
    await recordTold(name, told, ports, invocation);
  if (result.kind === 'accepted' || results.get(name)?.kind !== 'accepted') results.set(name, result);
  return judge(ports, { ...delivery, notice: left }, result, fields);
}

function judge(
  { clock, log, random }: NotifyPorts,
  delivery: QueuedDelivery,
  result: TryResult,
  fields: Readonly<Record<string, string>>,
): QueuedDelivery | undefined {
  const tries = delivery.tries + 1;
  const { words: problem } = result;
  if (result.kind === 'accepted') {
    log.info('notice sent', { ...fields, tries });
    return undefined;
  }
  const retryAfterMs = result.kind === 'failed' ? result.retryAfterMs : undefined;
  const next = findNextTry(tries, clock.now(), { retryAfterMs, random: random() });
  const ends = delivery.notice.at.getTime() + longestMs;
  if (result.kind === 'refused' || next === undefined || next.getTime() > ends) {
    log.error('notice not sent', { ...fields, tries, problem });
    return undefined;
  }
  log.warn('notice postponed', { ...fields, tries, problem, until: next });
  return { ...delivery, tries, notBefore: next };
}

/** After three and a half days nobody needs to hear of it any more. */
const longestMs = 84 * 3_600_000;

async function isQueued(
  { queue, log }: NotifyPorts,
  delivery: QueuedDelivery,
  { id, cleanUpSignal }: NotifyInvocation,
): Promise<boolean> {
  try {
    await queue.send([delivery], id, cleanUpSignal);
    return true;
  } catch (error) {
    log.warn('notice not queued', { channel: delivery.channel, notice: delivery.notice.id, problem: error });
    return false;
  }
}
