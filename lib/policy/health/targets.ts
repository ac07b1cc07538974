// The health of each target of a certificate: what it holds, and what keeps it from the current version.
import { isSecretTarget, type TargetSpec } from '../../certificate/spec.ts';
import type { ServedRecord, ServedWord } from '../../state/delivery.ts';
import type { HealthWord } from '../../state/health.ts';
import { workloadsCommand } from '../commands.ts';
import { isAgentCluster, targetsIn } from '../delivery/agents.ts';
import { nameDestination } from '../delivery/secret-plan.ts';
import { judgeTargetStates } from '../delivery/target-states.ts';
import { judgeTiming } from '../delivery/windows.ts';
import { servedByTargets } from '../serving/served-targets.ts';
import { findDeliveryFailure, findLookFailure } from './delivery-failures.ts';
import { findEndlessRestart, findForgotten } from './endless.ts';
import type { HealthFacts } from './facts.ts';
import { describeCause, explain, type Finding, sinceOf } from './finding.ts';
import { findFrozen } from './freezes.ts';
import { findHoldings, type PlaceHolding } from './holdings.ts';
import { describeEnd, isShort, presumedEnd } from './margin.ts';
import { clusterCommand, deliverCommand, deployCommand, planCommand, renewCommand } from './next-commands.ts';
import { current, type HealthReason } from './reasons.ts';

const dayMs = 86_400_000;
/** How long a complete target may not be looked at, in milliseconds. */
const longestUnseenMs = dayMs;

/** The health of one target. */
export interface TargetHealth {
  /** As `nameDestination` writes it: `prod/shop/shop-tls`. */
  readonly target: string;
  readonly health: HealthWord;
  readonly reason: HealthReason;
  readonly message: string;
  /** Since when it is not healthy. */
  readonly since?: Date | undefined;
  /** What was last delivered there; absent if that is not known. */
  readonly holds?: PlaceHolding | undefined;
  /** Last probe of the target's own addresses; if it lists none, of the certificate's names. For a cluster
   *  with an agent, as that agent reports it. */
  readonly served?: ServedWord | undefined;
}

/** A target with what was found there. */
export interface JudgedTarget {
  readonly health: TargetHealth;
  readonly finding?: Finding | undefined;
}

/** Judges each target, in their order; none if it is not known where the certificate goes. */
export function judgeTargets(facts: HealthFacts): readonly JudgedTarget[] {
  const { name, state, certificate, entry, clusters, now, targets = [] } = facts;
  const version = certificate && entry?.current;
  const states =
    version === undefined ? [] : judgeTargetStates({ name, version, state }, targets, { clusters });
  const holds = findHoldings(facts, targets);
  const served = findServed(facts, targets, version);
  return targets.map((target, index) => {
    const place = {
      target,
      name: nameDestination(target, name),
      isComplete: states[index]?.phase === 'rolled-out',
      isApplied: states[index]?.phase === 'applied',
      isFrozen: states[index]?.next === 'frozen' || states[index]?.next === 'return',
      holds: holds[index],
    };
    const finding = judgeTarget(place, facts);
    const unseen = describeUnseen(place, facts);
    const told = finding ?? { health: 'Healthy' as const, reason: current, message: unseen ?? 'up to date' };
    return {
      finding,
      health: {
        target: place.name,
        health: told.health,
        reason: told.reason,
        message: told.message,
        ...(finding && { since: sinceOf(finding, facts.note, now) }),
        holds: place.holds,
        served: served[index],
      },
    };
  });
}

/** One target and how far it is. */
interface Place {
  readonly target: TargetSpec;
  readonly name: string;
  readonly isComplete: boolean;
  readonly isApplied: boolean;
  readonly isFrozen: boolean;
  readonly holds: PlaceHolding | undefined;
}

function judgeTarget(place: Place, facts: HealthFacts): Finding | undefined {
  if (place.isComplete) return findUnseen(place, facts) ?? findLookFailure(place.name, facts);
  const open =
    (place.isFrozen ? findFrozen(facts) : undefined) ??
    findDeliveryFailure(place.name, facts) ??
    describeWaiting(place, facts);
  const late = findHeldLate(place, facts);
  return late ? explain(late, open) : open;
}

/** What the target holds ends before the version that waits for it can be called in time. */
function findHeldLate({ target, name, holds }: Place, facts: HealthFacts): Finding | undefined {
  const { life, now } = facts;
  if (!holds || !life) return undefined;
  const end = holds.notAfter ?? presumedEnd(life);
  const command = deliverCommand(facts, clusterOf(target));
  if (holds.notAfter && end <= now) {
    const message = `${name} holds a certificate that ${describeEnd(end, now)}`;
    return { health: 'Degraded', reason: 'Expired', message, since: end, command };
  }
  if (!isShort(end, life, now)) return undefined;
  const message = holds.notAfter
    ? `${name} holds a certificate that is ${describeEnd(end, now)}`
    : `${name} still holds version ${holds.version}, which has been due for renewal since ${life.notBefore.toISOString()} or longer`;
  return { health: 'Degraded', reason: 'ExpiresSoon', message, command };
}

