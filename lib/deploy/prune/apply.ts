// Deletes the Secrets that a plan of pruning lets go, and describes plans for the report.

import type { OrphanedSecret, PrunePlan } from '../../policy/delivery/pruning.ts';
import { asTold, describeError, errorOfPart, type PartError, toError } from '../../ports/errors.ts';
import type { DeployPorts, PruneReport } from '../invocation.ts';

/** The result for one Secret, or for a cluster or namespace that could not be listed. */
export interface Pruned {
  readonly report: PruneReport;
  readonly failures: readonly PartError[];
  /** Whether it stays only as long as something uses it. */
  readonly isUsed?: boolean;
}

/** What a plan says before anything is done. */
export function describePruning({ certificate, target, ...plan }: PrunePlan): Pruned {
  const report = { certificate, target };
  switch (plan.action) {
    case 'delete':
      return {
        report: { ...report, outcome: 'planned', message: withRemark('would delete the Secret', plan) },
        failures: [],
      };
    case 'keep':
      return {
        report: { ...report, outcome: 'kept', message: plan.message },
        failures: [],
        isUsed: plan.because === 'used',
      };
    case 'unseen':
      return { report: { ...report, outcome: 'pending', message: plan.message }, failures: [] };
    case 'unknown':
      return {
        report: { ...report, outcome: 'pending', message: describeError(plan.error) },
        failures: [errorOfPart(target.includes('/') ? target : `cluster ${target}`, plan.error)],
      };
  }
}

/** The same, with the failures that `status` tells marked: those in clusters whose trouble is noted.
 *  @param noted Names of clusters. */
export function markTold(pruned: readonly Pruned[], noted: ReadonlySet<string>): readonly Pruned[] {
  return pruned.map((one) => {
    const [cluster = ''] = one.report.target.split('/');
    return noted.has(cluster) ? { ...one, failures: one.failures.map(asTold) } : one;
  });
}

/** Deletes what the plans let go, one after the other. A Secret that has changed since its plan stays, with a
 *  failure. One result for each plan, in their order. Never rejects.
 *  @param connect Called for each Secret; may share one connection. */
export async function applyPruning(
  plans: readonly PrunePlan[],
  { connect, log }: Pick<DeployPorts, 'connect' | 'log'>,
  signal: AbortSignal,
): Promise<readonly Pruned[]> {
  const results: Pruned[] = [];
  for (const plan of plans) {
    if (plan.action !== 'delete') {
      results.push(describePruning(plan));
      continue;
    }
    const { certificate, target } = plan;
    try {
      await deleteOrphan(plan.orphan, connect, signal);
      log.info('Secret pruned', { certificate, target });
      results.push({
        report: { certificate, target, outcome: 'deleted', message: withRemark('Secret deleted', plan) },
        failures: [],
      });
    } catch (cause) {
      const error = toError(cause);
      log.warn('Secret not pruned', { certificate, target, problem: describeError(error) });
      results.push(describePruning({ action: 'unknown', certificate, target, error }));
    }
  }
  return results;
}

async function deleteOrphan(
  { cluster: name, namespace, name: secret, over }: OrphanedSecret,
  connect: DeployPorts['connect'],
  signal: AbortSignal,
): Promise<void> {
  const cluster = await connect(name, signal);
  try {
    await cluster.deleteSecret(namespace, secret, over, signal);
  } finally {
    await cluster.close();
  }
}

function withRemark(message: string, { remark }: { readonly remark?: string }): string {
  return remark === undefined ? message : `${message}; ${remark}`;
}
