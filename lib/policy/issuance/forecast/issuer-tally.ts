// Counts the orders at each CA against its limits.
import { type Limit, limitsOf } from '../published-limits.ts';
import { allOrders, type NeededBucket } from '../rate-limits.ts';

/** How much of one limit is used at most. */
export interface LimitUse {
  /** What is limited: `new orders`, `certificates for example.com`. */
  readonly what: string;
  /** How many at once at most, and after how long one more, in seconds. */
  readonly most: number;
  readonly refillSeconds: number;
  /** The most that is used at once, also by orders before the forecast, and when. */
  readonly used: number;
  readonly at: Date;
  /** Orders that must wait for it. */
  readonly waiting: number;
}

/** The orders at one CA. */
export interface IssuerForecast {
  /** Directory URL. */
  readonly directory: string;
  /** Keys of `issuers` in the inventory. */
  readonly issuers: readonly string[];
  readonly orders: number;
  /** Orders that no limit of account and registered domain counts, because they renew. */
  readonly exempt: number;
  /** The three hours with most orders, exempt ones included; absent without orders. */
  readonly busiest?: { readonly from: Date; readonly orders: number } | undefined;
  /** Whether its limits are known. If not, only its answers tell. */
  readonly hasKnownLimits: boolean;
  /** The limit on all orders, and those of which half is used or for which something waits: five at most, the
   *  ones with most waiting first. */
  readonly limits: readonly LimitUse[];
}

const threeHoursMs = 3 * 3_600_000;
const mostLimits = 5;

interface MutableUse {
  readonly what: string;
  readonly limit: Limit;
  used: number;
  at: Date;
  waiting: number;
}

/** Counts the orders at one directory. */
export class IssuerTally {
  readonly #directory: string;
  readonly #issuers = new Set<string>();
  readonly #times: number[] = [];
  readonly #uses = new Map<string, MutableUse>();
  #exempt = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Counts an order of an issuer.
   *  @param needed The limits that count it, after it took its part of each. */
  order(
    issuer: string,
    at: Date,
    {
      needed,
      isExempt,
    }: {
      readonly needed: readonly NeededBucket[];
      readonly isExempt: boolean;
    },
  ): void {
    this.#issuers.add(issuer);
    this.#times.push(at.getTime());
    if (isExempt) this.#exempt += 1;
    for (const one of needed) {
      const use = this.#useOf(one, at);
      const used = Math.min(one.bucket.limit.burst, one.bucket.spent);
      if (used > use.used) Object.assign(use, { used, at });
    }
  }

  /** Counts an order that must wait for a limit. */
  wait(needed: NeededBucket, at: Date): void {
    this.#useOf(needed, at).waiting += 1;
  }

  /** What was counted. */
  get(): IssuerForecast {
    const share = ({ used, limit, waiting }: MutableUse) => waiting + used / limit.burst;
    const uses = [...this.#uses.values()].filter(isTold).toSorted((one, other) => share(other) - share(one));
    return {
      directory: this.#directory,
      issuers: [...this.#issuers].toSorted(),
      orders: this.#times.length,
      exempt: this.#exempt,
      busiest: findBusiest(this.#times),
      hasKnownLimits: limitsOf(this.#directory) !== undefined,
      limits: uses.slice(0, mostLimits).map(({ what, limit, used, at, waiting }) => ({
        what,
        most: limit.burst,
        refillSeconds: Math.round(limit.refillMs / 1000),
        used,
        at,
        waiting,
      })),
    };
  }

  #useOf({ key, what, bucket: { limit } }: NeededBucket, at: Date): MutableUse {
    const known = this.#uses.get(key);
    if (known) return known;
    const use = { what, limit, used: 0, at, waiting: 0 };
    this.#uses.set(key, use);
    return use;
  }
}

/** The limit on all orders, and those of which half is used or for which something waits. */
function isTold({ what, used, waiting, limit: { burst } }: MutableUse): boolean {
  return what === allOrders || waiting > 0 || used * 2 >= burst;
}

function findBusiest(unsorted: readonly number[]): IssuerForecast['busiest'] {
  const times = unsorted.toSorted((one, other) => one - other);
  let busiest: IssuerForecast['busiest'];
  let first = 0;
  for (const [index, at] of times.entries()) {
    while (at - (times[first] ?? at) >= threeHoursMs) first += 1;
    const orders = index - first + 1;
    if (orders > (busiest?.orders ?? 0)) busiest = { from: new Date(times[first] ?? at), orders };
  }
  return busiest;
}
