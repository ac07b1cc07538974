// The types of a selection: certificates to deliver with a job for each target, and certificates left out.
import type { SecretTarget } from '../../certificate/spec.ts';
import type { KnownTargets } from '../../policy/delivery/pruning.ts';
import type { Misfits } from '../../policy/registration/grace.ts';
import type { ServedState } from '../../policy/serving/served.ts';
import type { StoreEntry } from '../../ports/store.ts';
import type { DeliveryRecord, DeliveryRetry } from '../../state/delivery.ts';
import type { OwedEvent } from '../../state/events.ts';
import type { Trouble } from '../../state/health.ts';
import type { AnyJob, SkipReason } from '../invocation.ts';
import type { FreezePlan } from './freeze-plan.ts';

/** A certificate that can be delivered, with what its tags say about earlier deliveries. */
export interface CertificateToDeliver {
  readonly kind: 'selected';
  readonly name: string;
  readonly version: string;
  /** ARN of its AWS secret. */
  readonly arn?: string | undefined;
  /** One job for each target, in the order of the targets. */
  readonly jobs: readonly AnyJob[];
  /** The jobs that this invocation works on. */
  readonly requested: readonly AnyJob[];
  /** The delivery record that the jobs' phases were read from. */
  readonly recorded: DeliveryRecord | undefined;
  /** Where it was last delivered, from the tags. */
  readonly deliveredTo?: readonly string[] | undefined;
  /** What stops its deliveries, from the tags. */
  readonly problem: Trouble | undefined;
  /** The ARNs of its imports into ACM, from the tags. */
  readonly imported: readonly string[] | undefined;
  /** Whether the version is frozen, and what tags must say about it first. */
  readonly freezing: FreezePlan;
  /** Failed attempts to deliver this version, and when the next one is due. */
  readonly retry: DeliveryRetry | undefined;
  /** Events that the bus is owed, from the tags. */
  readonly owedEvents?: readonly OwedEvent[] | undefined;
  /** What the last probe found, from the tags. */
  readonly seen: ServedState;
  /** What today's inventory does not allow of it. Absent: everything is allowed. */
  readonly misfits?: Misfits | undefined;
}

/** A certificate that is let go: what `deploy` has to do for it. */
export interface LetGo {
  /** Id of the version in use. */
  readonly version: string;
  /** Whether its tags say already that everything is done. */
  readonly isRecorded: boolean;
  /** Targets in namespaces where Secrets without a target are deleted. `unknown` for a certificate that was
   *  in the inventory file. */
  readonly pruned: readonly SecretTarget[] | 'unknown';
}

/** One certificate of an invocation: to deliver, left out with a message, or not loaded because of an error.
 *  `known` has its targets and versions in use; it is absent if they could not be determined. `letGo`: only
 *  for one that is let go. */
export type DeliverySelection = { readonly known?: KnownTargets; readonly letGo?: LetGo } & (
  | CertificateToDeliver
  | ({ readonly kind: 'skipped'; readonly message: string; readonly reason?: SkipReason } & LeftOut)
  | ({ readonly kind: 'failed'; readonly error: Error } & LeftOut)
);

interface LeftOut {
  readonly name: string;
  /** Its AWS secret as it was listed; absent if there is none, if its tags could not be read or written, or
   *  if it is left out and nothing stopped its deliveries. */
  readonly entry?: StoreEntry | undefined;
}
