// Judges frozen versions: who stopped them, and what resumes them.
import { frozenByAgents } from '../delivery/agents.ts';
import { freezeOf, isByHand, isImported, resumeCommand } from '../delivery/freeze.ts';
import type { HealthFacts } from './facts.ts';
import type { Finding } from './finding.ts';

/** A version that failed is `Degraded` until it is resumed or replaced. One that a person took back or
 *  imported is `Suspended`. */
export function findFrozen({ name, state, entry }: HealthFacts): Finding | undefined {
  const freezes = [state.freeze, ...frozenByAgents(state)];
  const freeze = freezes.find((candidate) => freezeOf(candidate, entry?.current) !== undefined);
  if (!freeze) return undefined;
  const { target, reason } = freeze;
  const command = resumeCommand(name);
  if (isByHand(freeze) || isImported(freeze)) {
    return { health: 'Suspended', reason: 'Frozen', message: `frozen: ${reason}`, command };
  }
  const message = `it failed at ${target} and was taken back: ${reason}; resume it once that is mended`;
  return { health: 'Degraded', reason: 'TakenBack', message, command };
}
