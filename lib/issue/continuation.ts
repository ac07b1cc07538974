// Sends messages for unfinished certificates, so that they go on at the right time and need not wait for the
// schedule.
import { slowLookMs } from '../policy/issuance/backoff.ts';
import { describeError } from '../ports/errors.ts';
import type { IssueInvocation, IssuePorts } from './invocation.ts';

/** The longest delay of a message, in milliseconds (SQS). */
const longestDelayMs = 900_000;
/** After this many passes in a row that finished nothing, no message is sent. */
const maxEmptyPasses = 3;
/** The most names in one message: far below the limit of SQS. */
const namesPerMessage = 500;

/** An unfinished certificate, and the instant before which nothing can be done for it. */
export interface PostponedCertificate {
  readonly name: string;
  readonly until?: Date | undefined;
  /** Whether the CA still works on its order. */
  readonly isSlow?: boolean | undefined;
}

/** Whether a message that came too early for a slow order is followed by another. Not if the order was just
 *  looked at: then that look has sent its own. */
export function isFollowed(until: Date, now: Date): boolean {
  return until.getTime() - now.getTime() <= slowLookMs - longestDelayMs;
}

/** Sends messages for certificates that can go on within 15 minutes; the schedule finds the others. A slow
 *  order has one message after another until it is looked at, because the schedule may come hours later.
 *  `fruitless` counts the passes in a row, this one included, that finished nothing: after three it sends
 *  nothing and logs an error. Never rejects. */
export async function continueLater(
  postponed: readonly PostponedCertificate[],
  fruitless: number,
  { queue, clock, log }: IssuePorts,
  invocation: IssueInvocation,
): Promise<void> {
  if (!queue || postponed.length === 0) return;
  if (fruitless >= maxEmptyPasses) {
    const names = postponed.map(({ name }) => name);
    log.error('continuation ended', {
      names,
      problem: `${fruitless} passes in a row finished nothing; the schedule goes on`,
    });
    return;
  }
  const now = clock.now().getTime();
  const byDelay = Map.groupBy(postponed, ({ until, isSlow }) => {
    const delayMs = Math.max(0, (until?.getTime() ?? now) - now);
    return Math.ceil((isSlow ? Math.min(delayMs, longestDelayMs) : delayMs) / 1000);
  });
  for (const [delaySeconds, group] of byDelay) {
    if (delaySeconds * 1000 > longestDelayMs) continue;
    for (let first = 0; first < group.length; first += namesPerMessage) {
      const names = group.slice(first, first + namesPerMessage).map(({ name }) => name);
      try {
        await queue.send(names, invocation.id, { delaySeconds, fruitless }, invocation.cleanUpSignal);
        log.info('continuation sent', { certificates: names.length, delaySeconds });
      } catch (error) {
        log.warn('continuation not sent', { certificates: names.length, problem: describeError(error) });
      }
    }
  }
}

/** Sends messages for certificates whose values a later pass compares with their tags. Without a queue
 *  they wait for their slot of the next day. Never rejects. */
export async function compareLater(
  names: readonly string[],
  { queue, log }: IssuePorts,
  invocation: IssueInvocation,
): Promise<void> {
  for (let first = 0; first < names.length; first += namesPerMessage) {
    const part = names.slice(first, first + namesPerMessage);
    try {
      if (!queue) throw new Error('there is no queue (CERTRELAY_ISSUE_QUEUE_URL)');
      await queue.send(part, invocation.id, { compare: true }, invocation.cleanUpSignal);
    } catch (error) {
      log.warn('comparison not sent', { certificates: part.length, problem: describeError(error) });
    }
  }
}
