// One batch: many orders at one CA side by side. One change per hosted zone adds their TXT values, one
// removes them.
import { Slots } from '../../async/map-concurrently.ts';
import type { OnRecordDone, RecordOutcome, TxtValue } from '../../ports/dns.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { DueCertificate } from '../gather/gather.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import { type Attempt, beginAttempt, type OpenAttempt } from './attempt.ts';
import { finishAttempt } from './finish.ts';
import type { OrderOutcome } from './outcome.ts';
import { recordAttempt } from './record.ts';
import { SerialQueue } from './serial-queue.ts';
import { SharedChange } from './shared-change.ts';

/** Certificates of a batch that are claimed, or recorded, at once. */
const concurrency = 32;
/** How long a slow certificate keeps another one from beginning, in milliseconds. */
const longestSlotMs = 10_000;
/** The part of the remaining time that certificates wait for slower ones, to share a change of DNS. */
const waitShare = 0.25;
/** How long the next batch waits for one that has written its TXT values and finishes no order, in
 *  milliseconds. */
const stragglerMs = 90_000;

/** A batch under way. Neither promise rejects. */
export interface OrderBatch {
  /** One outcome for each certificate. */
  readonly outcomes: Promise<readonly OrderOutcome[]>;
  /** Resolves when the batch waits for its slowest certificates only, so that the next batch may begin. */
  readonly stragglersOnly: Promise<void>;
}

/** Begins to order the certificates, which all go to one CA. A slow or failed certificate does not delay
 *  the others: they are stored and recorded meanwhile. TXT values are removed whatever happens, until the
 *  clean-up's own signal. */
export function beginBatch(
  batch: readonly DueCertificate[],
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): OrderBatch {
  const { clock } = ports;
  const leftMs = invocation.workUntil.getTime() - clock.now().getTime();
  const shared = {
    members: batch.length,
    longestMs: Math.max(0, leftMs * waitShare),
    signal: invocation.signal,
    clock,
  };
  const presented = new SharedChange({
    ...shared,
    change: (...values) => present(values, ports, invocation),
  });
  const cleanedUp = new SharedChange({
    ...shared,
    change: (...values) => cleanUp(values, ports, invocation),
  });
  const queue = new SerialQueue(clock);
  const [beginning, recording] = [new Slots(concurrency), new Slots(concurrency)];
  const outcomes = Promise.all(
    batch.map(async (due): Promise<OrderOutcome> => {
      const begun = await beginning.use(() => beginAttempt(due, queue, ports, invocation), {
        timeout: { ms: longestSlotMs, clock },
      });
      const attempt = await finish({ due, attempt: begun, presented }, ports, invocation);
      const unremoved = await cleanedUp.join('written' in attempt ? attempt.written : []);
      const outcome = await recording.use(() =>
        recordAttempt({ due, attempt, unremoved }, ports, invocation),
      );
      return { ...outcome, ...fallbackWarning(begun) };
    }),
  );
  const overdue = presented.first.then(() => untilAborted(clock.timeout(stragglerMs)));
  const stragglersOnly = Promise.race([outcomes, cleanedUp.first, overdue]).then(() => undefined);
  return { outcomes, stragglersOnly };
}

/** Says in the report that an order was proved by another challenge than the issuer's. */
function fallbackWarning(begun: Attempt): Pick<OrderOutcome, 'warnings'> {
  const reason = begun.kind === 'open' ? begun.open.fallbackReason : undefined;
  return reason === undefined ? {} : { warnings: [`dns-01 was used instead of dns-persist-01: ${reason}`] };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Writes the TXT values of some orders. */
async function present(
  [values, onDone]: readonly [readonly TxtValue[], OnRecordDone],
  { records, log }: IssuePorts & OrderingPorts,
  { signal }: IssueInvocation,
): Promise<RecordOutcome> {
  const outcome = await outcomeOf(values, () => records.present(values, signal, onDone));
  log.info('TXT values added', { values: values.length, failed: outcome.failed.size });
  return outcome;
}

/** Removes the TXT values of some orders, and of the earlier runs that these resume. */
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

/** The TXT values that an order's challenges need. */
function neededBy({ open: { toPresent, toKeep } }: OpenAttempt): readonly TxtValue[] {
  return [...toPresent, ...toKeep];
}

/** Finishes the order once its TXT values are written and visible. */
async function finish(
  {
    due,
    attempt,
    presented,
  }: { readonly due: DueCertificate; readonly attempt: Attempt; readonly presented: SharedChange },
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
  // A value that was surely not written needs no clean-up, and no claim for it. A write that timed out is not
  // sure.
  const isUnwritten = (value: TxtValue) =>
    isNew && open.toPresent.includes(value) && unwritten.has(value.name) && !invocation.signal.aborted;
  const written = attempt.written.filter((value) => !isUnwritten(value));
  return { kind: 'failed', claim, orderUrl: open.order.url, written, error, mayBeIssued: false };
}

/** Turns a rejection into a failure of each name. */
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
