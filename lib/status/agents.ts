// How each agent stands: by when it was seen last.

import type { Inventory } from '../certificate/spec.ts';
import { isAgentCluster } from '../policy/delivery/agents.ts';
import type { AgentRecord } from '../ports/agents.ts';

/** By which clocks may differ. */
const clockSkewMs = 5 * 60_000;

/** `stale`: silent for too long. `failing`: it was there just now, and something went wrong. */
export interface AgentStatus {
  readonly cluster: string;
  readonly state: 'live' | 'failing' | 'stale' | 'never seen' | 'deregistered';
  readonly lastSeen?: Date | undefined;
  readonly version?: string | undefined;
  readonly message: string;
}

/** Every cluster of the inventory that only an agent reaches, and every other one that has reported; by name.
 *  @param staleAfterMs Silence for longer than this is stale. */
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
    const { state, message } = judgeOne(record, now, staleAfterMs);
    const unknown = expected.includes(cluster) ? '' : '; the inventory does not know this cluster';
    const { lastSeen, version } = record;
    return { cluster, state, lastSeen, version, message: message + unknown };
  });
}

function judgeOne(
  { lastSeen, problem, deregistered }: AgentRecord,
  now: Date,
  staleAfterMs: number,
): Pick<AgentStatus, 'state' | 'message'> {
  if (deregistered) return { state: 'deregistered', message: `since ${deregistered.toISOString()}` };
  if (!lastSeen) {
    return { state: 'never seen', message: 'deploy infra/agent-role.yaml for it, and infra/agent/ in it' };
  }
  const silentMinutes = Math.floor((now.getTime() - lastSeen.getTime()) / 60_000);
  const silence = `silent for ${silentMinutes} minutes`;
  if (now.getTime() - lastSeen.getTime() > staleAfterMs) return { state: 'stale', message: silence };
  if (lastSeen.getTime() - now.getTime() > clockSkewMs) {
    const message = `its last report is of ${lastSeen.toISOString()}, which is to come: set the clock of its cluster, or find out who wrote the tag`;
    return { state: 'failing', message };
  }
  if (problem) return { state: 'failing', message: problem };
  return { state: 'live', message: 'all that is meant for it is delivered' };
}
