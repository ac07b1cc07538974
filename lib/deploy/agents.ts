// Targets in clusters that only an agent reaches: nothing is done here but read what that agent has reported.
import { nameTarget } from '../policy/delivery/secret.ts';
import type { Job, JobResult, TargetOutcome } from './invocation.ts';

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
