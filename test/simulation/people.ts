// What people do to clusters while Certrelay works: they edit Secrets, delete them, pause and restart
// workloads.
import { type MemoryCluster, namespace } from './cluster.ts';
import type { SimulationOptions } from './options.ts';
import type { Random } from './random.ts';
import { targetsIn } from './rules.ts';

/** The people of one simulation. Each act takes effect at once; a text says what it was. */
export class People {
  readonly #options: SimulationOptions;
  readonly #clusters: ReadonlyMap<string, MemoryCluster>;
  readonly #random: Random;
  #acts = 0;

  constructor(options: SimulationOptions, clusters: ReadonlyMap<string, MemoryCluster>, random: Random) {
    this.#options = options;
    this.#clusters = clusters;
    this.#random = random;
  }

  /** Does something at random. `undefined` if that was not possible now. */
  act(): string | undefined {
    this.#acts += 1;
    return this.#random.chance(0.4) ? this.#touchSomeSecret() : this.#touchSomeWorkload();
  }

  /** Adds an entry of somebody else's to a Secret, which changes its resource version. */
  annotate(cluster: MemoryCluster, secret: string): string | undefined {
    if (!cluster.secret(secret)) return undefined;
    this.#acts += 1;
    const note = `note ${this.#acts}`;
    const patches = [
      { metadata: { annotations: { 'example.com/note': note } } },
      { metadata: { labels: { team: `team-${this.#acts}` } } },
      { data: { 'ca.crt': Buffer.from(note).toString('base64') } },
    ];
    cluster.patchSecret(secret, this.#random.pick(patches), 'kubectl-edit');
    return `added something to Secret ${cluster.name}/${secret}`;
  }

  /** Takes back whatever makes a workload or its target wait for a person; a canary must have pods. */
  tidy(): void {
    for (const cluster of this.#clusters.values()) {
      for (const [key, { habits }] of cluster.workloads) {
        const rolling =
          habits.kind === 'Deployment'
            ? { paused: false }
            : { updateStrategy: { type: 'RollingUpdate', ...partitionOf(habits.kind, 0) } };
        const isEmpty = habits.kind !== 'DaemonSet' && cluster.readWorkload(key).pods === 0;
        cluster.patchWorkload(key, { spec: { ...rolling, ...(isEmpty && { replicas: 1 }) } });
      }
    }
  }

  /** Deletes pods that do not get ready, as somebody does whom an alarm has called. */
  deleteStuckPods(at: number, stuckMs: number): void {
    for (const cluster of this.#clusters.values()) {
      cluster.advance();
      for (const pods of cluster.workloads.values())
        pods.evict(({ startedAt, readyAt }) => readyAt === Infinity && startedAt + stuckMs < at, at);
    }
  }

  #touchSomeSecret(): string | undefined {
    const known = targetsIn(this.#options);
    if (known.length === 0) return undefined;
    const { target } = this.#random.pick(known);
    const cluster = this.#clusters.get(target.cluster);
    if (!cluster?.secret(target.secret)) return undefined;
    const what = this.#random.pick(['annotate', 'drift', 'delete'] as const);
    if (what === 'annotate') return this.annotate(cluster, target.secret);
    if (what === 'delete') {
      cluster.deleteSecret(target.secret);
      return `deleted Secret ${target.cluster}/${target.secret}`;
    }
    const data = { 'tls.crt': Buffer.from(`not a certificate ${this.#acts}`).toString('base64') };
    cluster.patchSecret(target.secret, { data }, 'kubectl-edit');
    return `overwrote Secret ${target.cluster}/${target.secret}`;
  }

  #touchSomeWorkload(): string | undefined {
    const all = [...this.#clusters.values()].flatMap((cluster) =>
      [...cluster.workloads.keys()].map((key) => ({ cluster, key })),
    );
    if (all.length === 0) return undefined;
    const { cluster, key } = this.#random.pick(all);
    const pods = cluster.workloads.get(key);
    if (!pods) return undefined;
    const { kind } = pods.habits;
    const place = `${cluster.name}/${namespace}/${key}`;
    switch (this.#random.pick(['restart', 'drain', 'hold', 'hold', 'release', 'scale'] as const)) {
      case 'restart': {
        const restartedAt = new Date(cluster.now).toISOString().replace(/\.\d+Z$/, 'Z');
        const annotations = { 'kubectl.kubernetes.io/restartedAt': restartedAt };
        cluster.patchWorkload(key, { spec: { template: { metadata: { annotations } } } });
        return `restarted ${place}`;
      }
      case 'drain': {
        cluster.advance();
        pods.evict(({ ordinal }) => ordinal === 0, cluster.now);
        cluster.onDrain(key);
        return `drained a node under ${place}`;
      }
      case 'hold': {
        const waits = this.#random.pick([
          { type: 'OnDelete' },
          { type: 'RollingUpdate', ...partitionOf(kind, 1) },
        ]);
        const spec = kind === 'Deployment' ? { paused: true } : { updateStrategy: waits };
        cluster.patchWorkload(key, { spec });
        return `paused ${place}`;
      }
      case 'release': {
        const rolls = { type: 'RollingUpdate', ...partitionOf(kind, 0) };
        const spec = kind === 'Deployment' ? { paused: false } : { updateStrategy: rolls };
        cluster.patchWorkload(key, { spec });
        return `resumed ${place}`;
      }
      case 'scale': {
        if (kind === 'DaemonSet') return undefined;
        cluster.patchWorkload(key, { spec: { replicas: this.#random.between(0, 3) } });
        return `scaled ${place}`;
      }
    }
  }
}

function partitionOf(kind: string, partition: number): object {
  return kind === 'StatefulSet' ? { rollingUpdate: { partition } } : {};
}