/** Complete, in a cluster that nobody could look at for more than a day. */
function findUnseen({ target, name }: Place, facts: HealthFacts): Finding | undefined {
  const trouble = isSecretTarget(target) ? facts.clusterTroubles[target.cluster] : undefined;
  if (!trouble || !isSecretTarget(target)) return undefined;
  if (facts.now.getTime() - trouble.since.getTime() <= longestUnseenMs) return undefined;
  const cause = `cluster/${target.cluster}`;
  const message = `${name} was not looked at since ${trouble.since.toISOString()}, ${describeCause(cause)}`;
  const command = clusterCommand(target.cluster);
  return { health: 'Degraded', reason: 'NotLookedAt', message, since: trouble.since, cause, command };
}

function describeUnseen({ target, isComplete }: Place, { clusterTroubles }: HealthFacts): string | undefined {
  const trouble = isSecretTarget(target) ? clusterTroubles[target.cluster] : undefined;
  return trouble && isComplete ? `not looked at since ${trouble.since.toISOString()}` : undefined;
}

function describeWaiting(place: Place, facts: HealthFacts): Finding {
  const { target, name, isApplied } = place;
  const { certificate, entry, state, clusters, now } = facts;
  if (!certificate) {
    const [since, command] = [entry?.createdAt, renewCommand(facts.name)];
    return { health: 'Progressing', reason: 'Ordering', message: 'not issued yet', since, command };
  }
  const windows = (isSecretTarget(target) && target.rollout?.windows) || [];
  const timing = judgeTiming(windows, { begin: certificate.notBefore, now });
  if (timing.kind === 'closed') {
    const until = timing.until ? ` until ${timing.until.toISOString()}` : '';
    const next = timing.until ? { next: { what: 'deliver' as const, at: timing.until } } : {};
    const message = `${name} waits for its maintenance window${until}`;
    const command = planCommand(facts.name);
    return { health: 'Progressing', reason: 'WaitingForWindow', message, command, ...next };
  }
  const { deliveryProblem } = state;
  const words = deliveryProblem?.cause === `target/${name}` ? `: ${deliveryProblem.words}` : '';
  const isAgents = isSecretTarget(target) && isAgentCluster(target.cluster, { clusters });
  const by = isAgents ? ', which its agent delivers' : '';
  if (isApplied) return describeRestarting(place, facts, `${by}${words}`);
  const forgotten = findForgotten(isAgents ? target.cluster : undefined, facts);
  if (forgotten) return { ...forgotten, message: `${name} ${forgotten.message}` };
  const message = `${name} does not have it yet${by}${words}`;
  const command = deliverCommand(facts, clusterOf(target));
  return { health: 'Progressing', reason: 'Delivering', message, command };
}

function describeRestarting({ target, name }: Place, facts: HealthFacts, more: string): Finding {
  // An agent's cluster has them, too.
  const command = workloadsCommand(name) ?? deployCommand(facts.name);
  const what = `${name} has the Secret, and its workloads do not run with it`;
  // What has a deadline is taken back then.
  const hasDeadline = isSecretTarget(target) && target.rollout !== undefined;
  const since = hasDeadline ? undefined : findEndlessRestart(facts);
  if (!since) return { health: 'Progressing', reason: 'Delivering', message: `${what} yet${more}`, command };
  const message = `${what} since ${since.toISOString()}${more}: look at their pods`;
  return { health: 'Degraded', reason: 'DeliveryFailing', message, since, command };
}

function clusterOf(target: TargetSpec): string | undefined {
  return isSecretTarget(target) ? target.cluster : undefined;
}

function findServed(
  { state, clusters }: HealthFacts,
  targets: readonly TargetSpec[],
  version: string | undefined,
): readonly (ServedWord | undefined)[] {
  const probed = probeOf(state.served, version);
  const byTarget = servedByTargets(probed?.targets, targets);
  return targets.map((target, index) => {
    if (!isSecretTarget(target) || !isAgentCluster(target.cluster, { clusters })) {
      return byTarget[index] ?? probed?.word;
    }
    const own = targetsIn(targets, target.cluster);
    const inside = version === undefined ? undefined : state.reports?.[target.cluster]?.served;
    return servedByTargets(inside?.targets, own)[own.indexOf(target)] ?? inside?.word;
  });
}

/** The recorded probe if it is of the version. */
export function probeOf(
  served: ServedRecord | undefined,
  version: string | undefined,
): ServedRecord | undefined {
  return served?.version === version ? served : undefined;
}
