// Events that the bus did not take, and that are put again.
import { isSameValue } from './same.ts';

/** A delivery to all targets that is owed. */
export interface OwedDelivery {
  readonly kind: 'delivered';
  readonly at: Date;
  readonly version: string;
  readonly notAfter: Date;
  /** SHA-256 of the leaf's DER, in hex. */
  readonly fingerprint: string;
  /** Whether the version had been there before, and a target was put right. */
  readonly isRepeat: boolean;
}

/** An event of a certificate that is owed. `at`: when it happened. `deploy` puts deliveries, `issue` all
 *  others. */
export type OwedEvent =
  | { readonly kind: 'registered'; readonly at: Date }
  | {
      readonly kind: 'issued';
      readonly at: Date;
      readonly version: string;
      readonly notAfter: Date;
    }
  | {
      readonly kind: 'revoked';
      readonly at: Date;
      readonly version: string;
      readonly notAfter: Date;
      /** A word of RFC 5280 §5.3.1. */
      readonly reason: string;
    }
  | OwedDelivery;

/** Events of one certificate that are remembered. */
const mostOwed = 3;

/** What is owed with one event more: the newest three. Of deliveries of one version that put a target right,
 *  and of registrations, only the newest is owed, so that they push out nothing else. */
export function addOwed(owed: readonly OwedEvent[] | undefined, event: OwedEvent): readonly OwedEvent[] {
  return [...(owed ?? []).filter((one) => !isOlder(one, event)), event].slice(-mostOwed);
}

function isOlder(one: OwedEvent, other: OwedEvent): boolean {
  if (one.kind === 'registered') return other.kind === 'registered';
  if (one.kind !== 'delivered' || other.kind !== 'delivered') return false;
  return one.isRepeat && other.isRepeat && one.version === other.version;
}

/** What is still owed once the bus has some of it. */
export function withoutPut(owed: readonly OwedEvent[], put: readonly OwedEvent[]): readonly OwedEvent[] {
  return owed.filter((one) => !put.some((event) => isSameValue(event, one)));
}
