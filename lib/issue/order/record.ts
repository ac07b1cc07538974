// Records how an attempt ended: on the certificate's tags, in the log, and in the report.
import { readCertificate } from '../../certificate/x509.ts';
import { recipientsOf } from '../../policy/delivery/agents.ts';
import { longestBackoffMs, mayHaveRetryAfter } from '../../policy/issuance/time-bounds.ts';
import { AcmeError } from '../../ports/acme.ts';
import type { TxtValue } from '../../ports/dns.ts';
import { describeError, toError } from '../../ports/errors.ts';
import { stateOf } from '../../state/describe.ts';
import { IssueError } from '../errors.ts';
import type { DueCertificate } from '../gather/gather.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import { signDelivery } from '../signing.ts';
import { judgeStored } from './aftermath.ts';
import type { Attempt, FailedAttempt } from './attempt.ts';
import { pausedByCa, reasonOf } from './failure.ts';
import { describeRetry, planRetry } from './retry.ts';

/** How the order of one certificate ended. */
export type OrderOutcome = {
  readonly name: string;
  readonly message: string;
  /** What a person should know although the order went on. */
  readonly warnings?: readonly string[];
} & (
  | {
      readonly outcome: 'issued';
      readonly version: string;
      readonly notAfter: Date;
      readonly orderUrl: string;
    }
  /** It needed no order any more. */
  | { readonly outcome: 'kept' }
  /** A later run goes on, not before `until` if that is known. */
  | { readonly outcome: 'waiting'; readonly until?: Date }
  /** `version`: present if a certificate was stored all the same. */
  | { readonly outcome: 'failed'; readonly until?: Date; readonly error: Error; readonly version?: string }
);

/** An attempt that has ended. */
interface Ended<Kind extends Attempt = Attempt> {
  readonly due: DueCertificate;
  readonly attempt: Kind;
  /** Names of records whose TXT values could not be removed, with why. */
  readonly unremoved: ReadonlyMap<string, Error>;
}

/** Ends one attempt: writes the certificate's tags, releases its AWSPENDING claim, logs one line and
 *  returns its outcome. The claim stays if TXT values could not be removed: the next run removes them.
 *  Never rejects. */
