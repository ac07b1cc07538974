// Makes the clusters of a simulation, and has every change of theirs judged.
import { type ClusterChange, MemoryCluster } from './cluster.ts';
import { nameEntry } from './ledger.ts';
import type { Narration } from './narration.ts';
import type { PlannedWorkload } from './options.ts';
import type { JudgedSimulation } from './rules.ts';
import { judgeSecretChange } from './secret-rules.ts';
import { bodyOf } from './workload-object.ts';
import { judgeRestart, type KnownMarks } from './workload-rules.ts';

/** What a cluster is made with. */
export interface ClusterSurroundings {
  readonly simulation: JudgedSimulation;
  readonly narration: Narration;
  /** Whether certificates that some workload cannot run with are none any more. */
  readonly isMended: () => boolean;
}

/** One of the simulation's clusters, with its workloads. */
export function makeCluster(
  name: string,
  { simulation, narration, isMended }: ClusterSurroundings,
): MemoryCluster {
  const cluster = new MemoryCluster(name, simulation.clock);
  const marks: KnownMarks = { all: new Set(), last: new Map(), unavailable: new Set(), proven: new Set() };
  cluster.onChange = (what, change) => {
    const run = simulation.actor();
    const by = run?.name ?? 'somebody';
    const now = what === 'secret' ? ` now has ${describeValue(change, cluster, simulation)}` : '';
    narration.note(by, `changed ${what} ${name}/${change.name}${now}`);
    if (run?.isDryRun) simulation.violate(`${by} is a dry run and changed ${name}/${change.name}`);
    if (what === 'secret') judgeSecretChange(change, simulation);
    else judgeRestart(change, marks, simulation);
    noteHeld(cluster, simulation);
  };
  for (const planned of simulation.options.workloads.filter((one) => one.cluster === name)) {
    cluster.add(
      planned,
      bodyOf(planned),
      (carries) => !isMended() && isRejected(planned, carries, simulation),
    );
  }
  return cluster;
}

function describeValue(change: ClusterChange, cluster: MemoryCluster, { ledger }: JudgedSimulation): string {
  return change.after ? nameEntry(ledger.ofValue(cluster.valueOf(change.name))) : 'nothing';
}

function noteHeld(cluster: MemoryCluster, { clock, history }: JudgedSimulation): void {
  for (const [key, pods] of cluster.workloads)
    if (pods.heldBy() !== undefined) history.noteHeld(`${cluster.name}/${key}`, clock.now);
}

function isRejected(
  { cluster, kind, name }: PlannedWorkload,
  carries: Readonly<Record<string, string>>,
  { ledger, options, tally }: JudgedSimulation,
): boolean {
  const entries = Object.values(carries).map((value) => ledger.ofValue(value));
  const isBad = options.bad.some(
    ({ certificate, ordinal, workload }) =>
      workload === `${cluster}/${kind} ${name}` &&
      entries.some((entry) => entry?.certificate === certificate && entry.ordinal === ordinal),
  );
  if (isBad) tally.count('workload never ready with a certificate');
  return isBad;
}
