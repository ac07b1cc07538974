// The workload controllers of the embedded cluster: pods and status follow a changed pod template as time
// passes.
import * as z from 'zod';
import { type ArgoStatus, describeRollout, judgeRestart, stepRollout } from './controllers/argo.ts';
import {
  type DeploymentStatus,
  describeDeployment,
  judgeProgress,
  stepDeployment,
} from './controllers/deployment.ts';
import {
  describeDaemonSet,
  describeStatefulSet,
  isComplete,
  stepDaemonSet,
  stepStatefulSet,
} from './controllers/ordered.ts';
import { describePod, describeReplicaSet, hasSets } from './controllers/owned.ts';
import {
  type Pod,
  revisionOf,
  type SandboxNode,
  type Situation,
  type Step,
  type Template,
  type Workload,
  workload,
} from './controllers/pods.ts';
import type { KubernetesObject } from './objects.ts';

/** How long a rollout takes when its pods can run. */
export const defaultRolloutMs = 40;

const defaultNodes: readonly SandboxNode[] = [{ name: 'node-1' }];

/** Whether the pods of a workload pass their readiness checks, by its name, the annotations of its pod
 *  template, and the template. */
export type AreReady = (
  name: string,
  annotations: Readonly<Record<string, string>>,
  template: Template,
) => boolean;

/** A workload as its controller knows it. */
interface Tracked {
  latest: Workload;
  /** As of the generation that the controller has seen. */
  seen?: Workload;
  /** When it sees `latest`; absent: it has. */
  seesAt?: number | undefined;
  /** Until when its pods are up to date, epoch milliseconds. */
  time: number;
  pods: readonly Pod[];
  progress: DeploymentStatus;
  argo: ArgoStatus;
  current: string;
  /** Templates that it has had pods of, by revision. */
  readonly templates: Map<string, Template>;
}

const steps: Readonly<Record<string, Step>> = {
  Deployment: stepDeployment,
  StatefulSet: stepStatefulSet,
  DaemonSet: stepDaemonSet,
  Rollout: stepRollout,
};

/** Whether the cluster has a controller for it. A Rollout whose template is in another object has none
 *  here. */
function isControlled({ apiVersion, kind, spec }: KubernetesObject): boolean {
  if (kind !== 'Rollout') return Object.hasOwn(steps, kind);
  return apiVersion.startsWith('argoproj.io/') && withTemplate.safeParse(spec).success;
}
const withTemplate = z.object({ template: z.object({}) });

export interface RolloutOptions {
  /** How long a rollout takes; 40 ms if not given. Half of it passes before a controller sees a change, half
   *  until all pods are replaced. */
  readonly rolloutMs?: number | undefined;
  /** Which pods become ready; all if not given. Asked at each look. */
  readonly areReady?: AreReady | undefined;
  /** One node with room if not given. */
  readonly nodes?: readonly SandboxNode[] | undefined;
}

export class Rollouts {
  readonly #tracked = new Map<string, Tracked>();
  readonly #halfMs: number;
  readonly #areReady: AreReady;
  readonly #nodes: readonly SandboxNode[];
  #made = 0;

  constructor({ rolloutMs = defaultRolloutMs, areReady = () => true, nodes = defaultNodes }: RolloutOptions) {
    this.#halfMs = rolloutMs / 2;
    this.#areReady = areReady;
    this.#nodes = nodes;
  }

  /** The workload's status at the instant `now`, epoch milliseconds. Its controller learns of a change at the
   *  first look after it. */
  statusOf(object: KubernetesObject, now: number): object {
    if (!isControlled(object)) return object.kind === 'Rollout' ? {} : { replicas: 0 };
    const tracked = this.#advance(object, now);
    const { seen, pods, progress } = tracked;
    if (!seen) return { observedGeneration: 0 };
    const situation = this.#situationOf(tracked, seen, now);
    const described = {
      Deployment: () => describeDeployment(seen, progress),
      StatefulSet: () => describeStatefulSet(pods, situation),
      DaemonSet: () => describeDaemonSet(pods, situation),
      Rollout: () => describeRollout(pods, situation, tracked.argo, seen.metadata.generation),
    }[seen.kind];
    return { observedGeneration: seen.metadata.generation, ...described?.() };
  }

