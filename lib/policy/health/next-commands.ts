// The commands that findings of certificates end with: what mends them, or what shows the cause to a person
// who has to mend something elsewhere.
import { agentStateCommand, invokeCommand } from '../commands.ts';
import { isAgentCluster } from '../delivery/agents.ts';
import type { HealthFacts } from './facts.ts';

/** Shows what would happen to the certificate now, and what is in its way. */
export function planCommand(name: string): string {
  return invokeCommand('issue', { certificates: [name], dryRun: true });
}

/** Orders the certificate if that is due and nothing is in its way; else says what is. */
export function renewCommand(name: string): string {
  return invokeCommand('issue', { certificates: [name] });
}

/** Orders the certificate at once, while it backs off or is not due, too. */
export function orderNowCommand({ name, state: { nextAttempt }, life, now }: HealthFacts): string {
  // Without an instant no attempt comes by itself before it is due.
  const next = nextAttempt ?? life?.renewsAt;
  return next !== undefined && next > now
    ? invokeCommand('issue', { certificates: [name], force: true })
    : renewCommand(name);
}

/** Brings the certificate to its targets at once, whatever their back-off. */
export function deployCommand(name: string): string {
  return invokeCommand('deploy', { certificates: [name] });
}

/** Brings it to a target of a cluster: nobody but its agent does that for one that has an agent.
 *  @param cluster Absent: a target in ACM, or all targets. */
export function deliverCommand(
  { name, clusters }: Pick<HealthFacts, 'name' | 'clusters'>,
  cluster: string | undefined,
): string {
  const isAgents = cluster !== undefined && isAgentCluster(cluster, { clusters });
  return isAgents ? agentStateCommand(cluster) : deployCommand(name);
}

/** Looks at a cluster again, and delivers what waits for it. */
export function clusterCommand(cluster: string): string {
  return invokeCommand('deploy', { clusters: [cluster] });
}
