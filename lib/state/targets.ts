// Hashes of targets. A record keeps such a hash to say which targets it is about.
import { hash } from 'node:crypto';
import type { SecretTarget, TargetSpec } from '../certificate/spec.ts';

/** 8 hex digits: equal for the same targets in any order, different if a target is delivered differently. */
export function targetsKey(targets: readonly TargetSpec[]): string {
  return digest(targets.map(describeTarget).toSorted());
}

/** SHA-256 of everything that the targets let an agent do, base64url, 43 characters, the same in any order.
 *  Statements sign it; its length makes a collision with other targets infeasible. */
export function permissionsKey(targets: readonly SecretTarget[]): string {
  const described = targets.map((target) => {
    const { adopt, replace, rollout } = target;
    return JSON.stringify([describeTarget(target), adopt, replace, rollout]);
  });
  return hash('sha256', JSON.stringify(described.toSorted()), 'base64url');
}

/** 8 hex digits: equal for the same targets in the same order, as the phases of a `DeliveryRecord` are. */
export function orderedTargetsKey(targets: readonly TargetSpec[]): string {
  return digest(targets.map(describeTarget));
}

function digest(described: readonly string[]): string {
  return hash('sha256', JSON.stringify(described)).slice(0, 8);
}

/** Every field that makes a delivery different. */
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
