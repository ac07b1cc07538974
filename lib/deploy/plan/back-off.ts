// Leaves targets alone whose certificate failed a short while ago.
import { invokeCommand } from '../../policy/commands.ts';
import { isAgentCluster } from '../../policy/delivery/agents.ts';
import { nameDestination } from '../../policy/delivery/secret-plan.ts';
import { isPutOff } from '../../policy/issuance/backoff.ts';
import { countOf } from '../../policy/words.ts';
import type { DeliveryRetry } from '../../state/delivery.ts';
import type { Trouble } from '../../state/health.ts';
import {
  type AnyJob,
  type DeployInvocation,
  type DeployPorts,
  isForCluster,
  type JobResult,
} from '../invocation.ts';
import { isAbout } from '../record/problem.ts';
import type { DeliverySelection } from './selected.ts';

/** The jobs whose certificate failed recently and is in its back-off, each with a `pending` result. Empty if
 *  the request names certificates or targets. Never a job with maintenance windows: another target may have
 *  failed, and the window would pass unused. */
export function findBackingOff(
  selections: readonly DeliverySelection[],
  { clock }: Pick<DeployPorts, 'clock'>,
  { certificates, targets, inventory }: DeployInvocation,
): ReadonlyMap<AnyJob, JobResult> {
  if (certificates || targets) return new Map();
  const now = clock.now();
  return new Map(
    selections.flatMap((selection) => {
      if (selection.kind !== 'selected') return [];
      const { retry, requested, problem } = selection;
      if (!retry || !isPutOff(retry.after, now)) return [];
      return requested
        .filter(({ phase, freeze }) => phase === 'none' && !freeze)
        .filter((job) => !(isForCluster(job) && job.target.rollout?.windows.length))
        .filter((job) => !(isForCluster(job) && isAgentCluster(job.target.cluster, inventory)))
        .map((job) => [job, describeBackingOff(job, retry, problem)] as const);
    }),
  );
}

/** @param problem What is remembered of the certificate's deliveries; told if it is about this target. */
function describeBackingOff(
  job: AnyJob,
  { failures, after }: DeliveryRetry,
  problem: Trouble | undefined,
): JobResult {
  const { delivery, target, phase } = job;
  const { certificate } = delivery;
  const last = problem && isAbout(problem, job) ? ` (${problem.words})` : '';
  const now = invokeCommand('deploy', { certificates: [certificate] });
  const message = `not delivered after ${countOf(failures, 'failed attempt')}${last}; the next one is after ${after.toISOString()}; to try now, run: ${now}`;
  const name = nameDestination(target, certificate);
  return {
    phase,
    failures: [],
    isUntried: true,
    report: { certificate, target: name, outcome: 'pending', restarted: [], message },
  };
}
