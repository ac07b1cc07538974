// The targets of a certificate as the forecast sees them, and when each gets a new version.
import type { MaintenanceWindow } from '../../../certificate/rollout-spec.ts';
import type { CertificateSpec, Inventory } from '../../../certificate/spec.ts';
import type { CertificateState } from '../../../state/state.ts';
import { nameDestination } from '../../delivery/secret-plan.ts';
import { judgeTargetStates } from '../../delivery/target-states.ts';
import { judgeTiming } from '../../delivery/windows.ts';
import { findKnownTargets } from '../../registration/known-targets.ts';

/** One target. */
export interface ForecastTarget {
  /** As `nameDestination` writes it; absent if only its number is known. */
  readonly target?: string | undefined;
  readonly windows: readonly MaintenanceWindow[];
  /** Whether it has not got the version in use yet, and will. */
  readonly isOpen: boolean;
  /** Whether it has ever got a version: what is missing never waits for a window. */
  readonly isThere: boolean;
  /** The end of what it holds, if it holds an earlier version. */
  readonly holdsUntil?: Date | undefined;
}

/** The certificate whose targets are described. */
export interface TargetOwner {
  readonly name: string;
  readonly spec: CertificateSpec | undefined;
  readonly state: CertificateState;
  /** The version in use. */
  readonly version: string | undefined;
}

/** Its targets. Those of a certificate that was registered are in its value: by tags it is known whether they
 *  are those of the inventory, else how many there are. */
export function describeTargets(owner: TargetOwner, inventory: Inventory): readonly ForecastTarget[] {
  const { name, state, version } = owner;
  const targets = findKnownTargets(owner, inventory.registration);
  if (!targets) {
    const phases = state.deployed?.phases ?? [];
    const isCurrent = state.deployed?.version === version;
    return phases.map((phase) => ({
      windows: [],
      isOpen: isCurrent && phase === 'none',
      isThere: phase !== 'none',
    }));
  }
  const states = version === undefined ? [] : judgeTargetStates({ name, version, state }, targets, inventory);
  return targets.map((target, index) => {
    const { next, phase } = states[index] ?? {};
    const held = state.deployed?.holds?.[index];
    return {
      target: nameDestination(target, name),
      windows: 'acm' in target ? [] : (target.rollout?.windows ?? []),
      isOpen: phase === 'none' && (next === 'deliver' || next === 'agent'),
      isThere: version !== undefined && (held !== undefined || phase !== 'none'),
      holdsUntil: held?.notAfter,
    };
  });
}

/** When a target gets a version. */
export interface ForecastDelivery {
  /** Absent: none of its windows opens in time. */
  readonly at: Date | undefined;
  /** Whether it waits for a window, or for the certificate that it has to end soon. */
  readonly waits: boolean;
  /** Whether it comes outside of its windows, because the certificate that it has ends soon. */
  readonly isUrgent: boolean;
}

/** Openings that are kept. */
const mostOpenings = 50_000;

/** Finds when targets get a version. */
export class DeliveryTimes {
  /** Many targets have the same windows, and many orders one time. */
  readonly #openings = new Map<string, Date | 'open' | undefined>();

  /** @param before End of the certificate that the target has; absent: it has none, and waits for nothing.
   *  @param begin Beginning of the version that it gets, and `at`, from when on it may. */
  find(
    { windows, isThere }: Pick<ForecastTarget, 'windows' | 'isThere'>,
    before: Date | undefined,
    { begin, at }: { readonly begin: Date; readonly at: Date },
  ): ForecastDelivery {
    if (windows.length === 0 || !isThere) return { at, waits: false, isUrgent: false };
    const opening = this.#openingOf(windows, at);
    if (opening === 'open') return { at, waits: false, isUrgent: false };
    const urgentAt = before && new Date(Math.max(at.getTime(), urgentFrom(before, begin)));
    if (urgentAt && (!opening || urgentAt < opening))
      return { at: urgentAt, waits: urgentAt > at, isUrgent: true };
    return { at: opening, waits: true, isUrgent: false };
  }

  #openingOf(windows: readonly MaintenanceWindow[], at: Date): Date | 'open' | undefined {
    const key = `${at.getTime()} ${JSON.stringify(windows)}`;
    if (this.#openings.has(key)) return this.#openings.get(key);
    const timing = judgeTiming(windows, { begin: at, now: at });
    const opening = timing.kind === 'closed' ? timing.until : ('open' as const);
    if (this.#openings.size >= mostOpenings) this.#openings.clear();
    this.#openings.set(key, opening);
    return opening;
  }
}

/** The first millisecond in which `isNearExpiry` is true. */
function urgentFrom(before: Date, begin: Date): number {
  const end = before.getTime();
  return Math.floor(end - (end - begin.getTime()) / 4) + 1;
}
