// One wave: many orders at one CA side by side, their TXT values in one change per hosted zone, removed in one more.
import { Slots } from '../../async/map-concurrently.ts';
import type { OnRecordDone, RecordOutcome, TxtValue } from '../../ports/dns.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { DueCertificate } from '../gather/gather.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import { type Attempt, beginAttempt, finishAttempt, type OpenAttempt } from './attempt.ts';
import { type OrderOutcome, recordAttempt } from './record.ts';
import { SerialQueue } from './serial-queue.ts';
import { SharedChange } from './shared-change.ts';

/** Certificates of one wave: their TXT values share one change per hosted zone, and all their orders wait side by side. */
export const batchSize = 300;
/** Certificates that talk to Secrets Manager or begin an order at once. */
const concurrency = 32;
/** For how long one of them keeps another from beginning, in milliseconds. */
const longestSlotMs = 10_000;
/** What those that are ready wait for others at most, as a part of the time that is left. */
const waitShare = 0.25;
/** For how long a wave in which nothing is finished, after its values were written, keeps the next one waiting. */
const stragglerMs = 90_000;

/** A wave under way. Neither promise rejects. */
export interface OrderBatch {
  /** What became of each certificate. */
  readonly outcomes: Promise<readonly OrderOutcome[]>;
  /** When only those are left that take longer than the others, so that the next wave may begin. */
  readonly stragglersOnly: Promise<void>;
}

/** Orders all the given certificates, all at one CA, and tells what became of each. One certificate's failure or delay is its
 *  own: the others are stored, their TXT values removed and their states recorded meanwhile. TXT values are removed whatever
 *  happened, by the clean-up's own signal. */
export function beginBatch(
  batch: readonly DueCertificate[],
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): OrderBatch {
  const leftMs = invocation.workUntil.getTime() - ports.clock.now().getTime();
  const shared = {
    members: batch.length,
    longestMs: Math.max(0, leftMs * waitShare),
    signal: invocation.signal,
  };
  const presented = new SharedChange({ ...shared, change: (...asked) => present(asked, ports, invocation) });
  const cleanedUp = new SharedChange({ ...shared, change: (...asked) => cleanUp(asked, ports, invocation) });
  const queue = new SerialQueue();
  const [beginning, recording] = [new Slots(concurrency), new Slots(concurrency)];
  const outcomes = Promise.all(
    batch.map(async (due): Promise<OrderOutcome> => {
      const begun = await beginning.use(() => beginAttempt(due, queue, ports, invocation), {
        timeoutMs: longestSlotMs,
      });
      const attempt = await finish(due, begun, presented, ports, invocation);
      const unremoved = await cleanedUp.join('written' in attempt ? attempt.written : []);
      return recording.use(() => recordAttempt(due, attempt, unremoved, ports, invocation));
    }),
  );
  const overdue = presented.first.then(() => pause(stragglerMs));
  const stragglersOnly = Promise.race([outcomes, cleanedUp.first, overdue]).then(() => undefined);
  return { outcomes, stragglersOnly };
}

/** Keeps no process alive. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** Adds the values of some orders. */
async function present(
  [values, onDone]: readonly [readonly TxtValue[], OnRecordDone],
  { records, log }: IssuePorts & OrderingPorts,
  { signal }: IssueInvocation,
): Promise<RecordOutcome> {
  const outcome = await outcomeOf(values, () => records.present(values, signal, onDone));
  log.info('TXT values added', { values: values.length, failed: outcome.failed.size });
  return outcome;
}

/** Takes away what these orders and those of the runs that they follow on wrote. */
async function cleanUp(
  [values, onDone]: readonly [readonly TxtValue[], OnRecordDone],
  { records, log }: IssuePorts & OrderingPorts,
  { cleanUpSignal }: IssueInvocation,
): Promise<RecordOutcome> {
  const outcome = await outcomeOf(values, () => records.cleanUp(values, cleanUpSignal, onDone));
  log.info('TXT values removed', { values: values.length, failed: outcome.failed.size });
  for (const [name, error] of outcome.failed) {
    log.warn('TXT values not removed', { record: name, problem: describeError(error) });
  }
  return outcome;
}

/** TXT values that an order's challenges need. */
function neededBy({ open: { toPresent, toKeep } }: OpenAttempt): readonly TxtValue[] {
  return [...toPresent, ...toKeep];
}

/** Goes on once the order's own values are written and the world can see them. */
async function finish(
  due: DueCertificate,
  attempt: Attempt,
  presented: SharedChange,
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<Attempt> {
  if (attempt.kind !== 'open') {
    presented.leave();
    return attempt;
  }
  const values = neededBy(attempt);
  const unwritten = await presented.join(values);
  const { failed } =
    unwritten.size > 0
      ? { failed: unwritten }
      : await outcomeOf(values, () => ports.awaitVisible(values, invocation.signal));
  const [error] = values.flatMap(({ name }) => failed.get(name) ?? []);
  if (!error) return finishAttempt(due, attempt, ports, invocation);
  const { claim, open, isNew } = attempt;
  // Where nothing was written there is nothing to clean up, nor to keep the claim for. A write that timed out is not sure.
  const isSure = (value: TxtValue) =>
    isNew && open.toPresent.includes(value) && unwritten.has(value.name) && !invocation.signal.aborted;
  const written = attempt.written.filter((value) => !isSure(value));
  return { kind: 'failed', claim, orderUrl: open.order.url, written, error, mayBeIssued: false };
}

/** A rejection as a whole is a failure of each name. */
async function outcomeOf(
  values: readonly TxtValue[],
  work: () => Promise<RecordOutcome>,
): Promise<RecordOutcome> {
  try {
    return values.length === 0 ? { failed: new Map() } : await work();
  } catch (cause) {
    const error = toError(cause);
    return { failed: new Map(values.map(({ name }) => [name, error])) };
  }
}
