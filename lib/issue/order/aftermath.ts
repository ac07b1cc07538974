// What follows from a certificate that has just been stored: it is kept, or would be ordered again at once, which is a failure.

import { type CertificateFacts, certificateId } from '../../certificate/x509.ts';
import { findDueAgain, wasDueAgain } from '../../policy/issuance/issued.ts';
import type { RenewalInfo } from '../../ports/acme.ts';
import { describeError } from '../../ports/errors.ts';
import type { CertificateStore } from '../../ports/store.ts';
import { IssueError } from '../errors.ts';
import type { DueCertificate } from '../gather/gather.ts';
import { askLaterMs, stateOfAnswer } from '../gather/renewal-info.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import type { Claim } from './claim.ts';
import { type OrderRetry, planRetry } from './retry.ts';

/** How a stored certificate stands. */
export interface StoredJudgement {
  /** To be recorded beside what the certificate says of itself. */
  readonly state: Parameters<CertificateStore['record']>[1];
  /** Absent where it is kept. */
  readonly failure?: { readonly error: IssueError; readonly retry: OrderRetry };
}

/** Judges it as a pass would. A CA that wanted the one before renewed as soon as it was asked is asked about this one at once: one
 *  that says the same of each would otherwise be given an order by every pass. Never rejects. */
export async function judgeStored(
  facts: CertificateFacts,
  { due, claim }: { readonly due: DueCertificate; readonly claim: Claim },
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<StoredJudgement> {
  const { desired } = due.situation;
  const window = await fetchWindow(facts, desired.issuer, claim, ports, invocation);
  const now = ports.clock.now();
  const renewalInfo = window
    ? { ...stateOfAnswer(window, now), windowOf: certificateId(facts) ?? null }
    : { askAfter: new Date(now.getTime() + askLaterMs) };
  const dueAgain = findDueAgain(facts, { ...claim.pending, window }, desired, now);
  if (dueAgain === undefined)
    return { state: { ...renewalInfo, failures: null, error: null, nextAttempt: null } };
  const error = new IssueError('DueAgain', `the certificate was stored, but ${dueAgain}`);
  const retry = planRetry(due, claim, invocation.inventory, { now });
  const { failures, until } = retry;
  return {
    state: { ...renewalInfo, failures, error: error.code, nextAttempt: until },
    failure: { error, retry },
  };
}

/** What the CA suggests for the certificate, where there is a reason to ask so soon. */
async function fetchWindow(
  facts: CertificateFacts,
  issuer: string,
  { entry }: Claim,
  { connect, clock, log }: IssuePorts & OrderingPorts,
  { signal }: IssueInvocation,
): Promise<RenewalInfo | undefined> {
  const id = certificateId(facts);
  if (id === undefined || !entry || !wasDueAgain(entry, clock.now())) return undefined;
  try {
    return await (await connect(issuer, signal)).renewalInfo(id, signal);
  } catch (error) {
    log.warn('CA not asked about renewal', { certificate: entry.name, problem: describeError(error) });
    return undefined;
  }
}
