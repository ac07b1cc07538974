// How far a version has been delivered to each target, in one line that tags can hold.
import { hash } from 'node:crypto';
import type { TargetSpec } from '../certificate/spec.ts';

/** The last step that is behind a target: none, the cluster Secret holds the version, its workloads run with it. */
export type DeliveryStep = 'none' | 'applied' | 'rolled-out';

const letters: Readonly<Record<DeliveryStep, string>> = { none: '-', applied: 'a', 'rolled-out': 'r' };
const steps = new Map<string, DeliveryStep>([
  ['-', 'none'],
  ['a', 'applied'],
  ['r', 'rolled-out'],
]);

/** `CertificateState.deployed`: `<version>/<hash of the targets>/<one letter per target>`, in the inventory's order. */
export function formatDeliveries(
  version: string,
  targets: readonly TargetSpec[],
  delivered: readonly DeliveryStep[],
): string {
  const row = targets.map((_, index) => letters[delivered[index] ?? 'none']).join('');
  return `${version}/${targetsKey(targets)}/${row}`;
}

/** The step behind each of the targets. Text that is absent, unreadable, or about another version or other targets says
 *  that nothing has been delivered. */
export function parseDeliveries(
  text: string | undefined,
  version: string,
  targets: readonly TargetSpec[],
): readonly DeliveryStep[] {
  const prefix = `${version}/${targetsKey(targets)}/`;
  const row = text?.startsWith(prefix) ? text.slice(prefix.length) : '';
  return targets.map((_, index) => steps.get(row.charAt(index)) ?? 'none');
}

/** Changes with everything that makes a delivery another one; 8 hex digits. */
function targetsKey(targets: readonly TargetSpec[]): string {
  const fields = targets.map(({ cluster, namespace, secret, format, restart, restartStrategy }) => [
    cluster,
    namespace,
    secret,
    format,
    typeof restart === 'string' ? restart : restart.map(({ kind, name }) => `${kind}/${name}`),
    restartStrategy,
  ]);
  return hash('sha256', JSON.stringify(fields)).slice(0, 8);
}
