// What a CA wants proved for an order: read in bounded time, compared with the ordered names, and turned into
// TXT values.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { maxNames } from '../../certificate/names.ts';
import { findUnrequested } from '../../policy/issuance/authorizations.ts';
import { countOf } from '../../policy/words.ts';
import {
  AcmeError,
  type Authorization,
  type CertificateAuthority,
  type Order,
  type Proof,
} from '../../ports/acme.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TxtValue } from '../../ports/dns.ts';
import { describeRefusals, isOver } from './refusals.ts';

/** Authorizations of one order read at once. */
const concurrency = 8;
/** Milliseconds that a CA may take for all authorizations of one order. */
const readingMs = 60_000;

/** The names of an order. */
export interface OrderedNames {
  readonly domains: readonly string[];
}

/** The CA that has an order, and the time. */
export interface OrderPorts {
  readonly ca: CertificateAuthority;
  readonly clock: Clock;
}

/** Checks that an order has at most one authorization for each name (RFC 8555 §7.1.3). @throws AcmeError
 *  `Malformed`. */
export function requireOnePerName({ url, authorizations }: Order, { domains }: OrderedNames): void {
  if (authorizations.length <= domains.length) return;
  throw new AcmeError(
    'Malformed',
    `the CA wants ${countOf(authorizations.length, 'authorization')} for ${countOf(domains.length, 'name')}; nothing is proved to it (order ${url})`,
  );
}

/** Reads what the CA wants proved, and the TXT values that prove it. @throws AcmeError `Malformed` if the
 *  CA wants names proved that were not ordered, `Invalid` if one cannot be proved any more, `Unsupported` if
 *  DNS cannot prove one, `Unreachable` if it takes too long. */
export async function readChallenges(
  order: Order,
  ordered: OrderedNames,
  ports: OrderPorts,
  signal: AbortSignal,
) {
  requireOnePerName(order, ordered);
  const { ca } = ports;
  const authorizations = await readAuthorizations(order, ports, signal);
  const unrequested = findUnrequested(authorizations, ordered.domains);
  if (unrequested !== undefined)
    throw new AcmeError('Malformed', `the CA ${unrequested}; nothing is proved to it (order ${order.url})`);
  if (order.status === 'pending' && authorizations.some(isOver))
    throw describeRefusals(order, authorizations);
  const pending =
    order.status === 'pending' ? authorizations.filter(({ status }) => status === 'pending') : [];
  const proofs = pending.map((authorization) => {
    const proof = ca.proofOf(authorization);
    if (proof) return proof;
    const offered =
      authorization.challenges
        .map(({ type }) => type)
        .join(', ')
        .slice(0, 200) || 'none';
    throw new AcmeError(
      'Unsupported',
      `the CA offers no challenge by DNS for ${authorization.name} (only ${offered})`,
    );
  });
  const toPresent = proofs.filter(({ isLasting }) => !isLasting).flatMap(toValues);
  const toKeep = proofs.filter(({ isLasting }) => isLasting).flatMap(toValues);
  const [fallbackReason] = proofs.flatMap((proof) => proof.fallbackReason ?? []);
  return { authorizations, toPresent, toKeep, fallbackReason };
}

/** Reads all authorizations of an order. @throws AcmeError `Unreachable` after 60 s. */
export async function readAuthorizations(
  { url, authorizations }: Order,
  { ca, clock }: OrderPorts,
  signal: AbortSignal,
): Promise<readonly Authorization[]> {
  const inTime = clock.timeout(readingMs);
  const both = AbortSignal.any([signal, inTime]);
  try {
    return await mapConcurrently(authorizations, concurrency, (one) => ca.readAuthorization(one, both));
  } catch (error) {
    if (signal.aborted || !inTime.aborted) throw error;
    const message = `the CA took more than ${readingMs / 1000} s to say what it wants proved (order ${url})`;
    throw new AcmeError('Unreachable', message, { cause: error });
  }
}

/** Why an order ended invalid, in the CA's words: by its authorizations' challenges, or else by the order
 *  itself. */
export async function explainFailure(
  order: Order,
  ports: OrderPorts,
  signal: AbortSignal,
): Promise<AcmeError> {
  const few = { ...order, authorizations: order.authorizations.slice(0, maxNames) };
  const authorizations = await readAuthorizations(few, ports, signal).catch((error: unknown) => {
    if (error instanceof AcmeError && error.code === 'Malformed') return [];
    throw error;
  });
  return describeRefusals(order, authorizations);
}

function toValues({ name, value, olderValue, isMetBy }: Proof): readonly TxtValue[] {
  return [value, olderValue].flatMap((text) =>
    text === undefined ? [] : { name, value: text, ...(isMetBy && { isMetBy }) },
  );
}
