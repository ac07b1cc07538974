// Describes targets in clusters that only an agent reaches, from the report of that agent.
import { nameTarget } from '../policy/delivery/secret-plan.ts';
import type { Job, JobResult, TargetOutcome } from './invocation.ts';

/** The result for one target that an agent delivers to, read from `phase`, which the agent reported. Connects
 *  to nothing. An agent that has reported nothing is no failure here; `status` reports a silent agent. */
export function describeAgentReport({ delivery, target, phase }: Job): JobResult {
  const result = (outcome: TargetOutcome, message: string): JobResult => ({
    phase,
    failures: [],
    isUntried: true,
    report: {
      certificate: delivery.certificate,
      target: nameTarget(target),
      outcome,
      restarted: [],
      message,
    },
  });
  switch (phase) {
    case 'none':
      return result('pending', `waits for the agent of cluster ${target.cluster}`);
    case 'applied':
      return result(
        'pending',
        `the agent of cluster ${target.cluster} has updated the Secret; its workloads are still restarting`,
      );
    case 'rolled-out':
      return result('unchanged', `the agent of cluster ${target.cluster} has delivered it`);
  }
}