export async function recordAttempt(
  { due, attempt, unremoved }: Ended,
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<OrderOutcome> {
  const { name } = due.spec;
  try {
    switch (attempt.kind) {
      case 'claimedByOther':
        return { outcome: 'waiting', name, message: 'another run is ordering it' };
      case 'kept': {
        const { claim, decision: judged, written } = attempt;
        if (!hasUnremoved(written, unremoved)) {
          if (written.length > 0) await ports.store.record(name, { txt: null }, invocation.cleanUpSignal);
          await ports.store.release(name, claim.version, invocation.cleanUpSignal);
        }
        const { decision, message } = judged;
        return { outcome: decision === 'keep' ? 'kept' : 'waiting', name, message };
      }
      case 'stored': {
        const current = await ports.store.read(name, 'AWSCURRENT', invocation.cleanUpSignal);
        if (current?.value.kind !== 'certificate') {
          throw new IssueError(
            'Failed',
            `the certificate ${name} was issued, but its AWS secret has another value now`,
          );
        }
        const { chain, requestedNames } = current.value.certificate;
        const stored = { ...attempt, chain, requestedNames, version: current.version };
        const { failed } = await recordStored({ due, attempt: stored, unremoved }, ports, invocation);
        if (failed) return failed;
        return { outcome: 'kept', name, message: 'an earlier run had issued it; its state is recorded now' };
      }
      case 'issued': {
        const { notAfter, failed } = await recordStored({ due, attempt, unremoved }, ports, invocation);
        if (failed) return failed;
        const { version, orderUrl } = attempt;
        return {
          outcome: 'issued',
          name,
          message: `valid until ${notAfter.toISOString()}`,
          version,
          notAfter,
          orderUrl,
        };
      }
      case 'failed':
        return await recordFailure({ due, attempt, unremoved }, ports, invocation);
      case 'open':
        throw new IssueError('Failed', `the order of ${name} was left open`);
    }
  } catch (cause) {
    // The certificate is stored by now, or its order is on the tag: the next run goes on from there.
    const error = toError(cause);
    ports.log.error('state not recorded', { certificate: name, problem: describeError(error) });
    return { outcome: 'failed', name, message: describeError(error), error };
  }
}

/** What was stored, by this run or by the one before. */
type StoredAttempt = Omit<Extract<Attempt, { kind: 'issued' }>, 'kind' | 'orderUrl' | 'authorizations'> &
  Partial<Pick<Extract<Attempt, { kind: 'issued' }>, 'authorizations'>>;

/** Records the state of a stored certificate and ends the claim, unless another run must remove TXT
 *  values. A certificate that would be ordered again at once is a failure, and backs off. */
async function recordStored(
  {
    due,
    attempt: { claim, chain, requestedNames, version, written, authorizations },
    unremoved,
  }: Omit<Ended, 'attempt'> & { readonly attempt: StoredAttempt },
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<{ readonly notAfter: Date; readonly failed?: OrderOutcome }> {
  const { store } = ports;
  const { name } = due.spec;
  const facts = readCertificate(chain);
  const { fingerprint, notBefore, notAfter } = facts;
  const signed = await signDelivery(
    {
      certificate: name,
      version,
      fingerprint,
      notBefore,
      notAfter,
      // The stored value contains the specification of the claim.
      recipients: recipientsOf(claim.pending.spec ?? due.spec, invocation.inventory),
      signatures: claim.entry?.state.signatures,
    },
    ports,
    invocation,
  );
  const { state: judged, failure } = await judgeStored(facts, { due, claim }, ports, invocation);
  const hasTxtValues = hasUnremoved(written, unremoved);
  const over = hasTxtValues ? {} : { order: null, orderFor: null, txt: null };
  const state = {
    ...stateOf(version, facts, { ...claim.pending, requestedNames }),
    ...judged,
    ...over,
    ...signed,
    authorizations,
  };
  await store.record(name, state, invocation.cleanUpSignal);
  if (!hasTxtValues) await store.release(name, claim.version, invocation.cleanUpSignal);
  if (!failure) return { notAfter };
  const { error, retry } = failure;
  const message = describeRetry(describeError(error), retry);
  const { failures, until, nextIssuer } = retry;
  const { code: reason, message: problem } = error;
  ports.log.warn('certificate failed', {
    certificate: name,
    reason,
    problem,
    failures,
    until,
    version,
    nextIssuer,
  });
  return { notAfter, failed: { outcome: 'failed', name, message, until, error, version } };
}

async function recordFailure(
  { due, attempt, unremoved }: Ended<FailedAttempt>,
  { store, clock, log }: IssuePorts,
  invocation: IssueInvocation,
): Promise<OrderOutcome> {
  const { claim, orderUrl, written, error, mayBeIssued } = attempt;
  const { name, domains: names } = due.spec;
  if (isOutOfTime(error, invocation.signal)) {
    log.warn('certificate postponed', { certificate: name, reason: 'Deadline', orderUrl });
    return {
      outcome: 'waiting',
      name,
      message: 'time ran out; the next run goes on from here',
      until: invocation.deadline,
    };
  }
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
  const { failures, until, nextIssuer } = retry;
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
    ...pausedByCa(error, clock.now()),
  };
  await store.record(name, state, invocation.cleanUpSignal);
  if (!keepsClaim) await store.release(name, claim.version, invocation.cleanUpSignal);
  return { outcome: 'failed', name, message, until, error };
}

function hasUnremoved(written: readonly TxtValue[], unremoved: ReadonlyMap<string, Error>): boolean {
  return written.some((value) => unremoved.has(value.name));
}

/** Whether the attempt failed because the run ended. */
function isOutOfTime(error: Error, { aborted, reason }: AbortSignal): boolean {
  return aborted && (error === reason || error.cause === reason);
}
