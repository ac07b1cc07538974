// What a run is asked to deliver, as data: certificates with their targets, and those that are passed over.
import type { KnownTargets } from '../../policy/delivery/pruning.ts';
import type { Misfits } from '../../policy/registration/grace.ts';
import type { ServedState } from '../../policy/serving/served.ts';
import type { DeliveryRecord, DeliveryRetry } from '../../state/delivery.ts';
import type { AnyJob } from '../invocation.ts';

/** A certificate that can be delivered, and what its tags say about where it has been. */
export interface CertificateToDeliver {
  readonly kind: 'selected';
  readonly name: string;
  readonly version: string;
  /** One for each of its targets, in their order; `asked` are those that the run is about. */
  readonly jobs: readonly AnyJob[];
  readonly asked: readonly AnyJob[];
  /** What the steps were read from. */
  readonly recorded: DeliveryRecord | undefined;
  /** The ARNs in ACM that the tags remember. */
  readonly imported: readonly string[] | undefined;
  readonly retry: DeliveryRetry | undefined;
  /** What was last seen to be served. */
  readonly seen: ServedState;
  /** What today's inventory would not accept of it; absent: nothing. */
  readonly misfits?: Misfits | undefined;
}

/** A certificate that is passed over, or could not be loaded. `known` is absent where its targets are not sure. */
export type DeliverySelection = { readonly known?: KnownTargets } & (
  | CertificateToDeliver
  | { readonly kind: 'skipped'; readonly name: string; readonly message: string }
  | { readonly kind: 'failed'; readonly name: string; readonly error: Error }
);
