// Stops working on a cluster that cannot be reached.
import { ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import type { Job } from '../invocation.ts';
import type { TargetPlan } from '../plan/target-plan.ts';
import { describeFailure } from '../results.ts';
import type { ClusterContext } from './context.ts';

/** Works on the targets of a cluster until it turns out that none can be reached. */
export class Reach {
  readonly #invocation: ClusterContext['invocation'];
  #error: Error | undefined;

  constructor({ invocation }: Pick<ClusterContext, 'invocation'>) {
    this.#invocation = invocation;
  }

  /** What `work` gives; a plan to leave the target as it is, with the failure, if that throws. A cluster that
   *  could not be reached for one target is not tried again for the others. */
  async try(job: Job, work: () => Promise<TargetPlan>): Promise<TargetPlan> {
    if (this.#error) return this.#leave(job, this.#error);
    try {
      const plan = await work();
      // One that was answered meanwhile shows that the cluster is there.
      this.#error = undefined;
      return plan;
    } catch (cause) {
      const error = toError(cause);
      if (isAboutCluster(error)) this.#error ??= error;
      return this.#leave(job, error);
    }
  }

  #leave(job: Job, error: Error): TargetPlan {
    return { kind: 'leave', job, result: describeFailure(job, error, this.#invocation) };
  }
}

/** Whether the error concerns the whole cluster. Any other error concerns one target. */
function isAboutCluster(error: Error): boolean {
  return error instanceof ClusterError && ['Unreachable', 'SignInFailed', 'Unsupported'].includes(error.code);
}
