// Records which channels cannot be reached, for `status`, on one tag that is written only when it changes.
import { channelName } from '../certificate/notice-spec.ts';
import { oneLine } from '../policy/bounds.ts';
import type { TryResult } from '../ports/notices.ts';
import type { FailingChannel } from '../state/channels.ts';
import type { NotifyInvocation, NotifyPorts } from './invocation.ts';

/** Times that the record is written until it has what was found out: another invocation may write at the same
 *  time. */
const mostWrites = 3;

/** Records how the last try at each channel ended. Never rejects: a notice that was given to a channel must
 *  not be given to it again. */
export async function recordChannels(
  { installation, clock, log }: Pick<NotifyPorts, 'installation' | 'clock' | 'log'>,
  results: ReadonlyMap<string, TryResult>,
  { channels, cleanUpSignal: signal }: NotifyInvocation,
): Promise<void> {
  if (results.size === 0) return;
  const known = new Set(channels.map(channelName));
  try {
    for (let writes = 0; writes < mostWrites; writes += 1) {
      const record = await installation.read(signal);
      if (!record) return;
      const before = record.failingChannels ?? [];
      const after = update(before, results, clock.now()).filter(({ channel }) => known.has(channel));
      if (isSame(before, after)) return;
      await installation.recordChannels(after, signal);
    }
  } catch (error) {
    log.warn('channel not recorded', { problem: error });
  }
}

function update(
  before: readonly FailingChannel[],
  results: ReadonlyMap<string, TryResult>,
  now: Date,
): readonly FailingChannel[] {
  const kept = before.filter(({ channel }) => results.get(channel)?.kind !== 'accepted');
  const failed = [...results].filter(([, { kind }]) => kind !== 'accepted');
  const known = new Set(kept.map(({ channel }) => channel));
  return [
    ...kept,
    ...failed
      .filter(([channel]) => !known.has(channel))
      .map(([channel, { words }]) => ({ channel, since: now, words: oneLine(words, 80) })),
  ];
}

/** The words of the first failure stay: they change with each try, and the log has them all. */
function isSame(before: readonly FailingChannel[], after: readonly FailingChannel[]): boolean {
  const names = (list: readonly FailingChannel[]) => list.map(({ channel }) => channel).toSorted();
  return JSON.stringify(names(before)) === JSON.stringify(names(after));
}
