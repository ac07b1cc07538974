// One ACME order (RFC 8555 §7.4): found again or new, with what its challenges need.

import { sameNames, withoutWildcard } from '../../certificate/names.ts';
import { AcmeError, type Authorization, type Order } from '../../ports/acme.ts';
import type { TxtValue } from '../../ports/dns.ts';
import { describeError } from '../../ports/errors.ts';
import {
  explainFailure,
  type OrderedNames,
  type OrderPorts,
  readChallenges,
  requireOnePerName,
} from './authorizations.ts';

/** An order with what its challenges need. */
export interface OpenOrder {
  readonly order: Order;
  readonly authorizations: readonly Authorization[];
  /** TXT values that must be visible before the challenges are answered. */
  readonly toPresent: readonly TxtValue[];
  /** TXT values that must be visible too, and that stay for later orders (dns-persist-01). */
  readonly toKeep: readonly TxtValue[];
  /** Why names are proved by dns-01 although the issuer's challenge is dns-persist-01. */
  readonly fallbackReason?: string | undefined;
}

/** What the order of an earlier run is for. */
export interface FormerOrder extends OrderedNames {
  /** Whether the run has the key of the order, and asks for the same names. */
  readonly isOwn: boolean;
  /** The order that an earlier run polled in vain after it was finalized. */
  readonly unfinished?: { readonly orderUrl: string } | undefined;
  /** What the CA has just answered about it. Absent: the order is read. */
  readonly early?: { readonly orderUrl: string; readonly answer: Promise<Order> } | undefined;
}

/** Reads the order of an earlier run. `useless`: why it cannot be used, for example because the CA no
 *  longer knows it, or it is for other names. @throws AcmeError if the CA does not answer; `Invalid` if the
 *  CA took long for the order, and it is over now. */
export async function findOrder(
  url: string,
  ordered: FormerOrder,
  ports: OrderPorts,
  signal: AbortSignal,
): Promise<OpenOrder | { readonly useless: string }> {
  const isSlow = ordered.unfinished?.orderUrl === url;
  try {
    const { early } = ordered;
    const order = await (early?.orderUrl === url ? early.answer : ports.ca.readOrder(url, signal));
    if (order.names && !fits(order, order.names, ordered)) return { useless: 'it is for other names' };
    if (order.status === 'invalid' && isSlow) throw await explainFailure(order, ports, signal);
    if (order.status === 'invalid') return { useless: 'it is invalid' };
    // After validation nothing is to be proved. Only an order that does not repeat its names needs its
    // authorizations read.
    const isValidated = order.status !== 'pending' && order.names !== undefined;
    const open = isValidated
      ? withoutChallenges(order, ordered)
      : { order, ...(await readChallenges(order, ordered, ports, signal)) };
    return coversNames(open, ordered) ? open : { useless: 'it is for other names' };
  } catch (error) {
    if (isSlow) throw explainGone(url, error);
    if (isGone(error)) return { useless: describeError(error) };
    throw error;
  }
}

/** The error itself, unless it says that the CA no longer knows the order, which it took long for. */
function explainGone(url: string, error: unknown): unknown {
  const problem = error instanceof AcmeError ? error.problem : undefined;
  const isUnknown =
    problem?.status === 404 || problem?.status === 410 || problem?.type === 'accountDoesNotExist';
  if (!isUnknown) return error;
  const message = `order ${url}, which the CA took long for, is gone`;
  return new AcmeError('Invalid', message, { cause: error, problem });
}

/** Whether the order is of no use: the CA does not know it, or one of its authorizations is over. Orders
 *  expire, belong to one account, and a tag may contain any URL. */
function isGone(error: unknown): boolean {
  if (!(error instanceof AcmeError)) return false;
  const status = error.problem?.status ?? 0;
  if (error.code === 'Invalid' || error.code === 'Malformed') return true;
  return status >= 400 && status < 500 && status !== 429;
}

/** Reads what a new order needs proved. An order that is ready already needs nothing: the CA has valid
 *  authorizations. @throws AcmeError `Malformed` if the CA wants names proved that were not ordered,
 *  `Invalid` if one of them cannot be proved any more, `Unreachable` if it takes too long. */
export async function openNewOrder(
  order: Order,
  ordered: OrderedNames,
  ports: OrderPorts,
  signal: AbortSignal,
): Promise<OpenOrder> {
  if (order.status !== 'pending') return withoutChallenges(order, ordered);
  return { order, ...(await readChallenges(order, ordered, ports, signal)) };
}

function withoutChallenges(order: Order, ordered: OrderedNames): OpenOrder {
  requireOnePerName(order, ordered);
  return { order, authorizations: [], toPresent: [], toKeep: [] };
}

/** Whether an order that shows these names is the former one. Once it is validated, the CA may have added
 *  names. */
function fits({ status }: Order, names: readonly string[], { domains, isOwn }: FormerOrder): boolean {
  if (sameNames(names, domains)) return true;
  return isOwn && status !== 'pending' && domains.every((domain) => names.includes(domain));
}

/** Whether the order is for the names, by itself or by its authorizations (wildcards without their `*.`). An
 *  own order that is validated need not say: the certificate is compared with the names. */
function coversNames({ order, authorizations }: OpenOrder, ordered: FormerOrder): boolean {
  if (order.names) return fits(order, order.names, ordered);
  const { domains, isOwn } = ordered;
  if (isOwn && order.status !== 'pending' && authorizations.length === 0) return true;
  const bare = (names: readonly string[]) => [...new Set(names.map(withoutWildcard))];
  return sameNames(bare(authorizations.map(({ name }) => name)), bare(domains));
}
