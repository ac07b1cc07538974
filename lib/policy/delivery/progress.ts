// The delivery record of a certificate: which phase each target has reached with one version.
import type { TargetSpec } from '../../certificate/spec.ts';
import type { DeliveryPhase, DeliveryRecord, DeliveryRetry } from '../../state/delivery.ts';
import { orderedTargetsKey } from '../../state/targets.ts';

/** The record to write for a version. Targets without a phase get `none`.
 *  @param phases One for each target, in their order.
 *  @param retry Absent if nothing failed. */
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

/** The phase of each target, in their order. All are `none` if the record is absent or about another
 *  version or other targets. */
export function phasesOf(
  record: DeliveryRecord | undefined,
  version: string,
  targets: readonly TargetSpec[],
): readonly DeliveryPhase[] {
  const known = isAbout(record, version, targets) ? record?.phases : undefined;
  return targets.map((_, index) => known?.[index] ?? 'none');
}

/** The record's failures; `undefined` if nothing failed, or if it is about another version or other
 *  targets. */
export function retryOf(
  record: DeliveryRecord | undefined,
  version: string,
  targets: readonly TargetSpec[],
): DeliveryRetry | undefined {
  return isAbout(record, version, targets) ? record?.retry : undefined;
}

/** The record without its failures, so the next pass tries again at once. */
export function withoutRetry(record: DeliveryRecord): DeliveryRecord {
  const { retry: _, ...rest } = record;
  return rest;
}

/** Whether every target in the record has the version, restarted or not; false if it is about another
 *  version. */
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
