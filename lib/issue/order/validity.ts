// Learns from the CA until when it has valid authorizations for all names of an order.

import {
  areAuthorized,
  type OrderToAuthorize,
  summarizeAuthorizations,
} from '../../policy/issuance/valid-authorizations.ts';
import type { Authorization, CertificateAuthority } from '../../ports/acme.ts';
import type { Clock } from '../../ports/clock.ts';
import { describeError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { ValidAuthorizations } from '../../state/orders.ts';
import { readAuthorizations } from './authorizations.ts';
import type { Claim } from './claim.ts';
import type { OpenOrder } from './order.ts';

/** Milliseconds that the CA may take to say it. The certificate is stored by then. */
const readingMs = 10_000;

/** An order that was validated, as it was before that. */
export interface ValidatedOrder {
  readonly open: OpenOrder;
  /** Whether this run made the order. */
  readonly isNew: boolean;
  readonly ca: CertificateAuthority;
  readonly claim: Claim;
  /** One of its authorizations, as the CA showed it once it was proved. Absent if that was not seen. */
  readonly proved?: Authorization | undefined;
}

/** What the CA says of the order's authorizations once they are valid; `undefined` if that is not known, or
 *  is known already. The CA gives all of an order the same time: no request if one was seen after its proof,
 *  and one if none was. One for each name if a new order needed no proof although the CA had not said so
 *  before. Never rejects. */
export async function readValidity(
  validated: ValidatedOrder,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<ValidAuthorizations | undefined> {
  const { ca, open, claim } = validated;
  const { domains, profile } = claim.pending;
  const order: OrderToAuthorize = { accountUrl: ca.accountUrl, profile, domains };
  const inTime = AbortSignal.any([signal, clock.timeout(readingMs)]);
  try {
    const read =
      open.order.status === 'pending'
        ? await readProved(validated, inTime)
        : await readUnknown(validated, order, clock, inTime);
    return summarizeAuthorizations(read, order, clock.now());
  } catch (error) {
    const problem = describeError(error);
    log.debug('authorizations not read', { orderUrl: open.order.url, problem });
    return undefined;
  }
}

/** The authorizations of an order whose names were proved. Those that were valid before are known; of the
 *  others one is enough. */
async function readProved(
  { open: { authorizations, toKeep }, ca, proved }: ValidatedOrder,
  signal: AbortSignal,
): Promise<readonly Authorization[]> {
  // A lasting record is looked at for every order.
  if (toKeep.length > 0) return [];
  const valid = authorizations.filter(({ status }) => status === 'valid');
  const unproved = authorizations.find(({ status }) => status !== 'valid');
  if (!unproved) return valid;
  return [...valid, proved ?? (await ca.readAuthorization(unproved.url, signal))];
}

/** The authorizations of a new order that needed no proof; none if they are known, or an earlier run had the
 *  names proved. */
async function readUnknown(
  { open, isNew, ca, claim }: ValidatedOrder,
  order: OrderToAuthorize,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Authorization[]> {
  if (!isNew || areAuthorized(claim.entry?.state.authorizations, order, clock.now())) return [];
  return readAuthorizations(open.order, { ca, clock }, signal);
}
