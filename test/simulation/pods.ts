// The pods of one workload, and the controller that replaces them as virtual time passes.
import * as z from 'zod';
import type { AppsKind } from '../../lib/certificate/rollout-spec.ts';
import type { KubernetesObject } from '../sandbox/kubernetes/objects.ts';

/** A pod. It carries what its Secrets contained when it started, until it ends. */
export interface SimulatedPod {
  readonly ordinal: number;
  /** JSON of its template. */
  readonly template: string;
  readonly createdAt: number;
  /** `tls.crt` by Secret. Empty until all its Secrets exist: it cannot start before. */
  carries: Readonly<Record<string, string>>;
  startedAt: number;
  /** Infinity if it never gets ready. */
  readyAt: number;
}

/** What a workload is like. */
export interface WorkloadHabits {
  readonly kind: AppsKind;
  readonly name: string;
  /** Secrets that its pods need. */
  readonly secrets: readonly string[];
  /** How long a pod takes to get ready, and a controller to see a change, in milliseconds. */
  readonly startMs: number;
  readonly lagMs: number;
  /** Pods of a DaemonSet. */
  readonly nodes: number;
}

/** What pods need of the cluster around them. */
export interface PodSurroundings {
  readonly find: () => KubernetesObject;
  readonly valueOf: (secret: string) => string | undefined;
  /** Whether a pod with these certificates never gets ready. */
  readonly rejects: (carries: Readonly<Record<string, string>>) => boolean;
}

const spec = z.object({
  metadata: z.object({ generation: z.number() }),
  spec: z.object({
    replicas: z.number().default(1),
    paused: z.boolean().default(false),
    strategy: z.object({ type: z.string().optional() }).default({}),
    updateStrategy: z
      .object({
        type: z.string().optional(),
        rollingUpdate: z.object({ partition: z.number().default(0) }).default({ partition: 0 }),
      })
      .default({ rollingUpdate: { partition: 0 } }),
    template: z.looseObject({}),
  }),
});

interface WantedState extends z.infer<typeof spec> {
  readonly template: string;
}

/** After this time without progress a Deployment says so. */
const progressDeadlineMs = 600_000;

/** One workload's pods. Every change takes effect at its own instant, also if it is looked at later. */
export class WorkloadPods {
  pods: readonly SimulatedPod[] = [];
  readonly habits: WorkloadHabits;
  readonly #around: PodSurroundings;
  #wakes: number[] = [];
  /** Of the template that a rollout last began with, and of the one before (StatefulSet's revisions). */
  #template = '';
  #before = '';
  #generation = 0;
  #progressAt = 0;

  constructor(habits: WorkloadHabits, around: PodSurroundings) {
    this.habits = habits;
    this.#around = around;
  }

  /** Has the controller look a little after `at`: its object, a pod or a Secret has changed. */
  noteChange(at: number): void {
    this.#wakes.push(at + this.habits.lagMs);
  }

  /** Lets the controller do what was to do up to `to`. */
  advance(to: number): void {
    for (;;) {
      const next = Math.min(...this.#wakes);
      if (!(next <= to)) return;
      this.#wakes = this.#wakes.filter((wake) => wake > next);
      this.#reconcile(next);
    }
  }

  /** Takes pods away, as a node does that is drained. */
  evict(chosen: (pod: SimulatedPod) => boolean, at: number): void {
    this.pods = this.pods.filter((pod) => !chosen(pod));
    this.noteChange(at);
  }

  /** Lets pods that would never have got ready do so, as after a new version of what runs in them. */
  mend(at: number): void {
    for (const pod of this.pods) {
      if (pod.startedAt === Infinity || pod.readyAt !== Infinity) continue;
      pod.readyAt = at + this.habits.startMs;
      this.#wakes.push(pod.readyAt);
    }
  }

  /** Whether all its pods are there and ready. */
  isAvailable(at: number): boolean {
    return this.pods.length >= this.#replicas() && this.pods.every((pod) => pod.readyAt <= at);
  }

  /** Why it does not replace its pods before a person acts; `undefined` if it does by itself. */
  heldBy(): string | undefined {
    const { paused, updateStrategy } = this.#read().spec;
    if (paused) return 'paused';
    if (updateStrategy.type === 'OnDelete') return 'OnDelete';
    return updateStrategy.rollingUpdate.partition > 0 ? 'partition' : undefined;
  }

  /** `status` as the API would have it. */
  statusOf(at: number): object {
    const { template: target } = this.#read();
    const updated = this.pods.filter(({ template }) => template === target).length;
    const ready = this.pods.filter(({ readyAt }) => readyAt <= at).length;
    const isDone = updated === this.pods.length && ready === this.pods.length;
    const isLate = !isDone && at - this.#progressAt > progressDeadlineMs && this.heldBy() !== 'paused';
    const message = `ReplicaSet "${this.habits.name}" has timed out progressing.`;
    return {
      observedGeneration: this.#generation,
      replicas: this.pods.length,
      updatedReplicas: updated,
      readyReplicas: ready,
      availableReplicas: ready,
      desiredNumberScheduled: this.habits.nodes,
      updatedNumberScheduled: updated,
      numberAvailable: ready,
      conditions:
        this.habits.kind === 'Deployment' && isLate
          ? [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded', message }]
          : [],
    };
  }

  /** What its object asks for, with its template as JSON. Objects are never changed, but replaced. */
  #read(): WantedState {
    const object = this.#around.find();
    if (this.#wanted?.object !== object) {
      const parsed = spec.parse(object);
      this.#wanted = { object, ...parsed, template: JSON.stringify(parsed.spec.template) };
    }
    return this.#wanted;
  }
  #wanted: (WantedState & { readonly object: KubernetesObject }) | undefined;

  #replicas(): number {
    return this.habits.kind === 'DaemonSet' ? this.habits.nodes : this.#read().spec.replicas;
  }

