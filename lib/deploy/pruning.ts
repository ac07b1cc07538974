// Deletes the cluster Secrets whose target was removed, where the inventory says that they go.
import type { ClusterSpec } from '../certificate/cluster-spec.ts';
import { isSecretTarget, workloadKinds } from '../certificate/spec.ts';
import type { Cluster } from '../cluster-ports.ts';
import { toError } from '../errors.ts';
import { describeError } from '../log.ts';
import { isAgentCluster } from '../policy/agents.ts';
import { certificateAnnotation, type ListedSecret, nameWorkload } from '../policy/cluster-objects.ts';
import { nameTarget } from '../policy/deployment.ts';
import { findOrphans, type KnownTargets } from '../policy/pruning.ts';
import type { DeployPorts, DeployRun, PruneReport } from './run.ts';
import type { Selection } from './selection.ts';

/** What became of one Secret, or of a cluster that could not be looked at. */
export interface Pruned {
  readonly report: PruneReport;
  readonly failures: readonly Error[];
}

/** Looks in every cluster that says `prune`. Does nothing where the run names certificates, targets or clusters: only a run
 *  over everything knows what is no longer wanted. Never rejects. */
export async function pruneSecrets(
  selections: readonly Selection[],
  ports: DeployPorts,
  run: DeployRun,
): Promise<readonly Pruned[]> {
  if (run.certificates || run.targets || run.clusters) return [];
  const known = new Map(selections.flatMap(({ name, known: sure }) => (sure ? [[name, sure] as const] : [])));
  const clusters = Object.entries(run.inventory.clusters).filter(
    ([name, { prune }]) => prune !== undefined && !isAgentCluster(name, run.inventory),
  );
  const pruned = await Promise.all(
    clusters.map(([name, spec]) => pruneCluster(name, spec, known, ports, run)),
  );
  return pruned.flat();
}

async function pruneCluster(
  name: string,
  { prune }: ClusterSpec,
  known: ReadonlyMap<string, KnownTargets>,
  ports: DeployPorts,
  run: DeployRun,
): Promise<readonly Pruned[]> {
  const own = [...known.values()].flatMap(({ targets }) => targets.filter(isSecretTarget));
  const named = own.filter(({ cluster }) => cluster === name).map(({ namespace }) => namespace);
  const namespaces = new Set(prune === true ? named : prune);
  try {
    const cluster = await ports.connect(name, run.signal);
    try {
      const done: Pruned[] = [];
      for (const namespace of namespaces) {
        const place = { cluster: name, namespace };
        const orphans = findOrphans(place, await cluster.listSecrets(namespace, run.signal), known);
        for (const orphan of orphans) done.push(await pruneOne(place, orphan, cluster, ports, run));
      }
      return done;
    } finally {
      await cluster.close();
    }
  } catch (thrown) {
    return [describeFailure({ target: name }, toError(thrown), ports)];
  }
}

async function pruneOne(
  place: { readonly cluster: string; readonly namespace: string },
  { name, secret }: ListedSecret,
  cluster: Cluster,
  ports: DeployPorts,
  { dryRun = false, signal }: DeployRun,
): Promise<Pruned> {
  const target = nameTarget({ ...place, secret: name });
  const subject = { certificate: secret.annotations[certificateAnnotation], target };
  try {
    const users = await findUsers(place.namespace, name, cluster, signal);
    if (users.length > 0) {
      const message = `no target names the Secret, but ${users.join(', ')} still uses it: it stays`;
      return { report: { ...subject, outcome: 'kept', message }, failures: [] };
    }
    if (dryRun) {
      return { report: { ...subject, outcome: 'planned', message: 'would delete the Secret' }, failures: [] };
    }
    await cluster.deleteSecret(place.namespace, name, secret, signal);
    ports.log.info('Secret pruned', subject);
    return { report: { ...subject, outcome: 'deleted', message: 'Secret deleted' }, failures: [] };
  } catch (thrown) {
    return describeFailure(subject, toError(thrown), ports);
  }
}

async function findUsers(
  namespace: string,
  secret: string,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const lists = await Promise.all(
    workloadKinds.map((kind) => cluster.listWorkloads(namespace, kind, signal)),
  );
  return lists
    .flat()
    .filter(({ secrets }) => secrets.includes(secret))
    .map(nameWorkload);
}

function describeFailure(
  subject: Pick<PruneReport, 'certificate' | 'target'>,
  error: Error,
  { log }: DeployPorts,
): Pruned {
  const message = describeError(error);
  log.warn('Secret not pruned', { ...subject, problem: message });
  return { report: { ...subject, outcome: 'pending', message }, failures: [error] };
}
