// Counts the CA's rate limits before the CA does: token buckets, filled from the times of past orders.
import type { Limit, OrderLimits } from './published-limits.ts';

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

/** The part of every bucket that only urgent orders may spend. */
const reserve = 0.1;

/** The requests that must wait, by name. Spends in the sequence of the requests, the most urgent first.
 *  `limitsOf`: the limits of a directory; without limits nothing waits. */
export function allocateBudgets(
  requests: readonly OrderRequest[],
  history: readonly OrderHistory[],
  limitsOf: (directory: string) => OrderLimits | undefined,
  now: Date,
): ReadonlyMap<string, Shortage> {
  const spent = new Map<string, Date[]>();
  for (const past of history) {
    for (const key of bucketKeys(past)) spent.set(key, [...(spent.get(key) ?? []), ...past.orders]);
  }
  const buckets = new Map<string, Bucket>();
  const shortages = new Map<string, Shortage>();
  for (const request of requests) {
    const limits = limitsOf(request.directory);
    if (!limits || request.replaces) continue;
    const needed = neededBuckets(request, limits).map(({ key, limit, what }) => {
      const bucket = buckets.get(key) ?? new Bucket(limit, spent.get(key) ?? [], now);
      buckets.set(key, bucket);
      return { bucket, what };
    });
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

function bucketKeys({ directory, registeredDomains, names }: OrderHistory): readonly string[] {
  return [
    `${directory} account`,
    `${directory} set ${names}`,
    ...registeredDomains.map((name) => `${directory} domain ${name}`),
  ];
}

function neededBuckets({ directory, registeredDomains, names, renewal }: OrderRequest, limits: OrderLimits) {
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
  return [{ key: `${directory} account`, limit: limits.account, what: 'new orders' }, set, ...domains];
}

class Bucket {
  readonly #limit: Limit;
  #tokens: number;

  constructor(limit: Limit, orders: readonly Date[], now: Date) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    let at = Number.NEGATIVE_INFINITY;
    for (const time of orders.map((order) => order.getTime()).toSorted((a, b) => a - b)) {
      this.#refill(time - at);
      this.#tokens -= 1;
      at = time;
    }
    this.#refill(now.getTime() - at);
  }

  /** Milliseconds until a token can be spent; 0: now. */
  waitMs(urgent: boolean): number {
    const kept = urgent ? 0 : Math.floor(this.#limit.burst * reserve);
    return Math.max(0, Math.ceil((1 + kept - this.#tokens) * this.#limit.refillMs));
  }

  spend(): void {
    this.#tokens -= 1;
  }

  #refill(ms: number): void {
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + Math.max(0, ms) / this.#limit.refillMs);
  }
}
