// What a pass leaves goes on by the queue, at the right time, instead of waiting for the schedule.
import { describeError } from '../ports/errors.ts';
import type { IssueInvocation, IssuePorts } from './invocation.ts';

/** What a message may wait (SQS). */
const longestDelayMs = 900_000;
/** Passes in a row that finished nothing. */
const maxEmptyPasses = 3;
/** Names in one message: far below what SQS takes. */
const namesPerMessage = 500;

/** One certificate that is left, and the instant before which nothing can be done. */
export interface PostponedCertificate {
  readonly name: string;
  readonly until?: Date | undefined;
}

/** Sends messages for what is left and due within a quarter of an hour; the schedule finds the rest. `fruitless` counts
 *  the passes in a row, this one included, that finished nothing: after three the chain ends and says so. Never rejects. */
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
  const byDelay = Map.groupBy(postponed, ({ until }) =>
    Math.max(0, Math.ceil(((until?.getTime() ?? now) - now) / 1000)),
  );
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

/** Sends messages for certificates whose values are still to be held against their tags. Without a queue they wait for their
 *  slot of the next day. Never rejects. */
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
