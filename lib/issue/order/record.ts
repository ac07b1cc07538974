// Records how an attempt ended: on the certificate's tags, in the log, and in the report.
import { readCertificate } from '../../certificate/x509.ts';
import { recipientsOf } from '../../policy/delivery/agents.ts';
import { announceIssued } from '../../policy/events/announcement.ts';
import { describeError, toError } from '../../ports/errors.ts';
import { tell } from '../../ports/events.ts';
import { readOwed } from '../../ports/owed-events.ts';
import { stateOf } from '../../state/describe.ts';
import { addOwed } from '../../state/events.ts';
import { IssueError } from '../errors.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import { signDelivery } from '../signing.ts';
import { judgeStored } from './aftermath.ts';
import type { Attempt } from './attempt.ts';
import { endClaim, giveBack } from './claim-end.ts';
import { recordFailure, recordLook } from './failure.ts';
import { type Ended, hasUnremoved, type OrderOutcome } from './outcome.ts';
import { describeRetry } from './retry.ts';

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
      case 'slow':
        return await recordLook(name, attempt.orderUrl, ports, invocation);
      case 'kept': {
        const { claim, decision: judged, written } = attempt;
        const keep = hasUnremoved(written, unremoved);
        if (!keep && written.length > 0)
          await ports.store.record(name, { txt: null }, invocation.cleanUpSignal);
        await endClaim(name, { claim, keep }, ports, invocation);
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
    const error = toError(cause);
    ports.log.error('state not recorded', { certificate: name, problem: describeError(error) });
    const failed = { outcome: 'failed', name, message: describeError(error), error } as const;
    const isStored = attempt.kind === 'issued' || attempt.kind === 'stored';
    // Nothing was recorded: only the claim's deadline keeps the next run from ordering again at once.
    if (!isStored) return { ...failed, until: invocation.deadline };
    await giveBack(name, attempt.claim, ports, invocation);
    return failed;
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
  // Before the record: the next run finds what is stored and not recorded, and tells of it again.
  const told = { certificate: name, arn: claim.entry?.arn, domains: requestedNames ?? facts.names };
  const news = { ...told, version, notAfter, at: ports.clock.now() };
  const isLost = (await tell(announceIssued(news), ports, invocation.cleanUpSignal)) === 'lost';
  const owed = { kind: 'issued', at: news.at, version, notAfter } as const;
  const owedEvents = isLost
    ? { owedEvents: addOwed(await readOwed(name, store, invocation.cleanUpSignal), owed) }
    : {};
  await store.record(name, { ...state, ...owedEvents }, invocation.cleanUpSignal);
  await endClaim(name, { claim, keep: hasTxtValues }, ports, invocation);
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
