// Deliveries that neither fail nor end: pods that never become ready, targets that nobody delivers to.
import { agentInventoryCommand } from '../commands.ts';
import type { HealthFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { deployCommand } from './next-commands.ts';
import { notedSince } from './notes.ts';
import { isFailure, isOfAll, waitingCode } from './trouble.ts';

/** How long workloads may take to run with a new Secret where no `rollout` sets a deadline, in milliseconds.
 *  A Deployment fails by itself before that; a StatefulSet or DaemonSet never does, and goes pod by pod. */
const longestRestartMs = 6 * 3_600_000;

/** How long a target may be without a version, and without a failure, in milliseconds. */
const longestUntriedMs = 24 * 3_600_000;

/** Since when restarts of the certificate go on for too long; `undefined` if they do not, or wait for a
 *  person, whose wish that is. */
export function findEndlessRestart(facts: HealthFacts): Date | undefined {
  const { deliveryProblem: problem } = facts.state;
  if (problem && (problem.code === waitingCode || isOfAll(problem))) return undefined;
  return findOpenSince(facts, longestRestartMs);
}

/** A target that has waited for a day for a certificate, where nothing fails, and for no window and no
 *  person; `undefined`: not for so long. The message goes on after the name of the target.
 *  @param agents The cluster, if its agent delivers there: that does not know the target. */
export function findForgotten(agents: string | undefined, facts: HealthFacts): Finding | undefined {
  const { deliveryProblem: problem } = facts.state;
  const since = findOpenSince(facts, longestUntriedMs);
  if (!since || (problem && (!agents || isFailure(problem)))) return undefined;
  const by = agents
    ? 'its agent reports that all is well: give the agent its part of the inventory, as it is now'
    : 'no failure is recorded: see what deploy says of it';
  return {
    health: 'Degraded',
    reason: 'DeliveryFailing',
    message: `waits for it since ${since.toISOString()}, and ${by}`,
    since,
    command: agents ? agentInventoryCommand(agents) : deployCommand(facts.name),
  };
}

function findOpenSince({ note, state, certificate, now }: HealthFacts, longestMs: number): Date | undefined {
  const noted = notedSince(note, state.acknowledged, 'Delivering', 'DeliveryFailing');
  if (!noted || !certificate) return undefined;
  // What was noted may be of the version before.
  const since = noted > certificate.notBefore ? noted : certificate.notBefore;
  return now.getTime() - since.getTime() > longestMs ? since : undefined;
}
