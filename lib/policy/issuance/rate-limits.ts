// Counts the CA's rate limits before the CA does: token buckets, filled from the times of past orders.
import type { CertificateState } from '../../state/state.ts';
import type { OrderLimits } from './published-limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** The past orders of a certificate, by its tags. */
export interface OrderHistory {
  /** Directory URL of the orders. */
  readonly directory: string;
  /** Registered domains of its names. */
  readonly registeredDomains: readonly string[];
  /** `namesKey` of its names. */
  readonly names: string;
  readonly orders: readonly Date[];
}

/** The past orders of one certificate, by its tags. Those that a tag dates in the future do not count: they
 *  would hold others back forever. */
export function historyOf(
  { name, state }: { readonly name: string; readonly state: Pick<CertificateState, 'names' | 'orders'> },
  now: Date,
): readonly OrderHistory[] {
  const log = state.orders;
  if (!log) return [];
  const { directory, registeredDomains, times } = log;
  return [
    { directory, registeredDomains, names: state.names ?? name, orders: times.filter((time) => time <= now) },
  ];
}

/** An order that is due now. */
export interface OrderRequest {
  readonly name: string;
  readonly directory: string;
  readonly registeredDomains: readonly string[];
  readonly names: string;
  /** Whether it replaces a certificate inside its ARI window: exempt from every limit. */
  readonly replaces: boolean;
  /** Whether the exact set was issued in the last 120 days: exempt from the limits of account and
   *  registered domain. */
  readonly renewal: boolean;
  /** Whether it may spend the reserve: the certificate is in the last quarter of its life, or missing and
   *  asked for by the operator. */
  readonly urgent: boolean;
}

/** How long a request must wait, and for which limit. */
export interface Shortage {
  readonly until: Date;
  /** A sentence that names the limit. */
  readonly message: string;
}

/** A bucket that an order takes a token of. */
export interface NeededBucket {
  /** Names the bucket among all. */
  readonly key: string;
  readonly bucket: TokenBucket;
  /** What is limited, for a sentence: `new orders`. */
  readonly what: string;
}

/** The buckets of all directories, filled from the times of past orders. */
export class Budgets {
  readonly #limitsOf: (directory: string) => OrderLimits | undefined;
  readonly #now: Date;
  readonly #spent = new Map<string, Date[]>();
  readonly #buckets = new Map<string, TokenBucket>();

  /** @param limitsOf The limits of a directory; without limits nothing waits. */
  constructor(
    history: readonly OrderHistory[],
    limitsOf: (directory: string) => OrderLimits | undefined,
    now: Date,
  ) {
    this.#limitsOf = limitsOf;
    this.#now = now;
    for (const past of history) {
      for (const key of bucketKeys(past)) {
        const times = this.#spent.get(key);
        if (times) times.push(...past.orders);
        else this.#spent.set(key, [...past.orders]);
      }
    }
  }

  /** The buckets that an order takes a token of. Empty: no limit counts it. */
  neededBy(request: Omit<OrderRequest, 'name' | 'urgent'>): readonly NeededBucket[] {
    const limits = this.#limitsOf(request.directory);
    if (!limits || request.replaces) return [];
    return limitsOn(request, limits).map(({ key, limit, what }) => {
      const bucket = this.#buckets.get(key) ?? new TokenBucket(limit, this.#spent.get(key) ?? [], this.#now);
      this.#buckets.set(key, bucket);
      return { key, bucket, what };
    });
  }
}

/** The requests that must wait, by name. Spends in the sequence of the requests, the most urgent first.
 *  `limitsOf`: the limits of a directory; without limits nothing waits. */
export function allocateBudgets(
  requests: readonly OrderRequest[],
  history: readonly OrderHistory[],
  limitsOf: (directory: string) => OrderLimits | undefined,
  now: Date,
): ReadonlyMap<string, Shortage> {
  const budgets = new Budgets(history, limitsOf, now);
  const shortages = new Map<string, Shortage>();
  for (const request of requests) {
    const needed = budgets.neededBy(request);
    const short = needed
      .map(({ bucket, what }) => ({ what, waitMs: bucket.waitMs(request.urgent) }))
      .toSorted((a, b) => b.waitMs - a.waitMs)[0];
    if (short && short.waitMs > 0) {
      const until = new Date(now.getTime() + short.waitMs);
      shortages.set(request.name, {
        until,
        message: `the CA's limit on ${short.what} is spent until ${until.toISOString()}`,
      });
      continue;
    }
    for (const { bucket } of needed) bucket.spend();
  }
  return shortages;
}

/** What the limit of an account is on. */
export const allOrders = 'new orders';

function bucketKeys({ directory, registeredDomains, names }: OrderHistory): readonly string[] {
  return [
    `${directory} account`,
    `${directory} set ${names}`,
    ...registeredDomains.map((name) => `${directory} domain ${name}`),
  ];
}

function limitsOn(
  {
    directory,
    registeredDomains,
    names,
    renewal,
  }: Pick<OrderRequest, 'directory' | 'registeredDomains' | 'names' | 'renewal'>,
  limits: OrderLimits,
) {
  const set = {
    key: `${directory} set ${names}`,
    limit: limits.exactSet,
    what: 'certificates for the same set of names',
  };
  if (renewal) return [set];
  const domains = [...new Set(registeredDomains)].map((name) => ({
    key: `${directory} domain ${name}`,
    limit: limits.registeredDomain,
    what: `certificates for ${name}`,
  }));
  return [{ key: `${directory} account`, limit: limits.account, what: allOrders }, set, ...domains];
}
