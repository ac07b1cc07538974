// Splits a target's restarts into the canary and waves, and decides from probes whether the next wave may
// start.

import type { RolloutSpec, WorkloadReference } from '../../certificate/rollout-spec.ts';
import type { ServedWord } from '../../state/delivery.ts';
import { nameSome } from '../bounds.ts';
import { nameWorkload } from '../kubernetes/objects.ts';
import type { ProbeResult, ProbeSummary } from '../serving/served.ts';
import type { RestartPlan } from './restarts.ts';

/** The canary alone first, then the other workloads in the given order, in `waves` groups of about the
 *  same size. Without any plan: one empty wave. `missing`: the canary is not among the plans, so nothing
 *  may be restarted.
 *  @param order `listed`: as a person wrote it. `found`: Rollouts, which may turn out not to be ours to
 *  restart, are divided by themselves and change no group of the others. */
export function planWaves(
  plans: readonly RestartPlan[],
  { canary, waves }: Pick<RolloutSpec, 'canary' | 'waves'>,
  order: 'listed' | 'found' = 'listed',
): { readonly waves: readonly (readonly RestartPlan[])[] } | { readonly missing: WorkloadReference } {
  const isCanary = ({ workload }: RestartPlan) =>
    workload.kind === canary?.kind && workload.name === canary.name;
  const first = plans.filter(isCanary);
  if (canary && first.length === 0) return { missing: canary };
  const others = plans.filter((plan) => !isCanary(plan));
  const isApart = ({ workload }: RestartPlan) => order === 'found' && workload.kind === 'Rollout';
  const parts = [others.filter((plan) => !isApart(plan)), others.filter(isApart)];
  const groups = Array.from({ length: waves }, (_, index) =>
    parts.flatMap((part) =>
      part.slice(Math.ceil((part.length * index) / waves), Math.ceil((part.length * (index + 1)) / waves)),
    ),
  );
  const planned = [first, ...groups].filter((wave) => wave.length > 0);
  return { waves: planned.length > 0 ? planned : [[]] };
}

/** Why a wave proves nothing, even if its rollouts are over: no pod of the canary is available or the canary
 *  may not be restarted; or no workload of another wave has a pod that was replaced. One message, or none. */
export function describeUnproven(
  wave: readonly RestartPlan[],
  { canary }: Pick<RolloutSpec, 'canary'>,
): readonly string[] {
  const plan = wave.find(({ workload }) => workload.kind === canary?.kind && workload.name === canary.name);
  if (!plan) return describeEmpty(wave);
  if (plan.action === 'missing') return [];
  const name = nameWorkload(plan.workload);
  const rest = 'so no other workload restarts: name another canary in the target\'s "rollout", or';
  if (plan.action === 'leave') return [`the canary ${name} is not restarted, ${rest} restart it yourself`];
  if (plan.workload.pods === 0) return [`the canary ${name} has no pods, ${rest} give it some`];
  const isDown = plan.workload.unavailable >= plan.workload.pods;
  return isDown ? [`no pod of the canary ${name} is available, ${rest} mend it`] : [];
}

function describeEmpty(wave: readonly RestartPlan[]): readonly string[] {
  const isEmpty = wave.every(
    (plan) => plan.action === 'leave' || (plan.action !== 'missing' && plan.workload.pods === 0),
  );
  if (wave.length === 0 || !isEmpty) return [];
  const names = nameSome(wave.map(({ workload }) => nameWorkload(workload)));
  return [
    `no pod was replaced in the step with ${names}, so no further workload restarts: give them pods, restart what refuses, or use fewer "waves"`,
  ];
}

/** How bad it is for clients: a certificate for the name is better than one for other names, and any answer
 *  better than none. Another order than that of `servedWords`, which tells how much is known. */
const severities: Readonly<Record<ServedWord, number>> = {
  served: 0,
  unprobed: 0,
  stale: 1,
  mismatch: 2,
  unreachable: 3,
};

/** Why the next wave must not start, as one line with the first harmful address; `undefined` if it may.
 *  Harmful is what is worse at an address than before the restarts. What was as bad is not the certificate's
 *  doing; an address that nobody could probe before counts as good.
 *  `stale` is harmful only after the last wave: until then, other servers still present the previous
 *  certificate.
 *  `unprobed` never is.
 *  @param isLast Whether every wave has been restarted.
 *  @param before Probe from before the first restart, in which `served` is also what presents the previous
 *  version; absent if there was none: every address counts as good. */
export function findHarm(
  { results }: Pick<ProbeSummary, 'results'>,
  isLast: boolean,
  before?: Pick<ProbeSummary, 'results'>,
): string | undefined {
  const severityBefore = (after: ProbeResult) => {
    const known = before?.results.find(
      ({ name, address }) => name === after.name && address === after.address,
    );
    return severities[known?.served ?? 'served'];
  };
  const harmful = results.filter(
    (result) => (isLast || result.served !== 'stale') && severities[result.served] > severityBefore(result),
  );
  const [first] = harmful;
  if (!first) return undefined;
  const more = harmful.length > 1 ? ` (and at ${harmful.length - 1} more)` : '';
  return `${first.served} at ${nameAddress(first)}: ${first.message}${more}`;
}

function nameAddress({ address, name }: ProbeResult): string {
  return address ?? name;
}