  /** The pods of a workload, and the ReplicaSets of a Deployment, as the API has them. */
  ownedBy(object: KubernetesObject, now: number): readonly KubernetesObject[] {
    if (!isControlled(object)) return [];
    const tracked = this.#advance(object, now);
    const { seen, pods } = tracked;
    if (!seen) return [];
    const { isReady } = this.#situationOf(tracked, seen, now);
    const sets = [...tracked.templates].map(([revision, template]) => {
      const own = pods.filter((pod) => pod.revision === revision);
      const counts = { replicas: own.length, ready: own.filter(isReady).length };
      return describeReplicaSet(object, { revision, template, ...counts });
    });
    const described = pods.map((pod) => {
      return describePod(object, pod, { isReady: isReady(pod), node: this.#findNode(pod)?.name });
    });
    return hasSets(object) ? [...sets, ...described] : described;
  }

  /** Deletes a pod, as a person may; its controller makes another. */
  deletePod(object: KubernetesObject, name: string, now: number): void {
    const tracked = this.#advance(object, now);
    tracked.pods = tracked.pods.filter((pod) => pod.name !== name);
  }

  #advance(object: KubernetesObject, now: number): Tracked {
    const key = object.metadata.uid ?? '';
    const before = this.#tracked.get(key);
    const tracked = before ?? this.#start(object, now);
    this.#tracked.set(key, tracked);
    if (object.metadata.generation !== tracked.latest.metadata.generation) {
      tracked.latest = workload.parse(object);
      tracked.seesAt ??= now + this.#halfMs;
    }
    for (let at = this.#nextInstant(tracked); at <= now; at = this.#nextInstant(tracked)) {
      if (tracked.seesAt !== undefined && tracked.seesAt <= at) {
        tracked.seen = tracked.latest;
        tracked.seesAt = undefined;
      }
      this.#sync(tracked, at);
    }
    this.#sync(tracked, now);
    return tracked;
  }

  #start(object: KubernetesObject, now: number): Tracked {
    return {
      latest: workload.parse(object),
      seesAt: now + this.#halfMs,
      time: now,
      pods: [],
      progress: { replicas: 0, updated: 0, ready: 0, since: now },
      argo: { staleUntil: 0 },
      current: '',
      templates: new Map(),
    };
  }

  /** When something happens next; Infinity: nothing does. */
  #nextInstant({ seesAt = Infinity, pods, time, latest, seen, argo }: Tracked): number {
    const planned = Date.parse(seen?.spec.restartAt ?? '') + 1;
    const restart = planned > time ? planned : Infinity;
    const looks = argo.staleUntil > time ? argo.staleUntil : Infinity;
    const ready = pods
      .filter((pod) => this.#canRun(latest.metadata.name, pod))
      .map((pod) => pod.createdAt + this.#startMs(latest))
      .filter((at) => at > time);
    return Math.min(seesAt, restart, looks, ...ready);
  }

  #sync(tracked: Tracked, now: number): void {
    tracked.time = Math.max(tracked.time, now);
    const { seen } = tracked;
    const step = seen && steps[seen.kind];
    if (!step) return;
    const situation = this.#situationOf(tracked, seen, now);
    const newest = situation.newest;
    if (tracked.current === '') tracked.current = newest;
    const isNew = !seen.spec.paused && !tracked.templates.has(newest);
    if (isNew) {
      tracked.templates.set(newest, seen.spec.template);
      tracked.progress = { ...tracked.progress, reason: 'NewReplicaSetCreated', since: now };
    }
    for (let before: readonly Pod[] | undefined; before !== tracked.pods; ) {
      before = tracked.pods;
      tracked.progress = judgeProgress(tracked.progress, before, situation, now);
      tracked.pods = step(before, { ...situation, current: tracked.current });
      tracked.argo = judgeRestart(tracked.argo, tracked.pods, situation);
    }
    if (seen.kind === 'StatefulSet' && isComplete(tracked.pods, situation)) tracked.current = newest;
  }

  #situationOf({ current, templates }: Tracked, seen: Workload, now: number): Situation {
    const { spec, metadata } = seen;
    const newest = revisionOf(spec.template);
    return {
      now,
      spec,
      newest,
      current,
      nodes: this.#nodes.filter((node) => isSelected(spec.template, node)),
      isReady: (pod) => this.#canRun(metadata.name, pod) && now >= pod.createdAt + this.#startMs(seen),
      make: (suffix, { node, revision = newest } = {}) => {
        this.#made += 1;
        const unique = this.#made.toString(36).padStart(5, '0');
        const middle = hasSets(seen) ? `${newest}-` : '';
        return {
          name: `${metadata.name}-${middle}${suffix ?? unique}`,
          revision,
          template: templates.get(revision) ?? spec.template,
          createdAt: now,
          ...(node === undefined ? {} : { node }),
        };
      },
    };
  }

  /** How long a pod takes to become ready: those of a rollout one after the other take half of its time. */
  #startMs({ kind, spec }: Workload): number {
    return this.#halfMs / Math.max(kind === 'DaemonSet' ? this.#nodes.length : spec.replicas, 1);
  }

  #canRun(name: string, pod: Pod): boolean {
    return (
      this.#findNode(pod) !== undefined &&
      this.#areReady(name, pod.template.metadata.annotations, pod.template)
    );
  }

  /** The node that runs the pod; `undefined`: it is Pending. */
  #findNode({ template, node }: Pod): SandboxNode | undefined {
    const possible = this.#nodes.filter(({ name }) => node === undefined || name === node);
    return possible.find((one) => one.isFull !== true && isSelected(template, one));
  }
}

function isSelected({ spec }: Template, { name, labels }: SandboxNode): boolean {
  const all = { 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': name, ...labels };
  return Object.entries(spec.nodeSelector).every(([label, value]) =>
    Object.entries(all).some(([key, own]) => key === label && own === value),
  );
}
