// How an attempt ended: what records it, and what the report says of it.
import type { TxtValue } from '../../ports/dns.ts';
import type { DueCertificate } from '../gather/gather.ts';
import type { Attempt } from './attempt.ts';

/** How the order of one certificate ended. */
export type OrderOutcome = {
  readonly name: string;
  readonly message: string;
  /** What a person should know although the order went on. */
  readonly warnings?: readonly string[];
} & (
  | {
      readonly outcome: 'issued';
      readonly version: string;
      readonly notAfter: Date;
      readonly orderUrl: string;
    }
  /** It needed no order any more. */
  | { readonly outcome: 'kept' }
  /** A later run goes on, not before `until` if that is known. `isSlow`: the CA still works on the order. */
  | { readonly outcome: 'waiting'; readonly until?: Date; readonly isSlow?: true }
  /** `version`: present if a certificate was stored all the same. */
  | { readonly outcome: 'failed'; readonly until?: Date; readonly error: Error; readonly version?: string }
);

/** An attempt that has ended. */
export interface Ended<Kind extends Attempt = Attempt> {
  readonly due: DueCertificate;
  readonly attempt: Kind;
  /** Names of records whose TXT values could not be removed, with why. */
  readonly unremoved: ReadonlyMap<string, Error>;
}

/** Whether some of the values could not be removed. */
export function hasUnremoved(written: readonly TxtValue[], unremoved: ReadonlyMap<string, Error>): boolean {
  return written.some((value) => unremoved.has(value.name));
}