  #reconcile(at: number): void {
    const { metadata, spec: wanted, template } = this.#read();
    if ((!wanted.paused && template !== this.#template) || this.#template === '') {
      this.#before = this.#template;
      this.#template = template;
      this.#progressAt = at;
    }
    this.#generation = metadata.generation;
    for (const pod of this.pods) if (pod.startedAt === Infinity) this.#begin(pod, at);
    const before = this.pods;
    const waits = wanted.updateStrategy.type === 'OnDelete';
    if (this.habits.kind === 'Deployment') this.#rollDeployment(wanted.replicas, wanted.strategy.type, at);
    else if (this.habits.kind === 'DaemonSet') this.#rollDaemonSet({ waits }, at);
    else {
      const partition = waits ? Infinity : wanted.updateStrategy.rollingUpdate.partition;
      this.#rollStatefulSet(wanted.replicas, partition, at);
    }
    if (before !== this.pods || this.pods.some(({ readyAt }) => readyAt === at)) this.#progressAt = at;
  }

  #rollDeployment(replicas: number, strategy: string | undefined, at: number): void {
    const isNew = ({ template }: SimulatedPod) => template === this.#template;
    const isReady = ({ readyAt }: SimulatedPod) => readyAt <= at;
    if (strategy === 'Recreate' && this.pods.some((pod) => !isNew(pod))) this.pods = this.pods.filter(isNew);
    // Old pods that do not run go first; they keep nobody from anything.
    if (this.pods.some((pod) => !isNew(pod) && !isReady(pod)))
      this.pods = this.pods.filter((pod) => isNew(pod) || isReady(pod));
    for (;;) {
      const fresh = this.pods.filter(isNew);
      const old = this.pods.filter((pod) => !isNew(pod));
      if (fresh.length > replicas) this.#drop(fresh.at(-1));
      else if (fresh.length < replicas && this.pods.length < replicas + 1) this.#create(fresh.length, at);
      else if (old.length > 0 && this.pods.filter(isReady).length > replicas) this.#drop(old.at(-1));
      else if (old.length > 0 && replicas === 0) this.#drop(old.at(-1));
      else return;
    }
  }

  #rollDaemonSet({ waits }: { readonly waits: boolean }, at: number): void {
    const { nodes } = this.habits;
    for (let node = 0; node < nodes; node += 1) {
      const pod = this.pods.find(({ ordinal }) => ordinal === node);
      const isOldAndDown = pod && !waits && pod.template !== this.#template && pod.readyAt > at;
      if (isOldAndDown) this.#drop(pod);
      if (!pod || isOldAndDown) this.#create(node, at);
    }
    if (waits || this.pods.some(({ readyAt }) => readyAt > at)) return;
    const old = this.pods.find(({ template }) => template !== this.#template);
    if (!old) return;
    this.#drop(old);
    this.#create(old.ordinal, at);
  }

  /** One pod at a time, from the last down to the partition; a pod that is not ready holds up all. */
  #rollStatefulSet(replicas: number, partition: number, at: number): void {
    for (const pod of this.pods) if (pod.ordinal >= replicas) this.#drop(pod);
    for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
      const pod = this.pods.find((one) => one.ordinal === ordinal);
      // Pods below the partition are made again from the revision before; an OnDelete one from the new one.
      const isKept = partition !== Infinity && ordinal < partition && this.#before !== '';
      if (!pod) this.#create(ordinal, at, isKept ? this.#before : this.#template);
      if (!pod || pod.readyAt > at) return;
    }
    const old = this.pods
      .filter(({ ordinal, template }) => ordinal >= partition && template !== this.#template)
      .toSorted((one, other) => other.ordinal - one.ordinal)[0];
    if (!old) return;
    this.#drop(old);
    this.#create(old.ordinal, at);
  }

  #drop(gone: SimulatedPod | undefined): void {
    this.pods = this.pods.filter((pod) => pod !== gone);
  }

  #create(ordinal: number, at: number, template = this.#template): void {
    const pod = { ordinal, template, createdAt: at, carries: {}, startedAt: Infinity, readyAt: Infinity };
    this.pods = [...this.pods, pod];
    this.#begin(pod, at);
  }

  /** Starts a pod if its Secrets are there. */
  #begin(pod: SimulatedPod, at: number): void {
    const values = this.habits.secrets.map((secret) => [secret, this.#around.valueOf(secret)] as const);
    const found = values.flatMap(([secret, value]) =>
      value === undefined ? [] : [[secret, value] as const],
    );
    if (found.length < values.length) return;
    pod.carries = Object.fromEntries(found);
    pod.startedAt = at;
    if (this.#around.rejects(pod.carries)) return;
    pod.readyAt = at + this.habits.startMs;
    this.#wakes.push(pod.readyAt);
  }
}
