// From a validated order to its certificate: finalize, poll, download (RFC 8555 §7.4).

import { AcmeError, type CertificateAuthority, type Order } from '../../ports/acme.ts';
import { IssueError } from '../errors.ts';
import { explainFailure, type OrderPorts } from './authorizations.ts';
import { followOrder } from './follow.ts';

/** Polls a finalized order until its certificate is there to download, and returns it. A CA may answer with
 *  the order as it was before: `ready`, or `valid` without certificate. `isSlow`: whether an earlier run
 *  has polled it in vain: then it is not polled again.
 *  @throws AcmeError `Invalid` if the order ended invalid or has expired, IssueError `Unfinished` after 10
 *  minutes. */
export async function awaitIssued(
  finalized: Order,
  { isSlow }: { readonly isSlow: boolean },
  { ca, clock }: OrderPorts,
  signal: AbortSignal,
): Promise<Order> {
  const pollMs = isSlow ? 0 : undefined;
  const order = await followOrder(finalized, { isDone: isOver, pollMs }, { ca, clock }, signal).catch(
    (error: unknown) => {
      const isUnfinished = error instanceof IssueError && error.code === 'Unfinished';
      if (!isUnfinished || !finalized.expires || finalized.expires > clock.now()) throw error;
      const message = `order ${finalized.url} has expired before the CA issued its certificate`;
      throw new AcmeError('Invalid', message, { cause: error });
    },
  );
  if (order.status === 'invalid') throw await explainFailure(order, { ca, clock }, signal);
  return order;
}

function isOver({ status, certificate }: Order): boolean {
  return status === 'invalid' || (status === 'valid' && certificate !== undefined);
}

/** Finalizes the order if that is still to do. If the CA's answer leaves it open whether it did, the order
 *  itself is read. `csr` is PKCS#10 PEM. @throws AcmeError. */
export async function finalizeOrder(
  order: Order,
  csr: string,
  ca: CertificateAuthority,
  signal: AbortSignal,
): Promise<Order> {
  if (order.status !== 'ready') return order;
  try {
    return await ca.finalize(order, csr, signal);
  } catch (error) {
    if (isWithdrawn(error)) throw explainProfile(order, error);
    const furtherAlready = error instanceof AcmeError && error.problem?.type === 'orderNotReady';
    if (!furtherAlready && !isUnsure(error)) throw error;
    const now = await readAfterDoubt(order, ca, signal);
    if (now.status === 'ready' || now.status === 'pending') throw error;
    return now;
  }
}

/** Finalizes an order of which only an authorization says that it is ready. Returns it as it is if the CA
 *  calls it pending: then nothing was finalized. @throws AcmeError. */
export async function finalizePresumed(
  order: Order,
  csr: string,
  ca: CertificateAuthority,
  signal: AbortSignal,
): Promise<Order> {
  try {
    return await ca.finalize(order, csr, signal);
  } catch (error) {
    if (!(error instanceof AcmeError) || error.problem?.type === 'rateLimited') throw error;
    const now = await readAfterDoubt(order, ca, signal);
    if (now.status !== 'ready') return now;
    // It has become ready since.
    if (error.problem?.type === 'orderNotReady') return finalizeOrder(now, csr, ca, signal);
    throw isWithdrawn(error) ? explainProfile(order, error) : error;
  }
}

/** The order, after an answer that leaves open whether the CA has finalized it. @throws AcmeError. */
async function readAfterDoubt({ url }: Order, ca: CertificateAuthority, signal: AbortSignal): Promise<Order> {
  return ca.readOrder(url, signal).catch((cause: unknown) => {
    if (signal.aborted) throw cause;
    const retryAfterMs = cause instanceof AcmeError ? cause.retryAfterMs : undefined;
    const message = `the CA does not say whether it has finalized order ${url}`;
    throw new AcmeError('Unreachable', message, { cause, retryAfterMs });
  });
}

function isWithdrawn(error: unknown): error is AcmeError {
  return error instanceof AcmeError && error.problem?.type === 'invalidProfile';
}

/** The CA offers the profile no more (draft-ietf-acme-profiles §4): the order is over, and the next attempt
 *  asks the directory for its profiles. */
function explainProfile({ url, profile }: Order, error: AcmeError): AcmeError {
  const { problem } = error;
  const which = profile === undefined ? 'its profile' : `the profile "${profile}"`;
  return new AcmeError(
    'Invalid',
    `order ${url} cannot be finalized, because the CA has withdrawn ${which}: ${problem?.detail ?? ''}; write another "profile" at the issuer`,
    { cause: error, problem },
  );
}

/** Whether the CA may still issue, or has issued, for an order although finalizing it or what came after has
 *  failed. Once it is finalized, only an order that ended invalid and a useless certificate rule that out. */
export function mayStillIssue(error: Error, isFinalized: boolean): boolean {
  if (error instanceof IssueError && error.code === 'BadCertificate') return false;
  if (!isFinalized) return isUnsure(error);
  return !(error instanceof AcmeError && error.code === 'Invalid');
}

/** Whether the CA may have carried out a request that failed: it gave no answer, one without sense, or a
 *  5xx. */
function isUnsure(error: unknown): boolean {
  if (!(error instanceof AcmeError)) return true;
  if (error.code === 'Problem') return (error.problem?.status ?? 0) >= 500;
  return error.code !== 'Invalid' && error.code !== 'Unsupported';
}
