// Records a failed attempt: what the tags say of it, when the next one is, and whether the claim stays.
import { slowCode, slowLookMs } from '../../policy/issuance/backoff.ts';
import { pausedByCa, writePauseReason } from '../../policy/issuance/pause.ts';
import { longestBackoffMs, mayHaveRetryAfter } from '../../policy/issuance/time-bounds.ts';
import { AcmeError } from '../../ports/acme.ts';
import { codeOf, describeError } from '../../ports/errors.ts';
import type { StateChange } from '../../state/state.ts';
import { IssueError } from '../errors.ts';
import type { IssueInvocation, IssuePorts } from '../invocation.ts';
import type { FailedAttempt } from './attempt.ts';
import type { Claim } from './claim.ts';
import { endClaim, giveBack } from './claim-end.ts';
import { type Ended, hasUnremoved, type OrderOutcome } from './outcome.ts';
import { describeRetry, planRetry } from './retry.ts';
import { isPatient } from './slow.ts';

/** Ends a failed attempt: writes its tags, releases its claim or gives back the claim's time, logs one line
 *  and returns its outcome. An attempt for which the run had no time, and one whose order the CA still works
 *  on, is `waiting` and counts as no failure. @throws StoreError. */
export async function recordFailure(
  ended: Ended<FailedAttempt>,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<OrderOutcome> {
  const { due, attempt, unremoved } = ended;
  const { store, clock, log } = ports;
  const { claim, orderUrl, written, error, mayBeIssued } = attempt;
  const { name, domains: names } = due.spec;
  if (isOutOfTime(error, invocation.signal)) {
    log.warn('certificate postponed', { certificate: name, reason: 'Deadline', orderUrl });
    if (claim) await giveBack(name, claim, ports, invocation);
    const message = 'time ran out; the next run goes on from here';
    return { outcome: 'waiting', name, message, until: clock.now() };
  }
  const slow = findSlowOrder(attempt, clock.now());
  if (slow?.isPatient) return await recordSlow(ended, slow, ports, invocation);
  const reason = reasonOf(error);
  const problem = describeError(error);
  if (!claim) {
    log.warn('certificate failed', { certificate: name, names, reason, problem });
    return { outcome: 'failed', name, message: problem, error };
  }
  const hasTxtValues = hasUnremoved(written, unremoved);
  // Without the entry nobody knows which TXT values the earlier run left.
  const isUnknown = due.situation.pending !== undefined && claim.entry === undefined;
  const keepsClaim = hasTxtValues || mayBeIssued || isUnknown;
  const retryAfter = error instanceof AcmeError ? error.retryAfterMs : undefined;
  // The next pass does not believe a longer wait after other failures.
  const retryAfterMs =
    retryAfter === undefined || mayHaveRetryAfter(reason)
      ? retryAfter
      : Math.min(retryAfter, longestBackoffMs);
  const kept = keepsClaim ? claim.pending : undefined;
  const retry = planRetry(due, claim, invocation.inventory, { now: clock.now(), kept, retryAfterMs });
  const { failures, nextIssuer } = retry;
  const until = attempt.isGivenUp ? clock.now() : retry.until;
  const message = describeRetry(problem, retry);
  log.warn('certificate failed', {
    certificate: name,
    names,
    reason,
    problem,
    failures,
    until,
    orderUrl,
    nextIssuer,
  });
  const orderIsOver = error instanceof AcmeError && error.code === 'Invalid' && !hasTxtValues;
  const state = {
    failures,
    error: reason,
    nextAttempt: until,
    ...(orderIsOver ? { order: null, orderFor: null } : {}),
    ...(hasTxtValues || claim.entry === undefined ? {} : { txt: null }),
    ...pauseForCa(error, clock.now()),
  };
  await store.record(name, state, invocation.cleanUpSignal);
  const unfinished = slow ? { orderUrl: slow.orderUrl, since: slow.since } : claim.pending.unfinished;
  const ending = { ...claim, pending: { ...claim.pending, unfinished } };
  await endClaim(name, { claim: ending, keep: keepsClaim }, ports, invocation);
  return { outcome: 'failed', name, message, until, error };
}

/** An order that the CA still works on after this run has finalized it, or an earlier one. */
interface SlowOrder {
  readonly claim: Claim;
  readonly orderUrl: string;
  /** When a run first found it so. */
  readonly since: Date;
  /** Whether there is time left for it. After that, each look that finds it so is a failure. */
  readonly isPatient: boolean;
}

function findSlowOrder(
  { claim, orderUrl, error, mayBeIssued }: FailedAttempt,
  now: Date,
): SlowOrder | undefined {
  const isSlow = mayBeIssued && error instanceof IssueError && error.code === 'Unfinished';
  if (!isSlow || claim === undefined || orderUrl === undefined) return undefined;
  const { unfinished } = claim.pending;
  const since = unfinished?.orderUrl === orderUrl ? unfinished.since : now;
  return { claim, orderUrl, since, isPatient: isPatient(since, claim.entry, now) };
}

/** Records when to look at a slow order again. Failures and their back-off stay as they are. */
async function recordSlow(
  { due, attempt: { written, error }, unremoved }: Ended<FailedAttempt>,
  { claim, orderUrl, since }: SlowOrder,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<OrderOutcome> {
  const { name } = due.spec;
  const txt = hasUnremoved(written, unremoved) ? {} : { txt: null };
  const problem = describeError(error);
  const outcome = await postpone(
    name,
    { orderUrl, problem, also: { error: slowCode, ...txt } },
    ports,
    invocation,
  );
  const pending = { ...claim.pending, unfinished: { orderUrl, since } };
  await giveBack(name, { ...claim, pending }, ports, invocation);
  return outcome;
}

/** Records that a slow order was looked at without a claim. @throws StoreError. */
export async function recordLook(
  name: string,
  orderUrl: string,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<OrderOutcome> {
  const problem = `the CA still works on order ${orderUrl}; the next run looks again`;
  return postpone(name, { orderUrl, problem, also: {} }, ports, invocation);
}

async function postpone(
  name: string,
  {
    orderUrl,
    problem,
    also,
  }: {
    readonly orderUrl: string;
    readonly problem: string;
    readonly also: Parameters<IssuePorts['store']['record']>[1];
  },
  { store, clock, log }: IssuePorts,
  { cleanUpSignal }: IssueInvocation,
): Promise<OrderOutcome> {
  const until = new Date(clock.now().getTime() + slowLookMs);
  log.warn('certificate postponed', { certificate: name, reason: slowCode, problem, until, orderUrl });
  await store.record(name, { nextAttempt: until, ...also }, cleanUpSignal);
  return { outcome: 'waiting', name, message: problem, until, isSlow: true };
}

/** Pauses a certificate whose names the CA has paused: waiting does not help, a person must visit the CA's
 *  page. */
function pauseForCa(error: Error, now: Date): Partial<StateChange> {
  if (!isPauseOfCa(error)) return {};
  const reason = `${pausedByCa}; visit ${error.pausedUrl}, then resume it here`;
  return { pausedSince: now, pauseReason: writePauseReason({ reason }) };
}

/** Whether the CA has paused the names, and said on which page a person ends that. */
export function isPauseOfCa(error: Error): error is AcmeError & { readonly pausedUrl: string } {
  return error instanceof AcmeError && error.pausedUrl !== undefined;
}

/** Whether the attempt failed because the run ended. */
function isOutOfTime(error: Error, { aborted, reason }: AbortSignal): boolean {
  return aborted && (error === reason || error.cause === reason);
}

/** The type of the CA's problem, or else our own code. */
export function reasonOf(error: Error): string {
  if (error instanceof AcmeError && error.problem) return error.problem.type;
  return codeOf(error);
}
