// Judges the state of each agent from its last report.

import type { Inventory } from '../certificate/spec.ts';
import { isAgentCluster } from '../policy/delivery/agents.ts';
import type { AgentRecord } from '../ports/agents.ts';

/** How far the clock of an agent's cluster may be ahead. */
const clockSkewMs = 5 * 60_000;

/** One agent. `live`: its last pass succeeded. `failing`: its last pass had a problem, or its clock is
 *  wrong. `stale`: it has been silent for too long. `never seen`: it has not reported yet. `deregistered`:
 *  a person removed it. */
export interface AgentStatus {
  readonly cluster: string;
  readonly state: 'live' | 'failing' | 'stale' | 'never seen' | 'deregistered';
  /** End of its last pass. */
  readonly lastSeen?: Date | undefined;
  /** Version of its image. */
  readonly version?: string | undefined;
  readonly message: string;
}

/** One entry for each cluster with an agent in the inventory, and for each other cluster whose agent has
 *  reported, sorted by name.
 *  @param staleAfterMs An agent that is silent for longer is stale, in milliseconds. */
export function judgeAgents(
  records: readonly AgentRecord[],
  inventory: Inventory,
  now: Date,
  staleAfterMs: number,
): readonly AgentStatus[] {
  const byCluster = new Map(records.map((record) => [record.cluster, record]));
  const expected = Object.keys(inventory.clusters).filter((name) => isAgentCluster(name, inventory));
  const names = [...new Set([...expected, ...byCluster.keys()])].toSorted();
  return names.map((cluster) => {
    const record = byCluster.get(cluster) ?? { cluster };
    const { state, message } = judgeAgent(record, now, staleAfterMs);
    const unknown = expected.includes(cluster) ? '' : '; the inventory does not know this cluster';
    const { lastSeen, version } = record;
    return { cluster, state, lastSeen, version, message: message + unknown };
  });
}

function judgeAgent(
  { lastSeen, problem, deregistered }: AgentRecord,
  now: Date,
  staleAfterMs: number,
): Pick<AgentStatus, 'state' | 'message'> {
  if (deregistered) return { state: 'deregistered', message: `since ${deregistered.toISOString()}` };
  if (!lastSeen) {
    return {
      state: 'never seen',
      message:
        'it has not reported yet: deploy infra/agent-role.yaml to AWS, and infra/agent/ to the cluster',
    };
  }
  const silentMinutes = Math.floor((now.getTime() - lastSeen.getTime()) / 60_000);
  const silence = `silent for ${silentMinutes} minutes`;
  if (now.getTime() - lastSeen.getTime() > staleAfterMs) return { state: 'stale', message: silence };
  if (lastSeen.getTime() - now.getTime() > clockSkewMs) {
    const message = `its last report has the time ${lastSeen.toISOString()}, which is in the future: set the clock of its cluster, or find out who changed the tag`;
    return { state: 'failing', message };
  }
  if (problem) return { state: 'failing', message: problem };
  return { state: 'live', message: 'everything for its cluster is delivered' };
}
