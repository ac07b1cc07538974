// Events that the bus did not take, and that are put again.

/** An event of a certificate that is owed. `at`: when it happened. */
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
    };

/** Events of one certificate that are remembered. */
const mostOwed = 3;

/** What is owed with one event more: the newest three. */
export function addOwed(owed: readonly OwedEvent[] | undefined, event: OwedEvent): readonly OwedEvent[] {
  return [...(owed ?? []), event].slice(-mostOwed);
}
