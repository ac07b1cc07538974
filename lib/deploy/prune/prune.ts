// Deletes Kubernetes Secrets whose target was removed, in clusters with `prune`.

import { workloadKinds } from '../../certificate/rollout-spec.ts';
import { isSecretTarget } from '../../certificate/spec.ts';
import { nameSome } from '../../policy/bounds.ts';
import { isAgentCluster } from '../../policy/delivery/agents.ts';
import {
  findOrphanedSecrets,
  findUsers,
  isAppliedByUs,
  type KnownTargets,
  type PossibleUsers,
} from '../../policy/delivery/pruning.ts';
import { nameTarget } from '../../policy/delivery/secret-plan.ts';
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

/** The result for one Secret, or for a cluster or namespace that could not be listed. */
export interface Pruned {
  readonly report: PruneReport;
  readonly failures: readonly Error[];
}

/** A namespace of a cluster. */
interface ClusterNamespace {
  readonly cluster: string;
  readonly namespace: string;
}

/** Names of the clusters with `prune` that this invocation prunes. Empty if the request names certificates,
 *  targets or clusters: only an invocation over everything knows which Secrets have lost their target. */
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

/** Prunes each of those clusters. One result for each Secret that has lost its target. Never rejects. */
export async function pruneSecrets(
  selections: readonly DeliverySelection[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly Pruned[]> {
  const known = new Map(
    selections.flatMap(({ name, known: targets }) => (targets ? [[name, targets] as const] : [])),
  );
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
  const secretTargets = [...known.values()].flatMap(({ targets }) => targets.filter(isSecretTarget));
  const used = secretTargets.filter(({ cluster }) => cluster === name).map(({ namespace }) => namespace);
  const prune = invocation.inventory.clusters[name]?.prune;
  const namespaces = new Set(prune === true ? used : prune);
  try {
    const cluster = await ports.connect(name, invocation.signal);
    try {
      const pruned: Pruned[] = [];
      for (const namespace of namespaces) {
        pruned.push(
          ...(await pruneNamespace(
            { from: { cluster: name, namespace }, cluster, known },
            ports,
            invocation,
          )),
        );
      }
      return pruned;
    } finally {
      await cluster.close();
    }
  } catch (cause) {
    return [describeFailure({ target: name }, toError(cause), ports)];
  }
}

async function pruneNamespace(
  namespace: {
    readonly from: ClusterNamespace;
    readonly cluster: Cluster;
    readonly known: ReadonlyMap<string, KnownTargets>;
  },
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly Pruned[]> {
  const { from, cluster, known } = namespace;
  try {
    const found = findOrphanedSecrets(
      from,
      await cluster.listSecrets(from.namespace, invocation.signal),
      known,
    );
    const orphans = found.filter(({ secret }) => isAppliedByUs(secret));
    const pruned: Pruned[] = found
      .filter((candidate) => !orphans.includes(candidate))
      .map((copy) => keepCopy(from, copy, ports));
    if (orphans.length === 0) return pruned;
    const users = listUsers(from.namespace, cluster, invocation.signal);
    for (const orphan of orphans)
      pruned.push(await pruneSecret({ from, orphan, users, cluster }, ports, invocation));
    return pruned;
  } catch (cause) {
    return [describeFailure({ target: `${from.cluster}/${from.namespace}` }, toError(cause), ports)];
  }
}

function keepCopy(from: ClusterNamespace, { name, secret }: ListedSecret, { log }: DeployPorts): Pruned {
  const certificate = secret.annotations[certificateAnnotation];
  const subject = { certificate, target: nameTarget({ ...from, secret: name }) };
  log.info('copy of a Secret kept', subject);
  const message = `no target names this Secret. Its label and annotations say that it contains ${certificate}, but its managedFields show that Certrelay did not write it: it is a copy, or was restored from a backup. Delete it yourself if nothing needs it`;
  return { report: { ...subject, outcome: 'kept', message }, failures: [] };
}

/** Everything that may use Secrets of the namespace.
 *  @throws ClusterError if any of it cannot be listed: then no Secret is known to be unused. */
async function listUsers(namespace: string, cluster: Cluster, signal: AbortSignal): Promise<PossibleUsers> {
  const [workloads, others, objects, gatewayNamespaces] = await Promise.all([
    Promise.all(workloadKinds.map((kind) => cluster.listWorkloads(namespace, kind, signal))),
    Promise.all(otherKinds.map((kind) => listOthers(namespace, kind, cluster, signal))),
    cluster.listTlsObjects(namespace, ['Ingress', 'Gateway'], signal),
    cluster.listGatewayNamespaces(namespace, signal),
  ]);
  const gateways = await Promise.all(
    gatewayNamespaces.map((name) => cluster.listTlsObjects(name, ['Gateway'], signal)),
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

/** A Secret that no target names, and whatever may use Secrets of its namespace. */
interface OrphanedSecret {
  readonly from: ClusterNamespace;
  readonly orphan: ListedSecret;
  readonly users: Promise<PossibleUsers>;
  readonly cluster: Cluster;
}

async function pruneSecret(
  { from, orphan: found, users: listed, cluster }: OrphanedSecret,
  ports: DeployPorts,
  { dryRun = false, signal }: DeployInvocation,
): Promise<Pruned> {
  const { name, secret } = found;
  const orphan = { ...from, secret: name };
  const subject = { certificate: secret.annotations[certificateAnnotation], target: nameTarget(orphan) };
  try {
    const users = findUsers(orphan, await listed);
    if (users.length > 0) {
      const message = `no target names this Secret, but ${nameSome(users)} still ${users.length === 1 ? 'uses' : 'use'} it; use another Secret there, or add a target for this one again`;
      return { report: { ...subject, outcome: 'kept', message }, failures: [] };
    }
    if (dryRun) {
      return { report: { ...subject, outcome: 'planned', message: 'would delete the Secret' }, failures: [] };
    }
    await cluster.deleteSecret(from.namespace, name, secret, signal);
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
