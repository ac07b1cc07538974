// Remembers on workloads what was served before their rollout, for an invocation that continues it.
import { fingerprintAnnotation, readOwnMark } from '../../policy/delivery/restart-marks.ts';
import type { RestartPlan } from '../../policy/delivery/restarts.ts';
import { addressKey, type RolloutStart, readStart } from '../../policy/delivery/rollout-start.ts';
import type { ProbeSummary } from '../../policy/serving/served.ts';
import type { Job } from '../invocation.ts';

/** What was served before the first wave, as harm is judged by it. */
export type ServedBefore = Pick<ProbeSummary, 'results'>;

/** What to remember: the addresses that did not serve well. */
export function rememberServed(before: ServedBefore | undefined): RolloutStart['served'] {
  if (!before) return undefined;
  const bad = before.results.filter(({ served }) => served !== 'served' && served !== 'unprobed');
  return Object.fromEntries(bad.map((result) => [addressKey(result), result.served]));
}

/** What an earlier invocation remembered for the job's version; `undefined` if it has not. */
export function recallServed(
  { target, delivery }: Job,
  wave: readonly RestartPlan[],
): ServedBefore | undefined {
  const key = fingerprintAnnotation(target.secret);
  for (const { action, workload } of wave) {
    if (action === 'missing' || action === 'restart') continue;
    const served =
      readOwnMark(key, workload) === delivery.fingerprint ? readStart(workload)?.served : undefined;
    if (!served) continue;
    const results = Object.entries(served).map(([address, word]) => {
      const [name = '', at = ''] = address.split(' ');
      return { name, address: at === '' ? undefined : at, served: word, message: '' };
    });
    return { results };
  }
  return undefined;
}
