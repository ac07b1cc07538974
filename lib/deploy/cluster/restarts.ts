// Starts rollouts in one cluster. A workload that uses several Secrets gets the marks of all that have their
// version in this invocation, in one patch: one rollout.
import type { RestartMark } from '../../policy/delivery/restart-marks.ts';
import { restartPatch, returnPatch } from '../../policy/delivery/restart-patch.ts';
import type { RestartPlan } from '../../policy/delivery/restarts.ts';
import type { RolloutStart } from '../../policy/delivery/rollout-start.ts';
import type { Workload } from '../../policy/kubernetes/objects.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { DeliverPlan } from '../plan/target-plan.ts';

type PlannedRestart = Extract<RestartPlan, { action: 'restart' }>;

interface Started {
  readonly marks: readonly RestartMark[];
  readonly workload: Promise<Workload>;
}

/** The restarts of one invocation in one cluster. */
export class Restarts {
  readonly #cluster: Pick<Cluster, 'restartWorkload'>;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #expected = new Map<string, RestartMark[]>();
  readonly #started = new Map<string, Started>();

  constructor(cluster: Pick<Cluster, 'restartWorkload'>, clock: Clock, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Notes the marks of a target whose Secret has its version: whichever target restarts a workload first
   *  sets them, too. */
  expect({ job, waves }: DeliverPlan): void {
    for (const restart of waves.flat()) {
      if (restart.action !== 'restart') continue;
      const key = keyOf(job.target.namespace, restart.workload);
      this.#expected.set(key, [...(this.#expected.get(key) ?? []), restart.mark]);
    }
  }

  /** Forgets the marks of a target that is taken back. */
  forget({ job, waves }: DeliverPlan): void {
    for (const restart of waves.flat()) {
      if (restart.action !== 'restart') continue;
      const key = keyOf(job.target.namespace, restart.workload);
      const { mark } = restart;
      this.#expected.set(
        key,
        (this.#expected.get(key) ?? []).filter((other) => other.key !== mark.key),
      );
    }
  }

  /** Restarts the workload, unless this invocation has done it with this mark, and returns it as patched.
   *  @param served What was not served well before.
   *  @throws ClusterError if the patch fails. */
  start(
    namespace: string,
    { workload, mark }: PlannedRestart,
    served?: RolloutStart['served'],
  ): Promise<Workload> {
    const key = keyOf(namespace, workload);
    const started = this.#started.get(key);
    const isSet = started?.marks.some((other) => other.key === mark.key && other.value === mark.value);
    if (started && isSet) return started.workload;
    const others = (this.#expected.get(key) ?? []).filter((other) => other.key !== mark.key);
    const marks = [...others, mark];
    const patch = restartPatch(workload, marks, { since: this.#clock.now(), served });
    const patched = this.#cluster.restartWorkload(namespace, workload, patch, this.#signal);
    this.#started.set(key, { marks, workload: patched });
    return patched;
  }

  /** Returns the workload's template to what it was before the version that failed.
   *  @param failedAt When that version was stored.
   *  @throws ClusterError if the patch fails. */
  takeBack(
    namespace: string,
    { workload, mark }: PlannedRestart,
    failedAt: Date | undefined,
  ): Promise<Workload> {
    const patch = returnPatch(workload, mark, { failedAt, since: this.#clock.now() });
    return this.#cluster.restartWorkload(namespace, workload, patch, this.#signal);
  }
}

function keyOf(namespace: string, { kind, name }: Workload): string {
  return `${namespace}/${kind}/${name}`;
}
