// Splits a target's restarts into the canary and waves, and decides from probes whether the next wave may
// start.

import type { RolloutSpec, WorkloadReference } from '../../certificate/rollout-spec.ts';
import type { ProbeResult, ProbeSummary } from '../serving/served.ts';
import type { RestartPlan } from './restarts.ts';

/** The canary alone first, then the other workloads in the given order, in `waves` groups of about the
 *  same size. Without any plan: one empty wave. `missing`: the canary is not among the plans, so nothing
 *  may be restarted. */
export function planWaves(
  plans: readonly RestartPlan[],
  { canary, waves }: Pick<RolloutSpec, 'canary' | 'waves'>,
): { readonly waves: readonly (readonly RestartPlan[])[] } | { readonly missing: WorkloadReference } {
  const isCanary = ({ workload }: RestartPlan) =>
    workload.kind === canary?.kind && workload.name === canary.name;
  const first = plans.filter(isCanary);
  if (canary && first.length === 0) return { missing: canary };
  const others = plans.filter((plan) => !isCanary(plan));
  const groups = Array.from({ length: waves }, (_, index) =>
    others.slice(
      Math.ceil((others.length * index) / waves),
      Math.ceil((others.length * (index + 1)) / waves),
    ),
  );
  const planned = [first, ...groups].filter((wave) => wave.length > 0);
  return { waves: planned.length > 0 ? planned : [[]] };
}

/** Why the next wave must not start, as one line with the first harmful address; `undefined` if it may.
 *  `unreachable` and `mismatch` are harmful unless the address had the same result before the restarts.
 *  `stale` is harmful only after the last wave: until then, other servers still present the previous
 *  certificate.
 *  `unprobed` never is.
 *  @param isLast Whether every wave has been restarted.
 *  @param before Probe from before the first restart; absent if there was none. */
export function findHarm(
  { results }: Pick<ProbeSummary, 'results'>,
  isLast: boolean,
  before?: Pick<ProbeSummary, 'results'>,
): string | undefined {
  const wasSame = (after: ProbeResult) =>
    before?.results.some(
      ({ name, address, served }) =>
        name === after.name && address === after.address && served === after.served,
    );
  const harmful = results.filter((result) => {
    const { served } = result;
    if (served === 'stale') return isLast;
    return (served === 'unreachable' || served === 'mismatch') && !wasSame(result);
  });
  const [first] = harmful;
  if (!first) return undefined;
  const more = harmful.length > 1 ? ` (and at ${harmful.length - 1} more)` : '';
  return `${first.served} at ${nameAddress(first)}: ${first.message}${more}`;
}

function nameAddress({ address, name }: ProbeResult): string {
  return address ?? name;
}
