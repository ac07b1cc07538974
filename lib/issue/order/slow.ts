// Orders that a CA takes long for: how long that is no failure, and when a hiccup does not end them.
import type { CertificateSpec } from '../../certificate/spec.ts';
import { actualByTags } from '../../policy/issuance/actual.ts';
import { defaultAttempts } from '../../policy/issuance/issuer-choice.ts';
import { AcmeError, type Order } from '../../ports/acme.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreEntry } from '../../ports/store.ts';
import type { DueCertificate } from '../gather/gather.ts';
import type { OrderingPorts } from '../invocation.ts';
import { asksForTheSame, type Claim } from './claim.ts';

/** How long a CA may work on an order before that counts as a failure, in milliseconds. */
const patienceMs = 24 * 3_600_000;

/** Whether an order that is unfinished since `since` is no failure yet: for a day, but no longer than half of
 *  the time that the certificate in use had left. */
export function isPatient(since: Date, entry: StoreEntry | undefined, now: Date): boolean {
  const inUse = entry && actualByTags(entry);
  const leftMs = inUse?.kind === 'certificate' ? inUse.notAfter.getTime() - since.getTime() : Infinity;
  return now.getTime() - since.getTime() < Math.min(patienceMs, leftMs / 2);
}

/** Whether the claim's order outlives an error that kept this run from reading it: the CA may have issued for
 *  the claim's key, even if TXT values are still there, because the run that wrote them may have ended after
 *  it finalized. It ends with an order that is over. Unless the CA is known to work on it, it also ends after
 *  so many failures that another issuer is tried, if the certificate has one. */
export function keepsOrder(
  claim: Claim,
  { fallbackIssuers = [] }: Pick<CertificateSpec, 'fallbackIssuers'>,
  error: Error,
  now: Date,
): boolean {
  const { inheritedKey, entry, pending } = claim;
  const order = entry?.state.order;
  if (!inheritedKey || order === undefined) return false;
  if (error instanceof AcmeError && error.code === 'Invalid') return false;
  const { unfinished } = pending;
  if (unfinished?.orderUrl === order && isPatient(unfinished.since, entry, now)) return true;
  return fallbackIssuers.length === 0 || (entry?.state.failures ?? 0) < defaultAttempts;
}

/** A slow order, as it was read before the certificate is claimed. */
export interface EarlyLook {
  readonly orderUrl: string;
  /** Whether the CA still works on it, so that there is nothing to claim the certificate for. */
  readonly isWorking: boolean;
  /** What the CA answered, for whoever goes on. */
  readonly answer: Promise<Order>;
}

/** Reads the order that the CA takes long for, without a claim, because a claim writes a version of the AWS
 *  secret. `undefined` if there is none, something else is asked for now, a person forces it, TXT values are
 *  left to remove, or patience is over. Never rejects. */
export async function lookEarly(
  { spec, entry, pendingOrder, situation }: DueCertificate,
  { connect, clock }: Pick<OrderingPorts, 'connect'> & { readonly clock: Clock },
  signal: AbortSignal,
): Promise<EarlyLook | undefined> {
  const { unfinished } = pendingOrder ?? {};
  if (!pendingOrder || !unfinished || !entry || situation.forced) return undefined;
  const { order, orderFor, txt } = entry.state;
  const { issuer, directory, profile } = situation.desired;
  const isOwn = order === unfinished.orderUrl && orderFor?.directory === directory && txt === undefined;
  if (!isOwn || !asksForTheSame(pendingOrder, spec, { directory, profile })) return undefined;
  if (!isPatient(unfinished.since, entry, clock.now())) return undefined;
  const answer = connect(issuer, signal).then((ca) => ca.readOrder(order, signal));
  const seen = await answer.catch(() => undefined);
  const isOver = seen?.expires !== undefined && seen.expires <= clock.now();
  const isIncomplete = seen?.status === 'valid' && seen.certificate === undefined;
  return { orderUrl: order, isWorking: !isOver && (seen?.status === 'processing' || isIncomplete), answer };
}
