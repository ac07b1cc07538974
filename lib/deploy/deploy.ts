// The deploy story: delivers each requested certificate to its targets, all clusters at once.

import { mostAnswerBytes, takeFitting } from '../policy/bounds.ts';
import { isAgentCluster } from '../policy/delivery/agents.ts';
import { nameDestination } from '../policy/delivery/secret-plan.ts';
import { isPutOff } from '../policy/issuance/backoff.ts';
import type { DeliveryRetry } from '../state/delivery.ts';
import { deployToAcm } from './acm/acm.ts';
import { describeAgentReport } from './agents.ts';
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
import { applyPruning, describePruning, type Pruned } from './prune/apply.ts';
import { findPrunedClusters, planPruning } from './prune/plan.ts';
import { listWorst, recordCertificates } from './record/record.ts';

/** Delivers AWSCURRENT of each certificate to its targets and waits for the rollouts. May be called twice: a
 *  target that already has the version is read and left unchanged. A dry run reads and plans, and changes
 *  nothing.
 *
 *  Tries every target before it resolves. Errors are in the report's `failures`; the caller throws them as
 *  one AggregateError after the report is written. A rollout that is not finished yet is `pending`, which is
 *  no failure.
 *  @throws StoreError if the store cannot be listed. No target has been tried then. */
export async function deployCertificates(
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<DeployReport> {
  const startedAt = ports.clock.now().getTime();
  const selections = await selectForDelivery(ports, invocation);
  const jobs = selections.flatMap((selection) => (selection.kind === 'selected' ? selection.requested : []));
  const notAttempted = new Map([
    ...findBackingOff(selections, ports, invocation),
    ...refuseMisfits(selections, ports),
  ]);
  const due = jobs.filter((job) => !notAttempted.has(job));
  const { delivered, pruned } = await deliverAndPrune(due, selections, ports, invocation);
  const results = new Map([...notAttempted, ...delivered]);
  const recorded = await recordCertificates(selections, results, ports, invocation);
  const failures = new Map(
    [
      ...recorded.map(({ report, failures: errors }) => [report.name, errors] as const),
      ...findUnknown(jobs, invocation),
      ...pruned.map(({ report, failures: errors }) => [report.target, errors] as const),
    ].filter(([, errors]) => errors.length > 0),
  );
  ports.log.info('deploy finished', {
    certificates: recorded.length,
    failed: failures.size,
    // Absent after a pass over everything: an alarm fires when such passes stop (infra/alarms.yml).
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

/** The jobs whose certificate failed recently and is in its back-off, each with a `pending` result. Empty if
 *  the request names certificates or targets. Never a job with maintenance windows: another target may have
 *  failed, and the window would pass unused. */
function findBackingOff(
  selections: readonly DeliverySelection[],
  { clock }: DeployPorts,
  { certificates, targets, inventory }: DeployInvocation,
): ReadonlyMap<AnyJob, JobResult> {
  if (certificates || targets) return new Map();
  const now = clock.now();
  return new Map(
    selections.flatMap((selection) => {
      if (selection.kind !== 'selected') return [];
      const { retry, requested } = selection;
      if (!retry || !isPutOff(retry.after, now)) return [];
      return requested
        .filter(({ phase, freeze }) => phase === 'none' && !freeze)
        .filter((job) => !(isForCluster(job) && job.target.rollout?.windows.length))
        .filter((job) => !(isForCluster(job) && isAgentCluster(job.target.cluster, inventory)))
        .map((job) => [job, describeBackingOff(job, retry)] as const);
    }),
  );
}

function describeBackingOff(
  { delivery, target, phase }: AnyJob,
  { failures, after }: DeliveryRetry,
): JobResult {
  const { certificate } = delivery;
  const message = `not delivered after ${failures} failed ${failures === 1 ? 'attempt' : 'attempts'}; tried again after ${after.toISOString()}, or at once if you name the certificate`;
  const name = nameDestination(target, certificate);
  return {
    phase,
    failures: [],
    report: { certificate, target: name, outcome: 'pending', restarted: [], message },
  };
}

/** Delivers to all targets, then prunes. A cluster that needs both gets one connection. */
async function deliverAndPrune(
  due: readonly AnyJob[],
  selections: readonly DeliverySelection[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<{ readonly delivered: ReadonlyMap<AnyJob, JobResult>; readonly pruned: readonly Pruned[] }> {
  const connections = shareConnections(ports.connect, findPrunedClusters(invocation));
  const shared = { ...ports, connect: connections.connect };
  try {
    const delivered = await deliver(due, shared, invocation);
    return { delivered, pruned: await prune(selections, shared, invocation) };
  } finally {
    await connections.close();
  }
}

/** Prunes each cluster by itself, so that one that answers slowly does not delay the others. */
async function prune(
  selections: readonly DeliverySelection[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly Pruned[]> {
  const pruned = await Promise.all(
    findPrunedClusters(invocation).map(async (cluster) => {
      const plans = await planPruning(cluster, selections, ports, invocation);
      if (invocation.dryRun) return plans.map(describePruning);
      return applyPruning(plans, ports, invocation.signal);
    }),
  );
  return pruned.flat();
}

async function deliver(
  jobs: readonly AnyJob[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<ReadonlyMap<AnyJob, JobResult>> {
  const results = new Map<AnyJob, JobResult>();
  const collect = (members: readonly AnyJob[], finished: readonly JobResult[]) => {
    for (const [index, result] of finished.entries()) {
      const job = members[index];
      if (job) results.set(job, result);
    }
  };
  const byCluster = Map.groupBy(jobs.filter(isForCluster), ({ target }) => target.cluster);
  const byRegion = Map.groupBy(jobs.filter(isForAcm), ({ target }) => target.acm.region);
  await Promise.all([
    ...[...byCluster].map(async ([cluster, members]) => {
      const isReported = isAgentCluster(cluster, invocation.inventory);
      const finished = isReported
        ? members.map(describeAgentReport)
        : await deployToCluster(cluster, members, ports, invocation);
      collect(members, finished);
    }),
    ...[...byRegion].map(async ([region, members]) =>
      collect(members, await deployToAcm(region, members, ports, invocation)),
    ),
  ]);
  return results;
}

/** Errors for requested targets that no deliverable certificate has, and for requested clusters that the
 *  inventory does not have, by name. */
function findUnknown(jobs: readonly AnyJob[], { targets, clusters, inventory }: DeployInvocation) {
  const unknown = (clusters ?? []).filter((name) => !Object.hasOwn(inventory.clusters, name));
  const known = new Set(jobs.map(({ target, delivery }) => nameDestination(target, delivery.certificate)));
  const missing = (targets ?? []).filter((target) => !known.has(target));
  return [
    ...missing.map((target) => [
      target,
      `no certificate that can be delivered has the target ${target}; check its spelling in the inventory`,
    ]),
    ...unknown.map((name) => [name, `the inventory has no cluster "${name}"`]),
  ].map(([name = '', message]) => [name, [new Error(message)]] as const);
}
