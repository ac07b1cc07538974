// How far a version has come to its targets, by what is recorded of it.
import type { TargetSpec } from '../../certificate/spec.ts';
import type { DeliveryPhase, DeliveryRecord, DeliveryRetry } from '../../state/delivery.ts';
import { orderedTargetsKey } from '../../state/targets.ts';

/** What is to be recorded of a version: one phase for each of the targets. */
export function describeProgress(
  version: string,
  targets: readonly TargetSpec[],
  phases: readonly DeliveryPhase[],
  retry?: DeliveryRetry,
): DeliveryRecord {
  const record = {
    version,
    targets: orderedTargetsKey(targets),
    phases: targets.map((_, index) => phases[index] ?? 'none'),
  };
  return retry ? { ...record, retry } : record;
}

/** The phase of each of the targets. A record that is absent, or about another version or other targets, says that nothing
 *  has been delivered. */
export function phasesOf(
  record: DeliveryRecord | undefined,
  version: string,
  targets: readonly TargetSpec[],
): readonly DeliveryPhase[] {
  const known = isAbout(record, version, targets) ? record?.phases : undefined;
  return targets.map((_, index) => known?.[index] ?? 'none');
}

/** What the record says of failures; `undefined` where `phasesOf` knows nothing. */
export function retryOf(
  record: DeliveryRecord | undefined,
  version: string,
  targets: readonly TargetSpec[],
): DeliveryRetry | undefined {
  return isAbout(record, version, targets) ? record?.retry : undefined;
}

/** The record without what it says of failures: what it tells of is tried again at once. */
export function withoutRetry(record: DeliveryRecord): DeliveryRecord {
  const { retry: _, ...rest } = record;
  return rest;
}

/** Whether the version is in every cluster Secret that the record tells of; not where it tells of another version. */
export function isDelivered(record: DeliveryRecord | undefined, version: string): boolean {
  return record?.version === version && !record.phases.includes('none');
}

function isAbout(
  record: DeliveryRecord | undefined,
  version: string,
  targets: readonly TargetSpec[],
): boolean {
  return record?.version === version && record.targets === orderedTargetsKey(targets);
}
