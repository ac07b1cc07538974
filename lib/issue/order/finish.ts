// Finishes an open order: names proved, finalized, downloaded, verified and stored.

import { versionOfOrder } from '../../certificate/stored.ts';
import { AcmeError } from '../../ports/acme.ts';
import { toError } from '../../ports/errors.ts';
import type { DueCertificate } from '../gather/gather.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import type { Attempt, FailedAttempt, OpenAttempt } from './attempt.ts';
import { awaitIssued, finalizeOrder, finalizePresumed, mayStillIssue } from './finalization.ts';
import { requestedNamesOf, verifyIssued, warnAboutIssued } from './issued.ts';
import { proveNames } from './proof.ts';
import { isPatient } from './slow.ts';
import { awaitValidated } from './validation.ts';
import { readValidity } from './validity.ts';

/** Has the names validated, finalizes the order, verifies the certificate and stores it. Its TXT values
 *  must be visible. Never rejects. */
export async function finishAttempt(
  due: DueCertificate,
  attempt: OpenAttempt,
  { keys, store, clock, log }: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<Attempt> {
  const { name, domains } = due.spec;
  const { claim, ca, open, written } = attempt;
  const { pending } = claim;
  const orderUrl = open.order.url;
  let stage: 'before' | 'finalizing' | 'finalized' | 'issued' | 'fetched' = 'before';
  try {
    const { order: ready, isPresumed, proved } = await proveNames(open, { ca, clock }, invocation.signal);
    const csr = await keys.request(pending.key, domains);
    stage = 'finalizing';
    const finalize = isPresumed ? finalizePresumed : finalizeOrder;
    let finalized = await finalize(ready, csr, ca, invocation.signal);
    if (finalized.status === 'pending') {
      stage = 'before';
      const validated = await awaitValidated(open, { ca, clock }, invocation.signal);
      stage = 'finalizing';
      finalized = await finalizeOrder(validated, csr, ca, invocation.signal);
    }
    stage = 'finalized';
    const isSlow = pending.unfinished?.orderUrl === orderUrl && finalized === ready;
    const issued = await awaitIssued(finalized, { isSlow }, { ca, clock }, invocation.signal);
    stage = 'issued';
    const download = await ca.downloadCertificate(issued, invocation.signal);
    stage = 'fetched';
    const bundle = await verifyIssued(download, { due, claim }, { store, clock }, invocation);
    const version = versionOfOrder(orderUrl);
    // In canonical spelling: the same text is stored and delivered.
    const { chain, key, facts } = bundle;
    const { issuer, profile, spec } = pending;
    const requestedNames = requestedNamesOf(bundle);
    const stored = { chain, key, issuer, profile, requestedNames, spec };
    await store.put(name, stored, version, invocation.signal);
    const { notAfter } = facts;
    log.info('certificate issued', { certificate: name, names: domains, orderUrl, version, notAfter });
    warnAboutIssued(bundle, { name, orderUrl, version }, log);
    const authorizations = await readValidity({ ...attempt, proved }, { clock, log }, invocation.signal);
    return { kind: 'issued', claim, written, chain, requestedNames, version, orderUrl, authorizations };
  } catch (cause) {
    const error = toError(cause);
    if (stage === 'issued' && isRefusal(error)) return judgeUnfetched(attempt, error, clock.now());
    const isFinalized = stage !== 'before' && stage !== 'finalizing';
    const mayBeIssued = stage !== 'before' && mayStillIssue(error, isFinalized);
    return { kind: 'failed', claim, orderUrl, written, error, mayBeIssued };
  }
}

/** Whether the CA answers, and does not give what it was asked for. */
function isRefusal(error: Error): error is AcmeError {
  if (!(error instanceof AcmeError)) return false;
  const status = error.problem?.status ?? 0;
  return error.code === 'Malformed' || (status >= 400 && status < 500 && status !== 429);
}

/** The failure of an order whose certificate the CA does not hand out. The order is kept for as long as for
 *  one that the CA takes long for; then it is given up, and the next attempt orders anew. */
function judgeUnfetched({ claim, open, written }: OpenAttempt, error: AcmeError, now: Date): FailedAttempt {
  const orderUrl = open.order.url;
  const { unfetched } = claim.pending;
  const since = unfetched?.orderUrl === orderUrl ? unfetched.since : now;
  const failed = { kind: 'failed', orderUrl, written } as const;
  if (isPatient(since, claim.entry, now)) {
    const pending = { ...claim.pending, unfetched: { orderUrl, since } };
    return { ...failed, claim: { ...claim, pending }, error, mayBeIssued: true };
  }
  const message = `order ${orderUrl} is valid, but since ${since.toISOString()} the CA has not handed out its certificate (${error.message}); the order is given up, and the next attempt makes a new one`;
  const { problem } = error;
  const end = new AcmeError('Invalid', message, { cause: error, problem });
  return { ...failed, claim, error: end, mayBeIssued: false, isGivenUp: true };
}
