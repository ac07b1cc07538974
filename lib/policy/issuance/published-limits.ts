// The known rate limits of CAs: those of Let's Encrypt (letsencrypt.org/docs/rate-limits, 2026-08-05).

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** A token bucket: `burst` tokens at most, one more every `refillMs`. */
export interface Limit {
  readonly burst: number;
  readonly refillMs: number;
}

/** Limits on new orders at one directory. */
export interface OrderLimits {
  /** New orders of one account. */
  readonly account: Limit;
  /** Certificates for one registered domain, whoever orders them. */
  readonly registeredDomain: Limit;
  /** Certificates for one exact set of names. */
  readonly exactSet: Limit;
}

/** A set of names that was issued in this time is renewed, in milliseconds: such an order is exempt from the
 *  limits of account and registered domain ("Non-ARI renewals"). */
export const renewalMs = 120 * 24 * hourMs;

/** The limits of a directory. `undefined` if none are known: then only a 429 of the CA says so. */
export function limitsOf(directory: string): OrderLimits | undefined {
  return known.get(directory);
}

const known: ReadonlyMap<string, OrderLimits> = new Map([
  [
    'https://acme-v02.api.letsencrypt.org/directory',
    {
      account: { burst: 300, refillMs: 36 * secondMs },
      registeredDomain: { burst: 50, refillMs: 202 * minuteMs },
      exactSet: { burst: 5, refillMs: 34 * hourMs },
    },
  ],
  [
    'https://acme-staging-v02.api.letsencrypt.org/directory',
    {
      account: { burst: 1_500, refillMs: 7.2 * secondMs },
      // 30,000 a second and 30,000 a week: no installation reaches that.
      registeredDomain: { burst: 30_000, refillMs: 1 },
      exactSet: { burst: 30_000, refillMs: 20.16 * secondMs },
    },
  ],
]);
