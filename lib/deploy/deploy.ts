// The deploy story: delivers each requested certificate to its targets, all clusters at once.

import { mostAnswerBytes, takeFitting } from '../policy/bounds.ts';
import type { PrunePlan } from '../policy/delivery/pruning.ts';
import { nameDestination } from '../policy/delivery/secret-plan.ts';
import { PartError } from '../ports/errors.ts';
import { RequestError } from '../requests/errors.ts';
import { unknownPart } from '../requests/unknown.ts';
import { shareConnections } from './cluster/connections.ts';
import { atDestinations, requestedJobs } from './destinations.ts';
import type { DeployInvocation, DeployPorts, DeployReport, JobResult } from './invocation.ts';
import type { DeliverySelection } from './plan/selected.ts';
import { selectForDelivery } from './plan/selection.ts';
import { applyPruning, describePruning, markTold, type Pruned } from './prune/apply.ts';
import { findPrunedClusters, planPruning } from './prune/plan.ts';
import { judgeClusters, recordClusters } from './record/cluster-troubles.ts';
import { recordFreezes } from './record/freezes.ts';
import { addLetGoFailures, recordLetGo } from './record/letting-go.ts';
import { putOwedDeliveries } from './record/owed-events.ts';
import {
  listWorst,
  type RecordedCertificate,
  recordCertificates,
  reportCertificate,
} from './record/record.ts';

/** Delivers AWSCURRENT of each certificate to its targets and waits for the rollouts: observes, plans, prints
 *  the plan, acts and records. May be called twice: a target that already has the version is read and left
 *  unchanged. A dry run stops after it has printed.
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
  const ended = invocation.dryRun
    ? await rehearse(selections, ports, invocation)
    : await carryOut(selections, ports, invocation);
  const report = describeDeploy(ended, findUnknown(selections, invocation));
  ports.log.info('deploy finished', {
    certificates: ended.certificates.length,
    failed: report.failures.size,
    // Absent after a pass over everything, so that a filter can count those.
    asked: (invocation.targets ?? invocation.certificates ?? invocation.delegatedClusters)?.length,
    ms: ports.clock.now().getTime() - startedAt,
  });
  return report;
}

/** How everything ended. */
interface DeployEnd {
  readonly certificates: readonly RecordedCertificate[];
  readonly pruned: readonly Pruned[];
}

/** The plan as a report. Changes nothing. */
async function rehearse(
  selections: readonly DeliverySelection[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<DeployEnd> {
  const connections = shareConnections(ports.connect, findPrunedClusters(invocation));
  const shared = { ...ports, connect: connections.connect };
  try {
    const results = await atDestinations(selections, shared, invocation, (destination) => destination.plan());
    const certificates = selections.map((selection) => reportCertificate(selection, results, ports));
    const pruned = await atPruned(selections, shared, invocation, async (plans) =>
      plans.map(describePruning),
    );
    return { certificates, pruned };
  } finally {
    await connections.close();
  }
}

async function carryOut(
  planned: readonly DeliverySelection[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<DeployEnd> {
  const selections = await recordFreezes(planned, ports, invocation);
  await putOwedDeliveries(selections, ports, invocation);
  const connections = shareConnections(ports.connect, findPrunedClusters(invocation));
  const shared = { ...ports, connect: connections.connect };
  try {
    const results = await atDestinations(selections, shared, invocation, (destination) =>
      destination.carryOut((plans) => printPlans(plans, ports)),
    );
    const clusters = judgeClusters(results);
    const noted = await recordClusters(clusters, selections, ports, invocation);
    const pruned = await atPruned(selections, shared, invocation, (plans) =>
      applyPruning(plans, shared, invocation.signal),
    );
    const unrecorded = await recordLetGo(selections, pruned, ports, invocation);
    const ended = { results, clusters, noted };
    const recorded = await recordCertificates(selections, ended, ports, invocation);
    return { certificates: addLetGoFailures(recorded, unrecorded), pruned: markTold(pruned, noted) };
  } finally {
    await connections.close();
  }
}

/** Logs what is about to change. */
function printPlans(planned: readonly JobResult[], { log }: DeployPorts): void {
  for (const { report } of planned) {
    const { certificate, target, outcome, action, restarted, message } = report;
    const isChange =
      action !== undefined && action !== 'refuse' && (action !== 'keep' || restarted.length > 0);
    if (!isChange || !['planned', 'held'].includes(outcome)) continue;
    log.info('delivery planned', { certificate, target, result: message });
  }
}

/** Plans the pruning of each cluster by itself, so that one that answers slowly does not delay the others,
 *  and finishes with it. */
async function atPruned(
  selections: readonly DeliverySelection[],
  ports: DeployPorts,
  invocation: DeployInvocation,
  finish: (plans: readonly PrunePlan[]) => Promise<readonly Pruned[]>,
): Promise<readonly Pruned[]> {
  const pruned = findPrunedClusters(invocation).map(async (cluster) =>
    finish(await planPruning(cluster, selections, ports, invocation)),
  );
  return (await Promise.all(pruned)).flat();
}

function describeDeploy(
  { certificates, pruned }: DeployEnd,
  unknown: readonly (readonly [string, readonly Error[]])[],
): DeployReport {
  const failures = new Map(
    [
      ...certificates.map(({ report, failures: errors }) => [report.name, errors] as const),
      ...unknown,
      ...pruned.map(({ report, failures: errors }) => [report.target, errors] as const),
    ].filter(([, errors]) => errors.length > 0),
  );
  const listed = listWorst(certificates.map(({ report }) => report));
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

/** Errors for requested targets that no deliverable certificate has, and for requested clusters that the
 *  inventory does not have, by name. */
function findUnknown(
  selections: readonly DeliverySelection[],
  { targets, clusters, inventory }: DeployInvocation,
): readonly (readonly [string, readonly Error[]])[] {
  const jobs = requestedJobs(selections);
  const inInventory = Object.keys(inventory.clusters);
  const unknown = (clusters ?? []).filter((name) => !inInventory.includes(name));
  const known = new Set(jobs.map(({ target, delivery }) => nameDestination(target, delivery.certificate)));
  const owners = new Map(
    inventory.certificates.flatMap((spec) =>
      spec.targets.map((target) => [nameDestination(target, spec.name), spec.name] as const),
    ),
  );
  const missing = (targets ?? []).filter((target) => !known.has(target));
  const errors = [
    ...missing.map((name) => {
      const owner = owners.get(name);
      return owner === undefined
        ? unknownPart('no certificate has the target', name, owners.keys())
        : new PartError(name, new RequestError('NotStored', describeUndeliverable(owner)));
    }),
    ...unknown.map((name) => unknownPart('the inventory has no cluster', name, inInventory)),
  ];
  return errors.map((error) => [error.part, [error]]);
}

function describeUndeliverable(certificate: string): string {
  return `certificate ${JSON.stringify(certificate)} cannot be delivered to it now; its entry in the report says why`;
}
