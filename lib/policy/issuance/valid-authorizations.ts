// Tells, by what the CA said last of its authorizations, whether an order needs its names proved again.
import { hash } from 'node:crypto';
import type { ValidAuthorizations } from '../../state/orders.ts';
import { isPossibleValidity, longestAuthorizationMs } from './time-bounds.ts';

/** The order in question. Authorizations belong to one account, and serve the profile that they were made
 *  under. */
export interface OrderToAuthorize {
  /** URL of the account that orders. Absent if it is not known: then its authorizations are not known
   *  either. */
  readonly accountUrl?: string | undefined;
  /** Absent if the CA chooses. */
  readonly profile?: string | undefined;
  readonly domains: readonly string[];
}

/** What a CA says of one authorization. */
export interface ReadAuthorization {
  readonly status: string;
  /** When it ends (RFC 8555 §7.1.4). Absent if the CA does not say. */
  readonly expires?: Date | undefined;
  readonly challenges: readonly { readonly type: string; readonly status: string }[];
}

/** A CA reuses no authorization whose end is near: Boulder none with less than an eighth of an order's
 *  lifetime left, which is 21 hours of 7 days and 1 hour of 8 hours. How long an authorization has lasted is
 *  not known, only what was left of it when the CA was asked: with more than 7 hours it is a long one. */
const longestShortMs = 7 * 3_600_000;
const shortNearMs = 3_600_000;
const longNearMs = 21 * 3_600_000;
/** CAs look at DNS for each order of a name that was proved so (Baseline Requirements §3.2.2.4.22). */
const neverReused = 'dns-persist-01';
/** Challenge types that a tag has room for: how many, and of which form. */
const mostMethods = 4;
const methodForm = /^[a-z0-9-]{1,30}$/;

/** Whether the CA has valid authorizations for all names of the order, so that it asks for no proof. False
 *  if nothing is known, or what is known is of another account, profile or set of names. */
export function areAuthorized(
  known: ValidAuthorizations | undefined,
  order: OrderToAuthorize,
  now: Date,
): boolean {
  if (!known || known.subject !== subjectOf(order) || known.profile !== order.profile) return false;
  if (known.methods.includes(neverReused) || !isPossibleValidity(known, now)) return false;
  return now < reusedUntil(known);
}

/** Until when a CA reuses an authorization that it has called valid, as far as the end of it and the time
 *  when the CA said so tell. Never for one that it does not reuse. */
export function reusedUntil({
  expires,
  readAt,
  methods = [],
}: Pick<ValidAuthorizations, 'expires' | 'readAt'> & Partial<Pick<ValidAuthorizations, 'methods'>>): Date {
  if (methods.includes(neverReused)) return readAt;
  const leftMs = expires.getTime() - readAt.getTime();
  return new Date(expires.getTime() - (leftMs > longestShortMs ? longNearMs : shortNearMs));
}

/** What to remember of an order's authorizations, of which the CA has just said this. `undefined` if it says
 *  nothing that a later order can go by: one is not valid, or without an end, or never serves again. */
export function summarizeAuthorizations(
  authorizations: readonly ReadAuthorization[],
  order: OrderToAuthorize,
  now: Date,
): ValidAuthorizations | undefined {
  const subject = subjectOf(order);
  const ends = authorizations.map(({ status, expires }) =>
    status === 'valid' && expires ? expires.getTime() : Number.NaN,
  );
  const earliest = Math.min(...ends, now.getTime() + longestAuthorizationMs);
  const methods = [...new Set(authorizations.flatMap(methodsOf))];
  if (ends.length === 0 || subject === undefined || !(earliest > now.getTime())) return undefined;
  if (methods.includes(neverReused)) return undefined;
  const { profile } = order;
  const kept = methods.filter((type) => methodForm.test(type)).toSorted();
  return {
    expires: new Date(earliest),
    readAt: now,
    methods: kept.slice(0, mostMethods),
    subject,
    ...(profile && { profile }),
  };
}

/** A CA that checks its customers elsewhere names no challenge. */
function methodsOf({ challenges }: ReadAuthorization): readonly string[] {
  return challenges.flatMap(({ type, status }) => (status === 'valid' ? [type] : []));
}

function subjectOf({ accountUrl, domains }: OrderToAuthorize): string | undefined {
  if (accountUrl === undefined) return undefined;
  return hash('sha256', [accountUrl, ...new Set(domains.toSorted())].join('\n'));
}
