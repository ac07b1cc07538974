// How far a version has been delivered to each target, in one line that tags can hold.
import { hash } from 'node:crypto';
import type { SecretTarget, TargetSpec } from '../certificate/spec.ts';

/** The last step that is behind a target: none, the cluster Secret holds the version, its workloads run with it. */
export type DeliveryStep = 'none' | 'applied' | 'rolled-out';

const letters: Readonly<Record<DeliveryStep, string>> = { none: '-', applied: 'a', 'rolled-out': 'r' };
const steps = new Map<string, DeliveryStep>([
  ['-', 'none'],
  ['a', 'applied'],
  ['r', 'rolled-out'],
]);

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

/** Passes in a row that could not deliver the version to some target, and the instant before which none tries again. */
export interface DeliveryRetry {
  readonly failures: number;
  readonly after: Date;
}

/** `CertificateState.deployed`: `<version>/<hash of the targets>/<one letter per target>`, in the inventory's order; after
 *  failures `/<how many>/<instant>` too. */
export function formatDeliveries(
  version: string,
  targets: readonly TargetSpec[],
  delivered: readonly DeliveryStep[],
  retry?: DeliveryRetry,
): string {
  const row = targets.map((_, index) => letters[delivered[index] ?? 'none']).join('');
  const later = retry === undefined ? '' : `/${retry.failures}/${retry.after.toISOString()}`;
  return `${version}/${rowKey(targets)}/${row}${later}`;
}

/** The step behind each of the targets. Text that is absent, unreadable, or about another version or other targets says
 *  that nothing has been delivered. */
export function parseDeliveries(
  text: string | undefined,
  version: string,
  targets: readonly TargetSpec[],
): readonly DeliveryStep[] {
  const prefix = `${version}/${rowKey(targets)}/`;
  const row = text?.startsWith(prefix) ? text.slice(prefix.length) : '';
  return targets.map((_, index) => steps.get(row.charAt(index)) ?? 'none');
}

/** What the text says of failures; `undefined` as where `parseDeliveries` reads nothing. */
export function parseRetry(
  text: string | undefined,
  version: string,
  targets: readonly TargetSpec[],
): DeliveryRetry | undefined {
  const prefix = `${version}/${rowKey(targets)}/`;
  if (!text?.startsWith(prefix)) return undefined;
  const [, count = '', instant = ''] = text.slice(prefix.length).split('/');
  const after = new Date(instant);
  if (!/^\d{1,6}$/.test(count) || Number.isNaN(after.getTime())) return undefined;
  return { failures: Number(count), after };
}

/** The text without what it says of failures: what it tells of is tried again at once. */
export function withoutRetry(text: string | undefined): string | undefined {
  return text?.split('/', 3).join('/');
}

/** Whether the version is in every cluster Secret that the text tells of; not where it tells of another version. */
export function isDelivered(text: string | undefined, version: string): boolean {
  const [of, , row] = text?.split('/') ?? [];
  return of === version && row !== undefined && !row.includes(letters.none);
}

/** In their order, because a row's letters are. */
function rowKey(targets: readonly TargetSpec[]): string {
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
