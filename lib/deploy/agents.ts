// Targets in clusters that only an agent reaches: nothing is done here but read what that agent has reported.
import { type Inventory, isSecretTarget, type TargetSpec } from '../certificate/spec.ts';
import { isAgentCluster, parseReport } from '../policy/agents.ts';
import { type DeliveryStep, parseDeliveries } from '../policy/deliveries.ts';
import { nameTarget } from '../policy/deployment.ts';
import type { ByCluster } from '../policy/state.ts';
import type { Job, JobResult, TargetOutcome } from './run.ts';

/** The step behind each target: `steps` as they are, but for targets of agents, of which their report tells. */
export function withReported(
  steps: readonly DeliveryStep[],
  version: string,
  targets: readonly TargetSpec[],
  reports: ByCluster | undefined,
  inventory: Pick<Inventory, 'clusters'>,
): readonly DeliveryStep[] {
  return targets.map((target, index) => {
    if (!isSecretTarget(target) || !isAgentCluster(target.cluster, inventory)) return steps[index] ?? 'none';
    const own = targets.filter(isSecretTarget).filter(({ cluster }) => cluster === target.cluster);
    const { deployed } = parseReport(reports?.[target.cluster]);
    return parseDeliveries(deployed, version, own)[own.indexOf(target)] ?? 'none';
  });
}

/** How a target stands by its agent's report. That the agent has not come to it is no failure here: its silence is one in
 *  `status`. */
export function describeReported({ delivery, target, step }: Job): JobResult {
  const result = (outcome: TargetOutcome, message: string): JobResult => ({
    step,
    failures: [],
    report: {
      certificate: delivery.certificate,
      target: nameTarget(target),
      outcome,
      restarted: [],
      message,
    },
  });
  switch (step) {
    case 'none':
      return result('pending', `waits for the agent of ${target.cluster}`);
    case 'applied':
      return result(
        'pending',
        `the agent of ${target.cluster} has applied it, and its workloads are not done`,
      );
    case 'rolled-out':
      return result('unchanged', `the agent of ${target.cluster} has delivered it`);
  }
}
