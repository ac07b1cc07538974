// Judges a certificate that has just been stored: kept, or ordered again at once, which is a failure.

import { type CertificateFacts, certificateId } from '../../certificate/x509.ts';
import { findDueAgain, wasDueAgain } from '../../policy/issuance/issued.ts';
import type { RenewalInfo } from '../../ports/acme.ts';
import { describeError } from '../../ports/errors.ts';
import type { CertificateStore, StoreEntry } from '../../ports/store.ts';
import { IssueError } from '../errors.ts';
import type { DueCertificate } from '../gather/gather.ts';
import { askLaterMs, stateOfAnswer } from '../gather/renewal-info.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import type { Claim } from './claim.ts';
import { type OrderRetry, planRetry } from './retry.ts';

/** The judgement of a stored certificate. */
export interface StoredJudgement {
  /** State to record beside the facts of the certificate. */
  readonly state: Parameters<CertificateStore['record']>[1];
  /** Absent if the certificate is kept. */
  readonly failure?: { readonly error: IssueError; readonly retry: OrderRetry };
}

/** Judges a stored certificate as a pass would. If the CA wanted the certificate before renewed at once,
 *  it is asked about this one now: a CA that says the same of every certificate would otherwise get an
 *  order from every pass. Never rejects. */
export async function judgeStored(
  facts: CertificateFacts,
  { due, claim }: { readonly due: DueCertificate; readonly claim: Claim },
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<StoredJudgement> {
  const { desired } = due.situation;
  const window = await fetchWindow({ facts, issuer: desired.issuer, entry: claim.entry }, ports, invocation);
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

/** The CA's renewal window for the certificate. `undefined` if there is no reason to ask so soon, or no
 *  answer. */
async function fetchWindow(
  {
    facts,
    issuer,
    entry,
  }: { readonly facts: CertificateFacts; readonly issuer: string; readonly entry: StoreEntry | undefined },
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
