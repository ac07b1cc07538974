// What each target holds, by what was recorded when it was delivered.
import { isSecretTarget, type TargetSpec } from '../../certificate/spec.ts';
import type { DeliveryRecord } from '../../state/delivery.ts';
import { orderedTargetsKey } from '../../state/targets.ts';
import { isAgentCluster, targetsIn } from '../delivery/agents.ts';
import type { HealthFacts } from './facts.ts';

/** What a target holds: a version's id or its first eight characters, and its end if that is known. */
export interface PlaceHolding {
  readonly version: string;
  readonly notAfter?: Date | undefined;
}

/** What each target holds, in their order; `undefined` where nothing is known. */
export function findHoldings(
  facts: Pick<HealthFacts, 'state' | 'clusters' | 'certificate' | 'entry'>,
  targets: readonly TargetSpec[],
): readonly (PlaceHolding | undefined)[] {
  const { state, clusters } = facts;
  const recorded = readRecord(state.deployed, targets, facts);
  return targets.map((target, index) => {
    if (!isSecretTarget(target) || !isAgentCluster(target.cluster, { clusters })) return recorded[index];
    const own = targetsIn(targets, target.cluster);
    return readRecord(state.reports?.[target.cluster]?.deployed, own, facts)[own.indexOf(target)];
  });
}

/** Every version that a record of deliveries says is held somewhere; of targets that nobody names any more,
 *  too. */
export function heldSomewhere({
  state,
  certificate,
  entry,
}: Pick<HealthFacts, 'state' | 'certificate' | 'entry'>): readonly PlaceHolding[] {
  const records = [state.deployed, ...Object.values(state.reports ?? {}).map(({ deployed }) => deployed)];
  return records.flatMap((record) =>
    (record?.phases ?? []).flatMap((_, index) => readHolding(record, index, { certificate, entry }) ?? []),
  );
}

function readRecord(
  record: DeliveryRecord | undefined,
  targets: readonly TargetSpec[],
  facts: Pick<HealthFacts, 'certificate' | 'entry'>,
): readonly (PlaceHolding | undefined)[] {
  if (record?.targets !== orderedTargetsKey(targets)) return targets.map(() => undefined);
  return targets.map((_, index) => readHolding(record, index, facts));
}

function readHolding(
  record: DeliveryRecord | undefined,
  index: number,
  { certificate, entry }: Pick<HealthFacts, 'certificate' | 'entry'>,
): PlaceHolding | undefined {
  if (!record) return undefined;
  const isComplete = record.phases[index] === 'rolled-out';
  if (isComplete && certificate && record.version === entry?.current) {
    return { version: record.version, notAfter: certificate.notAfter };
  }
  const held = record.holds?.[index];
  if (held) return held;
  // Records of earlier versions of Certrelay do not say when it ends.
  return isComplete ? { version: record.version } : undefined;
}
