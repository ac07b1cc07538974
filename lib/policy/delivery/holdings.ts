// What each target holds: the version that it got last, also where it does not get the current one.
import type { DeliveryRecord, Holding } from '../../state/delivery.ts';

/** A version with the end of its validity. */
export interface HeldVersion {
  readonly version: string;
  readonly notAfter: Date;
}

/** The most different versions that one record has room for. */
const mostHeld = 36;

/** The record with what its targets hold: the record's version where it is rolled out, else what they held
 *  before. Nothing is known of a target that lost the version, nor, after the targets have changed, of one
 *  that has not got it yet.
 *  @param before The record that `record` replaces.
 *  @param current The record's version.
 *  @param returned By place: the version that a target went back to. */
export function addHoldings(
  record: DeliveryRecord,
  before: DeliveryRecord | undefined,
  current: HeldVersion,
  returned: readonly (HeldVersion | undefined)[],
): DeliveryRecord {
  const known = before?.targets === record.targets ? before : undefined;
  const now = toHolding(current);
  const found = record.phases.map((phase, index): Holding | undefined => {
    const back = returned[index];
    if (back) return toHolding(back);
    if (phase === 'rolled-out') return now;
    const held = known?.holds?.[index];
    return phase === 'none' && held && isSame(held, now) ? undefined : held;
  });
  const holds = keepFew(found);
  return holds.some((held) => held !== undefined) ? { ...record, holds } : record;
}

function toHolding({ version, notAfter }: HeldVersion): Holding {
  return { version: version.slice(0, 8), notAfter: new Date(Math.floor(notAfter.getTime() / 1000) * 1000) };
}

function isSame(one: Holding, other: Holding): boolean {
  return one.version === other.version && one.notAfter.getTime() === other.notAfter.getTime();
}

/** Keeps the first versions, as many as there is room for. */
function keepFew(holds: readonly (Holding | undefined)[]): readonly (Holding | undefined)[] {
  const kept: Holding[] = [];
  return holds.map((held) => {
    if (!held || kept.some((one) => isSame(one, held))) return held;
    if (kept.length === mostHeld) return undefined;
    kept.push(held);
    return held;
  });
}
