// Decides in which order a target's workloads are restarted, and whether the change is good enough to go on.
import type { RolloutSpec, WorkloadReference } from '../../certificate/spec.ts';
import type { ProbeResult, ProbeSummary } from '../serving/served.ts';
import type { RestartPlan } from './restarts.ts';

/** The canary alone, then the others in the order given, in as many groups of about the same size as the target says. A
 *  canary that is none of those that are to be restarted is given back as `missing`, for nobody would watch the first step. */
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

/** What keeps the next wave from beginning, as one line; `undefined` where nothing does. After the last one the certificate
 *  has to be served everywhere. Before, other servers still answer with the one before, which is no harm. What nobody
 *  can look at is none either, nor is what was as bad before anything was restarted.
 *  @param before What was seen then; absent where nobody looked in time. */
export function findHarm(
  { results }: Pick<ProbeSummary, 'results'>,
  isLast: boolean,
  before?: Pick<ProbeSummary, 'results'>,
): string | undefined {
  const wasSo = ({ name, address, served }: ProbeResult) =>
    before?.results.some((one) => one.name === name && one.address === address && one.served === served);
  const harmful = results.filter((result) => {
    const { served } = result;
    if (served === 'stale') return isLast;
    return (served === 'unreachable' || served === 'mismatch') && !wasSo(result);
  });
  const [worst] = harmful;
  if (!worst) return undefined;
  const more = harmful.length > 1 ? ` (and at ${harmful.length - 1} more)` : '';
  return `${worst.served} at ${namePlace(worst)}: ${worst.message}${more}`;
}

function namePlace({ address, name }: ProbeResult): string {
  return address ?? name;
}
