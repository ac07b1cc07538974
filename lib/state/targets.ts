// Hashes of targets, by which records about them are known to be about the same ones.
import { hash } from 'node:crypto';
import type { SecretTarget, TargetSpec } from '../certificate/spec.ts';

/** 8 hex digits that are the same for the same targets in any order, and others for any that are delivered otherwise. */
export function targetsKey(targets: readonly TargetSpec[]): string {
  return digest(targets.map(describeTarget).toSorted());
}

/** SHA-256 of all that the targets make a cluster's agent do and allow it, in base64url: 43 characters, the same in any order.
 *  It is signed, so unlike `targetsKey` it cannot be met by another set of targets. */
export function permissionsKey(targets: readonly SecretTarget[]): string {
  const described = targets.map((target) => {
    const { adopt, replace, rollout } = target;
    return JSON.stringify([describeTarget(target), adopt, replace, rollout]);
  });
  return hash('sha256', JSON.stringify(described.toSorted()), 'base64url');
}

/** 8 hex digits that are the same for the same targets in the same order, as a record's phases are. */
export function orderedTargetsKey(targets: readonly TargetSpec[]): string {
  return digest(targets.map(describeTarget));
}

function digest(described: readonly string[]): string {
  return hash('sha256', JSON.stringify(described)).slice(0, 8);
}

/** Everything that makes a delivery another one. */
function describeTarget(target: TargetSpec): string {
  if ('acm' in target) return JSON.stringify(target.acm);
  const { cluster, namespace, secret, format, restart, restartStrategy } = target;
  const { keys, password, labels, annotations } = target;
  const details = [keys, password, labels, annotations].some((part) => part !== undefined)
    ? [{ keys, password, labels, annotations }]
    : [];
  const workloads =
    typeof restart === 'string' ? restart : restart.map(({ kind, name }) => `${kind}/${name}`);
  return JSON.stringify([cluster, namespace, secret, format, workloads, restartStrategy, ...details]);
}
