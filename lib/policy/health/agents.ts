// Judges the health of an agent from its last report.
import type { SubjectNote } from '../../state/health.ts';
import { agentLogsCommand, agentStateCommand, deployStackCommand } from '../commands.ts';
import type { Finding } from './finding.ts';
import { notedSince } from './notes.ts';

const hourMs = 3_600_000;
/** How far the clock of an agent's cluster may be ahead. */
export const clockSkewMs = 5 * 60_000;
/** How long after the inventory first names an agent it must have reported. */
const longestStartMs = hourMs;

/** What an agent recorded of itself; everything is absent if it never did. */
export interface AgentFacts {
  readonly lastSeen?: Date | undefined;
  readonly problem?: string | undefined;
  readonly deregistered?: Date | undefined;
}

/** How an agent is judged. */
export interface AgentRules {
  /** Its cluster in the inventory. */
  readonly cluster: string;
  readonly now: Date;
  /** An agent that is silent for longer is silent, in milliseconds. */
  readonly staleAfterMs: number;
  readonly note: SubjectNote | undefined;
  /** Whether the inventory has the cluster with an agent. */
  readonly isNamed: boolean;
}

/** What is wrong with an agent; empty if its last pass was good. */
export function findAgentTrouble(facts: AgentFacts, rules: AgentRules): readonly Finding[] {
  const { lastSeen, problem, deregistered } = facts;
  const { now, staleAfterMs, isNamed, cluster } = rules;
  const state = agentStateCommand(cluster);
  const logs = agentLogsCommand(cluster);
  if (deregistered) {
    const message = `a person removed it at ${deregistered.toISOString()}: take its cluster out of the inventory and deploy, or start it again`;
    const command = deployStackCommand();
    return isNamed
      ? [{ health: 'Suspended', reason: 'AgentDeregistered', message, since: deregistered, command }]
      : [];
  }
  if (!lastSeen) return isNamed ? [neverSeen(rules)] : [];
  const silentMs = now.getTime() - lastSeen.getTime();
  if (silentMs > staleAfterMs) {
    const minutes = Math.floor(silentMs / 60_000);
    const message = `silent for ${minutes} minutes, so nobody delivers in its cluster: see whether its pod runs, then its log (${logs})`;
    return [{ health: 'Degraded', reason: 'AgentSilent', message, since: lastSeen, command: state }];
  }
  if (-silentMs > clockSkewMs) {
    const message = `its last report has the time ${lastSeen.toISOString()}, which is in the future: set the clock of its cluster, or find out who changed the tag`;
    return [{ health: 'Degraded', reason: 'AgentFailing', message, command: logs }];
  }
  return problem ? [{ health: 'Degraded', reason: 'AgentFailing', message: problem, command: logs }] : [];
}

function neverSeen({ now, note, cluster }: AgentRules): Finding {
  const since = notedSince(note, note?.acknowledged, 'AgentNeverSeen') ?? now;
  const isLong = now.getTime() - since.getTime() > longestStartMs;
  return {
    health: isLong ? 'Degraded' : 'Progressing',
    reason: 'AgentNeverSeen',
    message: 'it has not reported yet: deploy infra/agent-role.yaml to AWS, and infra/agent/ to the cluster',
    since,
    command: agentStateCommand(cluster),
  };
}
