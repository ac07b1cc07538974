// How far each target is with a version, and what is next there, by tags alone: `deploy` begins with it,
// `status` shows it, and `revoke` waits for it.
import { type Inventory, isSecretTarget, type TargetSpec } from '../../certificate/spec.ts';
import type { DeliveryPhase, Freeze } from '../../state/delivery.ts';
import type { CertificateState } from '../../state/state.ts';
import { isAgentCluster, reachedPhases } from './agents.ts';
import { adviseFreeze, freezeOf, judgeFrozen } from './freeze.ts';
import { nameDestination } from './secret-plan.ts';

/** What is next at a target. `deliver`: its Secret gets the version. `restart`: its workloads do not run with
 *  it yet. `agent`: an agent delivers there. `return`: it goes back to the previous version. `frozen`:
 *  nothing, until a person resumes the version or a newer one comes. `nothing`: it is complete. */
export type NextStep = 'deliver' | 'restart' | 'agent' | 'return' | 'frozen' | 'nothing';

/** One target of a certificate. */
export interface TargetState {
  readonly target: TargetSpec;
  /** As `nameDestination` writes it. */
  readonly name: string;
  readonly phase: DeliveryPhase;
  readonly next: NextStep;
}

/** The certificate whose targets are judged. */
export interface DeliverySubject {
  readonly name: string;
  readonly version: string;
  readonly state: CertificateState;
  /** Whether the version is frozen; absent: what the tags say counts. */
  readonly freeze?: Freeze | 'none' | undefined;
}

/** The state of each target, in their order. */
export function judgeTargetStates(
  subject: DeliverySubject,
  targets: readonly TargetSpec[],
  inventory: Pick<Inventory, 'clusters'>,
): readonly TargetState[] {
  const { name: certificate, version, state } = subject;
  const freeze = subject.freeze ?? freezeOf(state.freeze, version) ?? 'none';
  const phases = reachedPhases(state, version, targets, inventory);
  return targets.map((target, index) => {
    const phase = phases[index] ?? 'none';
    const name = nameDestination(target, certificate);
    const isAgents = isSecretTarget(target) && isAgentCluster(target.cluster, inventory);
    const frozen = freeze === 'none' ? 'proceed' : judgeFrozen(freeze, name, phase !== 'none');
    return { target, name, phase, next: nextStep(phase, frozen, isAgents ? 'agent' : 'deploy') };
  });
}

function nextStep(
  phase: DeliveryPhase,
  frozen: ReturnType<typeof judgeFrozen>,
  by: 'agent' | 'deploy',
): NextStep {
  if (frozen === 'back') return 'return';
  if (phase === 'rolled-out') return 'nothing';
  if (frozen === 'stay') return 'frozen';
  if (by === 'agent') return 'agent';
  return phase === 'none' ? 'deliver' : 'restart';
}

/** Which targets are not complete, as one line that says why they will not be by themselves; `undefined` if
 *  all are. */
export function describeOpen(
  { name, version, state }: DeliverySubject,
  targets: readonly TargetState[],
): string | undefined {
  const open = targets.filter(({ next }) => next !== 'nothing');
  if (open.length === 0) return undefined;
  const message = `it is not delivered yet to ${open.map((target) => target.name).join(', ')}`;
  const freeze = freezeOf(state.freeze, version);
  const isFrozen = open.some(({ next }) => next === 'frozen' || next === 'return');
  return freeze && isFrozen ? `${message}: ${freeze.reason}; ${adviseFreeze(name)}` : message;
}
