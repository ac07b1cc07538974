// Rules for restarts: once for a certificate, only with what the Secret holds, and the canary before the
// others.
import type { SecretTarget } from '../../lib/certificate/spec.ts';
import type { KubernetesObject } from '../sandbox/kubernetes/objects.ts';
import type { ClusterChange, MemoryCluster } from './cluster.ts';
import { type LedgerEntry, nameEntry } from './ledger.ts';
import { concernedBy, type JudgedSimulation, type KnownTarget, strictness, targetsIn } from './rules.ts';

/** The marks that were set. */
export interface KnownMarks {
  /** By workload, Secret, certificate and how often that had been taken back by then. */
  readonly all: Set<string>;
  /** The last one, by workload and Secret, and the invocation that set it. */
  readonly last: Map<string, { readonly entry: LedgerEntry; readonly run: string }>;
  /** Workloads of which some pods were not ready when a mark was set. */
  readonly unavailable: Set<string>;
  /** Workloads that ran with a certificate before they were restarted for something else. */
  readonly proven: Set<string>;
}

/** Judges a change of a workload's object when it takes effect. */
export function judgeRestart(change: ClusterChange, marks: KnownMarks, simulation: JudgedSimulation): void {
  const { clusters, clock, history, ledger } = simulation;
  const { cluster: name, name: workload, before, after } = change;
  const run = simulation.actor();
  const key = `${name}/${workload}`;
  const cluster = clusters.get(name);
  if (cluster) noteProven(cluster, workload, marks, simulation);
  if (!run) {
    history.touch(key, clock.now, run);
    return;
  }
  if (!before || !after || !cluster || before.metadata.generation === after.metadata.generation) return;
  const fresh = targetsIn(simulation.options).flatMap((known) => {
    const { target, certificate } = known;
    const [old, mark] = [markOf(before, target), markOf(after, target)];
    // After a dot it may say when the Secret was put right.
    const entry = ledger.ofFingerprint(mark?.split('.')[0]);
    const isFresh = target.cluster === name && mark !== old && entry?.certificate === certificate;
    return isFresh && mark !== undefined ? [{ cluster, workload, mark, entry, known }] : [];
  });
  const isFrozen = simulation.options.inventory.certificates.some(
    (one) => history.freezeOf(one.name).freeze !== undefined,
  );
  // Taking a version back puts the former template back, which may have had no mark.
  const isRace = !strictness.races && history.isTouched(key, run.startedAt, run);
  if (fresh.length === 0 && !isFrozen && !isRace)
    simulation.violate(`${key} was restarted without a new mark`);
  for (const mark of fresh) judgeMark(mark, marks, simulation);
  // One restart is for all Secrets of a workload: it begins as soon as one of their targets is so far.
  const tooEarly = fresh.map((mark) => judgeCanary(mark, marks, simulation));
  const [first] = tooEarly;
  if (first !== undefined && !isRace && !tooEarly.includes(undefined)) simulation.violate(first);
  history.touch(key, clock.now, run);
}

interface NewMark {
  readonly cluster: MemoryCluster;
  readonly workload: string;
  readonly mark: string;
  readonly entry: LedgerEntry;
  readonly known: KnownTarget;
}

function judgeMark(mark: NewMark, marks: KnownMarks, simulation: JudgedSimulation): void {
  const { cluster, workload, mark: value, entry, known } = mark;
  const { target } = known;
  const { history, ledger, violate, tally } = simulation;
  const run = simulation.actor();
  const [place, secret] = [`${cluster.name}/${workload}`, `${cluster.name}/${target.secret}`];
  const since = run?.startedAt ?? 0;
  const { epoch, freeze } = history.freezeOf(entry.certificate);
  const id = `${place} ${target.secret} ${value} ${epoch}`;
  const isDisturbed = history.isTouched(place, since, run) || history.isTouched(secret, since, run);
  if (marks.all.has(id) && !isDisturbed) violate(`${place} was restarted twice for ${nameEntry(entry)}`);
  marks.all.add(id);
  const isAvailable = cluster.workloads.get(workload)?.isAvailable(simulation.clock.now);
  if (!isAvailable) marks.unavailable.add(`${place} ${target.secret} ${entry.fingerprint}`);
  noteLast(mark, marks, simulation);
  const held = ledger.ofValue(cluster.valueOf(target.secret));
  // The former template comes back with the mark that it had.
  const isFormer = freeze !== undefined && held !== undefined && entry.ordinal < held.ordinal;
  if (held !== entry && !isDisturbed && !isFormer)
    violate(`${place} was restarted for ${nameEntry(entry)}, and Secret ${secret} has ${nameEntry(held)}`);
  if (!concernedBy(target, simulation).some(([name]) => name === workload))
    violate(`${place} was restarted for ${nameEntry(entry)}, and its target does not say so`);
  if (target.rollout) tally.count('rollout in waves');
}

