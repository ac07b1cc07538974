// What rules are judged with, and what they say when one is broken.
import { isSecretTarget, type SecretTarget } from '../../lib/certificate/spec.ts';
import type { VirtualClock } from './clock.ts';
import type { MemoryCluster } from './cluster.ts';
import type { History } from './history.ts';
import type { Ledger } from './ledger.ts';
import type { SimulationOptions } from './options.ts';
import type { WorkloadPods } from './pods.ts';
import type { SimulatedRun } from './scheduler.ts';
import type { MemorySecrets } from './secrets.ts';
import type { Tally } from './sometimes.ts';

/** What today's code does not promise yet; each is switched on with the change that keeps it.
 *  - `delivered`: a target is not delivered while pods wait for a person (paused, OnDelete, partition).
 *  - `drift`: pods that started with what was in the Secret before it was put right are restarted, also if
 *    the invocation that put it right has died.
 *  - `lists`: a freeze and its end count at once, also for an invocation whose list of the tags is behind
 *    (ListSecrets shows a change within 5 minutes).
 *  - `races`: of two invocations that restart a workload at the same time, the second does not restart it
 *    again (its patch may move `restartedAt` back).
 *  - `creates`: an invocation that has found no Secret does not put an older version over the one that
 *    another has created meanwhile.
 *  - `neighbours`: a workload of several Secrets that has no mark of one of them is restarted for it,
 *    although `restartedAt` shows a restart for another one. */
export const strictness = {
  delivered: true,
  drift: false,
  lists: false,
  races: false,
  creates: false,
  neighbours: false,
};

/** A rule that was broken, or a story that threw what no story throws. */
export interface Violation {
  readonly kind: 'safety' | 'liveness' | 'crash';
  readonly message: string;
  readonly at: Date;
}

/** One simulation as its rules see it. */
export interface JudgedSimulation {
  readonly options: SimulationOptions;
  readonly clock: VirtualClock;
  readonly clusters: ReadonlyMap<string, MemoryCluster>;
  readonly secrets: MemorySecrets;
  readonly ledger: Ledger;
  readonly history: History;
  readonly tally: Tally;
  /** The invocation whose call takes effect now; absent: a person. */
  readonly actor: () => SimulatedRun | undefined;
  /** Ends the simulation. */
  readonly violate: (message: string, kind?: Violation['kind']) => void;
}

/** A target with its certificate. */
export interface KnownTarget {
  readonly certificate: string;
  readonly target: SecretTarget;
}

/** All targets of a simulation, or those of one Secret (`lab/shop-tls`). */
export function targetsIn({ inventory }: SimulationOptions, secret?: string): readonly KnownTarget[] {
  return inventory.certificates
    .flatMap(({ name, targets }) =>
      targets.filter(isSecretTarget).map((target) => ({ certificate: name, target })),
    )
    .filter(({ target }) => secret === undefined || secret === keyOf(target));
}

/** `lab/shop-tls`. */
export function keyOf({ cluster, secret }: Pick<SecretTarget, 'cluster' | 'secret'>): string {
  return `${cluster}/${secret}`;
}

/** The workloads that a delivery to the target restarts, by `Deployment web`. */
export function concernedBy(
  { cluster, secret, restart }: SecretTarget,
  { clusters, options }: Pick<JudgedSimulation, 'clusters' | 'options'>,
): readonly (readonly [string, WorkloadPods])[] {
  const all = [...(clusters.get(cluster)?.workloads ?? [])];
  if (restart === 'none') return [];
  if (restart !== 'auto' && restart !== 'needed')
    return all.filter(([key]) => restart.some(({ kind, name }) => key === `${kind} ${name}`));
  const isFixed = (key: string) =>
    options.workloads.some(
      (one) => one.cluster === cluster && `${one.kind} ${one.name}` === key && one.uses === 'env',
    );
  return all
    .filter(([, { habits }]) => habits.secrets.includes(secret))
    .filter(([key]) => restart === 'auto' || isFixed(key));
}

/** Whether a window of UTC is open at any minute from one instant to another. */
export function wasOpen(
  windows: NonNullable<SecretTarget['rollout']>['windows'],
  from: number,
  to: number,
): boolean {
  const minuteMs = 60_000;
  for (let at = from; at <= to + minuteMs; at += minuteMs) {
    const date = new Date(Math.min(at, to));
    const minute = date.getUTCHours() * 60 + date.getUTCMinutes();
    const today = dayNames[date.getUTCDay()];
    const yesterday = dayNames[(date.getUTCDay() + 6) % 7];
    const isOpen = windows.some(({ days, fromMinute, toMinute }) => {
      const began = days.some((day) => day === today) && minute >= fromMinute;
      if (fromMinute < toMinute) return began && minute < toMinute;
      return began || (days.some((day) => day === yesterday) && minute < toMinute);
    });
    if (isOpen) return true;
  }
  return false;
}

const dayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
