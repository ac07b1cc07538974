// Rules for what deploy says: delivered means that the pods carry it. And what must have come true once the
// faults are over.
import type { DeployReport } from '../../lib/deploy/invocation.ts';
import { nameTarget } from '../../lib/policy/delivery/secret-plan.ts';
import type { MemoryCluster } from './cluster.ts';
import { type LedgerEntry, nameEntry } from './ledger.ts';
import { renewalOf } from './order-rules.ts';
import type { SimulatedPod, WorkloadPods } from './pods.ts';
import {
  concernedBy,
  type JudgedSimulation,
  type KnownTarget,
  keyOf,
  strictness,
  targetsIn,
} from './rules.ts';
import type { SimulatedRun } from './scheduler.ts';
import { isUnmarkedNeighbour } from './workload-rules.ts';

/** Judges a report of deploy: what it calls delivered or unchanged is carried by the pods. */
export function judgeReport(report: DeployReport, run: SimulatedRun, simulation: JudgedSimulation): void {
  const { ledger, tally, violate } = simulation;
  const known = targetsIn(simulation.options);
  for (const { version, targets } of report.certificates) {
    const entry = ledger.ofVersion(version);
    for (const { target: name, outcome } of targets) {
      if (outcome === 'waiting') tally.count('delivery waited for its window');
      if (outcome !== 'delivered' && outcome !== 'unchanged') continue;
      const found = known.find(({ target }) => nameTarget(target) === name);
      if (!entry || !found) violate(`${run.name} reports ${name} as ${outcome}, and nobody knows it`);
      else {
        const lack = findLack({ known: found, entry, run }, simulation);
        if (lack !== undefined)
          violate(`${run.name} reports ${name} as ${outcome} with ${nameEntry(entry)}: ${lack}`);
      }
    }
  }
}

/** What is not as a report says it is; `undefined` for nothing that is the story's fault. */
function findLack(
  {
    known: { target },
    entry,
    run,
  }: {
    readonly known: KnownTarget;
    readonly entry: LedgerEntry;
    readonly run: SimulatedRun;
  },
  simulation: JudgedSimulation,
): string | undefined {
  const { clusters, history, ledger } = simulation;
  const cluster = clusters.get(target.cluster);
  // What others have changed meanwhile is for the next invocation.
  if (!cluster || history.isTouched(keyOf(target), run.startedAt, run)) return undefined;
  const inSecret = ledger.ofValue(cluster.valueOf(target.secret));
  if (inSecret !== entry) return `the Secret has ${nameEntry(inSecret)}`;
  if (history.hasHadTwice(keyOf(target), entry.fingerprint) && !strictness.drift) return undefined;
  for (const [name, pods] of concernedBy(target, simulation)) {
    const key = `${target.cluster}/${name}`;
    if (history.isTouched(key, run.startedAt, run)) continue;
    if (!strictness.neighbours && isUnmarkedNeighbour(cluster, name, target)) continue;
    if (history.wasHeld(key, entry.notBefore.getTime()) && !strictness.delivered) continue;
    const left = pods.pods.find((pod) => !carries(pod, target.secret, entry, simulation));
    if (left) {
      const has = nameEntry(ledger.ofValue(left.carries[target.secret]));
      return `a pod of ${name} carries ${has}${pods.heldBy() ? ` (${pods.heldBy()})` : ''}`;
    }
  }
  return undefined;
}

function carries(
  { carries: values, startedAt }: SimulatedPod,
  secret: string,
  entry: LedgerEntry,
  { ledger }: JudgedSimulation,
): boolean {
  const found = ledger.ofValue(values[secret]);
  // A pod that has not started takes what the Secret has then.
  if (startedAt === Infinity || found === entry) return true;
  return found === undefined && !strictness.drift;
}

/** What has not come true since the faults ended. Each is looked at until it holds once. */
export class Liveness {
  readonly #simulation: JudgedSimulation;
  readonly #open: Map<string, () => boolean>;

  constructor(simulation: JudgedSimulation, hasTxtValues: () => boolean) {
    this.#simulation = simulation;
    const certificates = simulation.options.inventory.certificates.map(
      ({ name }) => [`${name} is stored and not due`, () => this.#isStored(name)] as const,
    );
    const targets = targetsIn(simulation.options).map(
      (known) =>
        [`${nameTarget(known.target)} has it, and so have its pods`, () => this.#isThere(known)] as const,
    );
    const dns = ['no TXT value is left in DNS', () => !hasTxtValues()] as const;
    this.#open = new Map([...certificates, ...targets, dns]);
  }

  /** Looks again, and returns what is still open. */
  look(): readonly string[] {
    for (const [what, holds] of this.#open) if (holds()) this.#open.delete(what);
    return [...this.#open.keys()];
  }

  #current(certificate: string): LedgerEntry | undefined {
    const { ledger, secrets } = this.#simulation;
    return ledger.ofVersion(secrets.look(certificate)?.current);
  }

  #isStored(certificate: string): boolean {
    const { clock, secrets } = this.#simulation;
    const current = this.#current(certificate);
    return current !== undefined && clock.now < renewalOf(current) && !secrets.look(certificate)?.isClaimed;
  }

  #isThere({ certificate, target }: KnownTarget): boolean {
    const { clusters, clock, ledger, secrets } = this.#simulation;
    const cluster: MemoryCluster | undefined = clusters.get(target.cluster);
    const current = this.#current(certificate);
    if (!cluster || !current || ledger.ofValue(cluster.valueOf(target.secret)) !== current) return false;
    const isRunning = ({ pods }: WorkloadPods) =>
      pods.every((pod) => pod.readyAt <= clock.now && ledger.ofValue(pod.carries[target.secret]) === current);
    const { deployed } = secrets.look(certificate)?.state ?? {};
    const index = targetsIn(this.#simulation.options)
      .filter((known) => known.certificate === certificate)
      .findIndex((known) => known.target === target);
    const isRecorded =
      ledger.ofVersion(deployed?.version) === current && deployed?.phases[index] === 'rolled-out';
    return isRecorded && concernedBy(target, this.#simulation).every(([, pods]) => isRunning(pods));
  }
}
