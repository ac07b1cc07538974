// Restarts that do not end: pods neither fail nor become ready.
import type { HealthFacts } from './facts.ts';
import { notedSince } from './notes.ts';
import { waitingCode } from './trouble.ts';

/** How long workloads may take to run with a new Secret where no `rollout` sets a deadline, in milliseconds.
 *  A Deployment fails by itself before that; a StatefulSet or DaemonSet never does, and goes pod by pod. */
const longestMs = 6 * 3_600_000;

/** Since when restarts of the certificate go on for too long; `undefined` if they do not, or wait for a
 *  person, whose wish that is. */
export function findEndlessRestart({ note, state, now }: HealthFacts): Date | undefined {
  if (state.deliveryProblem?.code === waitingCode) return undefined;
  const since = notedSince(note, state.acknowledged, 'Delivering', 'DeliveryFailing');
  return since && now.getTime() - since.getTime() > longestMs ? since : undefined;
}
