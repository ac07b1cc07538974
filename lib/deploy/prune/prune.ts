// Deletes the cluster Secrets whose target was removed, where the inventory says that they go.

import { isSecretTarget, workloadKinds } from '../../certificate/spec.ts';
import { nameSome } from '../../policy/bounds.ts';
import { isAgentCluster } from '../../policy/delivery/agents.ts';
import {
  findOrphanedSecrets,
  findUsers,
  isAppliedByUs,
  type KnownTargets,
  type PossibleUsers,
} from '../../policy/delivery/pruning.ts';
import { nameTarget } from '../../policy/delivery/secret.ts';
import {
  certificateAnnotation,
  type ListedSecret,
  type OtherKind,
  type OtherUser,
  otherKinds,
} from '../../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { DeployInvocation, DeployPorts, PruneReport } from '../invocation.ts';
import type { DeliverySelection } from '../plan/selected.ts';

/** What became of one Secret, or of a cluster that could not be looked at. */
export interface Pruned {
  readonly report: PruneReport;
  readonly failures: readonly Error[];
}

/** A namespace of a cluster. */
interface SecretRef {
  readonly cluster: string;
  readonly namespace: string;
}

/** Names of the clusters that the run prunes: those that say `prune`. None where the run names certificates, targets or
 *  clusters: only a run over everything knows what is no longer wanted. */
export function findPrunedClusters({
  certificates,
  targets,
  clusters,
  inventory,
}: DeployInvocation): readonly string[] {
  if (certificates || targets || clusters) return [];
  return Object.entries(inventory.clusters)
    .filter(([name, { prune }]) => prune !== undefined && !isAgentCluster(name, inventory))
    .map(([name]) => name);
}

/** Looks into each of those clusters. Never rejects. */
export async function pruneSecrets(
  selections: readonly DeliverySelection[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly Pruned[]> {
  const known = new Map(selections.flatMap(({ name, known: sure }) => (sure ? [[name, sure] as const] : [])));
  const pruned = await Promise.all(
    findPrunedClusters(invocation).map((name) => pruneCluster(name, known, ports, invocation)),
  );
  return pruned.flat();
}

async function pruneCluster(
  name: string,
  known: ReadonlyMap<string, KnownTargets>,
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly Pruned[]> {
  const own = [...known.values()].flatMap(({ targets }) => targets.filter(isSecretTarget));
  const named = own.filter(({ cluster }) => cluster === name).map(({ namespace }) => namespace);
  const prune = invocation.inventory.clusters[name]?.prune;
  const namespaces = new Set(prune === true ? named : prune);
  try {
    const cluster = await ports.connect(name, invocation.signal);
    try {
      const done: Pruned[] = [];
      for (const namespace of namespaces) {
        done.push(...(await pruneNamespace({ cluster: name, namespace }, cluster, known, ports, invocation)));
      }
      return done;
    } finally {
      await cluster.close();
    }
  } catch (cause) {
    return [describeFailure({ target: name }, toError(cause), ports)];
  }
}

async function pruneNamespace(
  place: SecretRef,
  cluster: Cluster,
  known: ReadonlyMap<string, KnownTargets>,
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly Pruned[]> {
  try {
    const found = findOrphanedSecrets(
      place,
      await cluster.listSecrets(place.namespace, invocation.signal),
      known,
    );
    const orphans = found.filter(({ secret }) => isAppliedByUs(secret));
    const done: Pruned[] = found
      .filter((one) => !orphans.includes(one))
      .map((copy) => keepCopy(place, copy, ports));
    if (orphans.length === 0) return done;
    const users = listUsers(place.namespace, cluster, invocation.signal);
    for (const orphan of orphans) done.push(await pruneOne(place, orphan, users, cluster, ports, invocation));
    return done;
  } catch (cause) {
    return [describeFailure({ target: `${place.cluster}/${place.namespace}` }, toError(cause), ports)];
  }
}

function keepCopy(place: SecretRef, { name, secret }: ListedSecret, { log }: DeployPorts): Pruned {
  const certificate = secret.annotations[certificateAnnotation];
  const subject = { certificate, target: nameTarget({ ...place, secret: name }) };
  log.info('copy of a Secret kept', subject);
  const message = `no target names the Secret, and its label and annotations say that it holds ${certificate}, but Certrelay did not write it (its managedFields have no entry of certrelay with the certificate): it is a copy, or was restored from a backup; delete it yourself if nobody needs it`;
  return { report: { ...subject, outcome: 'kept', message }, failures: [] };
}

/** Whatever may use Secrets of the namespace. Where some of it may not be listed, nobody can know that a Secret is unused.
 *  @throws ClusterError */
async function listUsers(namespace: string, cluster: Cluster, signal: AbortSignal): Promise<PossibleUsers> {
  const [workloads, others, objects, delegatedClusters] = await Promise.all([
    Promise.all(workloadKinds.map((kind) => cluster.listWorkloads(namespace, kind, signal))),
    Promise.all(otherKinds.map((kind) => listOthers(namespace, kind, cluster, signal))),
    cluster.listTlsObjects(namespace, ['Ingress', 'Gateway'], signal),
    cluster.listGatewayNamespaces(namespace, signal),
  ]);
  const gateways = await Promise.all(
    delegatedClusters.map((other) => cluster.listTlsObjects(other, ['Gateway'], signal)),
  );
  return { workloads: [...workloads.flat(), ...others.flat()], objects: [...objects, ...gateways.flat()] };
}

async function listOthers(
  namespace: string,
  kind: OtherKind,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<readonly OtherUser[]> {
  try {
    return await cluster.listOthers(namespace, kind, signal);
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'NotFound') return [];
    throw error;
  }
}

async function pruneOne(
  place: SecretRef,
  { name, secret }: ListedSecret,
  listed: Promise<PossibleUsers>,
  cluster: Cluster,
  ports: DeployPorts,
  { dryRun = false, signal }: DeployInvocation,
): Promise<Pruned> {
  const orphan = { ...place, secret: name };
  const subject = { certificate: secret.annotations[certificateAnnotation], target: nameTarget(orphan) };
  try {
    const users = findUsers(orphan, await listed);
    if (users.length > 0) {
      const message = `no target names the Secret, but it stays as long as it is used by ${nameSome(users)}: have another Secret used there, or give this one a target again`;
      return { report: { ...subject, outcome: 'kept', message }, failures: [] };
    }
    if (dryRun) {
      return { report: { ...subject, outcome: 'planned', message: 'would delete the Secret' }, failures: [] };
    }
    await cluster.deleteSecret(place.namespace, name, secret, signal);
    ports.log.info('Secret pruned', subject);
    return { report: { ...subject, outcome: 'deleted', message: 'Secret deleted' }, failures: [] };
  } catch (cause) {
    return describeFailure(subject, toError(cause), ports);
  }
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
