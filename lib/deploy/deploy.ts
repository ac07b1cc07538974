// The deploy story: every certificate asked for, to every target asked for, all clusters side by side.

import { mostAnswerBytes, takeFitting } from '../policy/bounds.ts';
import { isAgentCluster } from '../policy/delivery/agents.ts';
import { nameDestination } from '../policy/delivery/secret.ts';
import { isPutOff } from '../policy/issuance/backoff.ts';
import type { DeliveryRetry } from '../state/delivery.ts';
import { deployToAcm } from './acm/acm.ts';
import { describeReported } from './agents.ts';
import { deployToCluster } from './cluster/cluster.ts';
import { shareConnections } from './cluster/connections.ts';
import {
  type AnyJob,
  type DeployInvocation,
  type DeployPorts,
  type DeployReport,
  isForAcm,
  isForCluster,
  type JobResult,
} from './invocation.ts';
import { refuseMisfits } from './plan/allowance.ts';
import type { DeliverySelection } from './plan/selected.ts';
import { selectForDelivery } from './plan/selection.ts';
import { findPrunedClusters, type Pruned, pruneSecrets } from './prune/prune.ts';
import { listWorst, recordCertificates } from './record/record.ts';

/** Delivers AWSCURRENT of each certificate to its targets and waits for the rollouts. May be run twice: what is
 *  delivered already is looked at and left. A dry run looks, plans and changes nothing.
 *
 *  Everything is tried before this resolves; what went wrong is in the report's `failures`, and the caller throws it as
 *  one AggregateError once the report is written. A rollout that is merely not finished yet is `pending` and no failure.
 *  @throws StoreError where the store cannot be listed: nothing has been tried then. */
export async function deployCertificates(
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<DeployReport> {
  const startedAt = ports.clock.now().getTime();
  const selections = await selectForDelivery(ports, invocation);
  const jobs = selections.flatMap((selection) => (selection.kind === 'selected' ? selection.asked : []));
  const waiting = new Map([
    ...findWaiting(selections, ports, invocation),
    ...refuseMisfits(selections, ports),
  ]);
  const due = jobs.filter((job) => !waiting.has(job));
  const { delivered, pruned } = await workInClusters(due, selections, ports, invocation);
  const results = new Map([...waiting, ...delivered]);
  const recorded = await recordCertificates(selections, results, ports, invocation);
  const failures = new Map(
    [
      ...recorded.map((one) => [one.report.name, one.failures] as const),
      ...findUnknown(jobs, invocation),
      ...pruned.map((one) => [one.report.target, one.failures] as const),
    ].filter(([, errors]) => errors.length > 0),
  );
  ports.log.info('deploy finished', {
    certificates: recorded.length,
    failed: failures.size,
    // Absent where the pass was over everything: its silence raises an alarm (infra/alarms.yml).
    asked: (invocation.targets ?? invocation.certificates ?? invocation.delegatedClusters)?.length,
    ms: ports.clock.now().getTime() - startedAt,
  });
  const listed = listWorst(recorded.map(({ report }) => report));
  const fitting = takeFitting(
    pruned.map(({ report }) => report),
    mostAnswerBytes * 0.2,
  );
  const omitted = (listed.omitted ?? 0) + pruned.length - fitting.length;
  return {
    certificates: listed.certificates,
    ...(omitted > 0 ? { omitted } : {}),
    pruned: fitting,
    failures,
  };
}

/** What has failed too lately for a pass that nobody asked for by name. A target that waits for its window is never among it:
 *  it may be another one that failed, and the window would go by. */
function findWaiting(
  selections: readonly DeliverySelection[],
  { clock }: DeployPorts,
  { certificates, targets, inventory }: DeployInvocation,
): ReadonlyMap<AnyJob, JobResult> {
  if (certificates || targets) return new Map();
  const now = clock.now();
  return new Map(
    selections.flatMap((selection) => {
      if (selection.kind !== 'selected') return [];
      const { retry, asked } = selection;
      if (!retry || !isPutOff(retry.after, now)) return [];
      return asked
        .filter(({ step, freeze }) => step === 'none' && !freeze)
        .filter((job) => !(isForCluster(job) && job.target.rollout?.windows.length))
        .filter((job) => !(isForCluster(job) && isAgentCluster(job.target.cluster, inventory)))
        .map((job) => [job, describeWaiting(job, retry)] as const);
    }),
  );
}

function describeWaiting({ delivery, target, step }: AnyJob, { failures, after }: DeliveryRetry): JobResult {
  const { certificate } = delivery;
  const message = `not delivered yet, after ${failures} failures; tried again from ${after.toISOString()}, or at once where it is asked for by name`;
  const name = nameDestination(target, certificate);
  return {
    step,
    failures: [],
    report: { certificate, target: name, outcome: 'pending', restarted: [], message },
  };
}

/** Delivers, then prunes. */
async function workInClusters(
  due: readonly AnyJob[],
  selections: readonly DeliverySelection[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<{ readonly delivered: ReadonlyMap<AnyJob, JobResult>; readonly pruned: readonly Pruned[] }> {
  const connections = shareConnections(ports.connect, findPrunedClusters(invocation));
  const shared = { ...ports, connect: connections.connect };
  try {
    const delivered = await deliver(due, shared, invocation);
    return { delivered, pruned: await pruneSecrets(selections, shared, invocation) };
  } finally {
    await connections.close();
  }
}

async function deliver(
  jobs: readonly AnyJob[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<ReadonlyMap<AnyJob, JobResult>> {
  const results = new Map<AnyJob, JobResult>();
  const keep = (members: readonly AnyJob[], done: readonly JobResult[]) => {
    for (const [index, result] of done.entries()) {
      const job = members[index];
      if (job) results.set(job, result);
    }
  };
  const byCluster = Map.groupBy(jobs.filter(isForCluster), ({ target }) => target.cluster);
  const byRegion = Map.groupBy(jobs.filter(isForAcm), ({ target }) => target.acm.region);
  await Promise.all([
    ...[...byCluster].map(async ([cluster, members]) => {
      const isReported = isAgentCluster(cluster, invocation.inventory);
      const done = isReported
        ? members.map(describeReported)
        : await deployToCluster(cluster, members, ports, invocation);
      keep(members, done);
    }),
    ...[...byRegion].map(async ([region, members]) =>
      keep(members, await deployToAcm(region, members, ports, invocation)),
    ),
  ]);
  return results;
}

/** A target asked for by name that no certificate has, of those that can be delivered; and a cluster that there is not. */
function findUnknown(jobs: readonly AnyJob[], { targets, clusters, inventory }: DeployInvocation) {
  const unknown = (clusters ?? []).filter((name) => !Object.hasOwn(inventory.clusters, name));
  const known = new Set(jobs.map(({ target, delivery }) => nameDestination(target, delivery.certificate)));
  const missing = (targets ?? []).filter((target) => !known.has(target));
  return [
    ...missing.map((target) => [target, `no certificate that can be delivered has the target ${target}`]),
    ...unknown.map((name) => [name, `the inventory has no cluster "${name}"`]),
  ].map(([name = '', message]) => [name, [new Error(message)]] as const);
}