/** Its pods are still those from before the change: a controller takes a while to see it. */
function noteProven(
  cluster: MemoryCluster,
  workload: string,
  { proven }: KnownMarks,
  { clock, ledger }: JudgedSimulation,
): void {
  const { pods = [], habits } = cluster.workloads.get(workload) ?? {};
  for (const secret of habits?.secrets ?? []) {
    const entries = new Set(pods.map(({ carries }) => ledger.ofValue(carries[secret])));
    const [entry] = entries;
    const isRunning = pods.every(({ readyAt }) => readyAt <= clock.now);
    if (entry && entries.size === 1 && isRunning)
      proven.add(`${cluster.name}/${workload} ${secret} ${entry.fingerprint}`);
  }
}

function noteLast(
  { cluster, workload, entry, known: { target } }: NewMark,
  marks: KnownMarks,
  simulation: JudgedSimulation,
) {
  const { history, tally } = simulation;
  const run = simulation.actor()?.name ?? '';
  const key = `${cluster.name}/${workload} ${target.secret}`;
  const others = [...marks.last].filter(([other]) => other !== key && other.endsWith(` ${target.secret}`));
  if (target.rollout && others.some(([, last]) => last.entry === entry && last.run !== run))
    tally.count('rollout continued by a later invocation');
  const last = marks.last.get(key);
  if (last && last.entry.ordinal > entry.ordinal) history.noteRollback(entry.certificate);
  marks.last.set(key, { entry, run });
}

/** Why a workload had to wait for its canary; `undefined` if it had not. */
function judgeCanary(
  { cluster, workload, entry, known: { target } }: NewMark,
  { proven, unavailable }: KnownMarks,
  { clock, history, ledger, actor }: JudgedSimulation,
): string | undefined {
  const { canary } = target.rollout ?? {};
  const run = actor();
  if (!canary || !run || history.freezeOf(entry.certificate).freeze) return undefined;
  // A Secret that is put right has a certificate that ran there before.
  if (history.hasHadTwice(`${cluster.name}/${target.secret}`, entry.fingerprint)) return undefined;
  const name = `${canary.kind} ${canary.name}`;
  const pods = cluster.workloads.get(name);
  if (!pods || name === workload) return undefined;
  if (!strictness.neighbours && isUnmarkedNeighbour(cluster, name, target)) return undefined;
  const heldBy = pods.heldBy();
  if (heldBy !== undefined && !strictness.delivered) return undefined;
  const places = [`${cluster.name}/${name}`, `${cluster.name}/${target.secret}`];
  if (places.some((place) => history.isTouched(place, run.startedAt, run))) return undefined;
  const id = `${cluster.name}/${name} ${target.secret} ${entry.fingerprint}`;
  // Pods that were not ready before need not be ready after; one that has not started takes what is there.
  const isDone = pods.pods.every(({ carries, startedAt, readyAt }) => {
    const isReady = readyAt <= clock.now || unavailable.has(id);
    return isReady && (startedAt === Infinity || ledger.ofValue(carries[target.secret]) === entry);
  });
  if (isDone || proven.has(id)) return undefined;
  const why = heldBy === undefined ? '' : ` (${heldBy})`;
  return `${cluster.name}/${workload} was restarted for ${nameEntry(entry)} before its canary ${name} ran with it${why}`;
}

/** Whether a workload of several Secrets has no mark of the target's. */
export function isUnmarkedNeighbour(cluster: MemoryCluster, workload: string, target: SecretTarget): boolean {
  const { habits } = cluster.workloads.get(workload) ?? {};
  return (habits?.secrets.length ?? 0) > 1 && markOf(cluster.workload(workload), target) === undefined;
}

/** The mark of a target's Secret. */
function markOf(object: KubernetesObject, target: SecretTarget): string | undefined {
  const text = JSON.stringify(object.spec);
  const begin =
    target.restartStrategy === 'env'
      ? '"name":"LETSENCRYPT_CERT_REFRESH","value":"'
      : `"certrelay.dev/fingerprint-${target.secret}":"`;
  const at = text.indexOf(begin);
  return at < 0 ? undefined : text.slice(at + begin.length, text.indexOf('"', at + begin.length));
}
