// What a forecast goes by: its time, and what CAs will give.
import type { Inventory } from '../../../certificate/spec.ts';
import { reusedUntil } from '../valid-authorizations.ts';
import { type IssuanceTerms, publishedTerms } from './published-terms.ts';

/** What a forecast goes by. */
export interface ForecastRules {
  readonly now: Date;
  /** What is told: from `start` until before `end`. What happens before `start` is only followed. */
  readonly start: Date;
  readonly end: Date;
  /** Between two passes of `issue`, in milliseconds. */
  readonly intervalMs: number;
  /** What CAs are assumed to give from `start` on; absent: what they have published, else what the version in
   *  use has. */
  readonly lifetimeMs?: number | undefined;
  readonly reuseMs?: number | undefined;
  readonly inventory: Inventory;
}

/** Lifetime of a first certificate, of a CA that has not published any. */
const presumedLifetimeMs = 90 * 86_400_000;

/** What the CA will give for an order at an instant.
 *  @param before Lifetime of the version before; absent: there is none. */
export function termsAt(
  source: { readonly directory: string; readonly profile?: string | undefined },
  { at, before }: { readonly at: Date; readonly before: number | undefined },
  rules: ForecastRules,
): IssuanceTerms {
  const published = publishedTerms(source, at);
  const isAssumed = at >= rules.start;
  return {
    lifetimeMs:
      (isAssumed ? rules.lifetimeMs : undefined) ?? published?.lifetimeMs ?? before ?? presumedLifetimeMs,
    reuseMs: (isAssumed ? rules.reuseMs : undefined) ?? published?.reuseMs ?? 0,
  };
}

/** Until when a validation at an instant serves later orders. */
export function provedUntil(at: Date, reuseMs: number): Date {
  return reuseMs === 0 ? at : reusedUntil({ expires: new Date(at.getTime() + reuseMs), readAt: at });
}
