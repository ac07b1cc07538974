// Finds where a certificate goes without its value: by the inventory file, or the rule for registrations.
import type { CertificateSpec, Inventory, TargetSpec } from '../../certificate/spec.ts';
import { fillTargets } from '../../inventory/registration.ts';
import type { CertificateState } from '../../state/state.ts';
import { orderedTargetsKey, targetsKey } from '../../state/targets.ts';

/** The certificate whose targets are looked for. */
export interface TaggedTargets {
  readonly name: string;
  /** Absent if the inventory file does not list it. */
  readonly spec?: Pick<CertificateSpec, 'targets'> | undefined;
  readonly state: CertificateState;
}

/** Its targets. Those of a registration are in its value; tags tell whether they are the ones that
 *  `registration` gives to a request without targets. `undefined` if tags do not tell which they are. */
export function findKnownTargets(
  { name, spec, state }: TaggedTargets,
  registration: Inventory['registration'],
): readonly TargetSpec[] | undefined {
  if (spec) return spec.targets;
  if (state.source !== 'registration' || !registration) return undefined;
  const targets = fillTargets(registration.targets, name);
  if (state.targets !== targetsKey(targets)) return undefined;
  // The same targets in another order: what is recorded of each cannot be told by its place.
  const isOrdered = !state.deployed || state.deployed.targets === orderedTargetsKey(targets);
  return isOrdered ? targets : undefined;
}
