// Decides what one target's Secret gets, from what was observed of it: the version, the previous one, or
// nothing.

import {
  type Drift,
  describeDrift,
  findDrift,
  readWrongSince,
  wrongSinceAnnotation,
} from '../../policy/delivery/drift.ts';
import { adviseFreeze, describeFreeze, isByHand, judgeFrozen } from '../../policy/delivery/freeze.ts';
import {
  type Delivery,
  describeSecret,
  nameTarget,
  planSecret,
  type SecretPlan,
} from '../../policy/delivery/secret-plan.ts';
import { hasValidCertificate } from '../../policy/delivery/secret-validity.ts';
import { isNearExpiry, judgeTiming, type Timing } from '../../policy/delivery/windows.ts';
import {
  type ClusterSecret,
  certificateAnnotation,
  readNotAfter,
  type SecretManifest,
  versionAnnotation,
} from '../../policy/kubernetes/objects.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { describeWeakness } from '../../ports/passwords.ts';
import type { Freeze } from '../../state/delivery.ts';
import type { AnyJob, Job, JobResult, LastGood } from '../invocation.ts';
import { describeRefusal, describeUndelivered } from '../results.ts';

/** What was observed of one target's Secret. */
export interface SecretObservation {
  /** When it was read. */
  readonly at: Date;
  /** Absent: there is no such Secret. */
  readonly found?: ClusterSecret | undefined;
  /** Of a keystore. */
  readonly password?: string | undefined;
  /** The version that is current now, if it is no longer the job's and the Secret's certificate ends
   *  later. */
  readonly supersededBy?: string | undefined;
  /** Only if the job's version is frozen and the target goes back. */
  readonly lastGood?: LastGood | undefined;
}

/** What a Secret needs to have one version. */
export interface SecretWork {
  readonly delivery: Delivery;
  readonly plan: Exclude<SecretPlan, { action: 'refuse' }>;
  readonly desired: SecretManifest;
  readonly found: ClusterSecret | undefined;
  /** When the Secret was decided on. */
  readonly seenAt: Date;
  readonly warnings: readonly string[];
  /** What others changed in a Secret that was delivered; absent: nothing. */
  readonly drift?: Drift | undefined;
  /** What the Secret needs instead once no pod has the value of others any more. */
  readonly settled?: SecretWork | undefined;
}

/** What happens to a target. `leave`: nothing. `deliver`: the Secret gets the job's version. `return`: it
 *  gets the previous one, because the job's is frozen there. */
export type SecretDecision =
  | { readonly kind: 'leave'; readonly result: JobResult }
  | { readonly kind: 'deliver'; readonly work: SecretWork }
  | { readonly kind: 'return'; readonly freeze: Freeze; readonly work: SecretWork };

/** Decides for one target.
 *  @throws Error if the format needs a password and there is none. */
export function decideSecret(job: Job, seen: SecretObservation, now: Date): SecretDecision {
  const left = leaveAsIs(job, seen, now);
  if (left) return { kind: 'leave', result: left };
  const { freeze } = job;
  if (freeze && judgeHere(job, freeze, seen) === 'back') return decideReturn(job, freeze, seen);
  const work = planRepair(job, seen, now);
  if (work instanceof ClusterError) return { kind: 'leave', result: describeRefusal(job, work) };
  const isUrgent = judgeWindow(job, seen.found, now).kind === 'urgent';
  const urgent = 'it does not wait for its window: the served certificate expires soon';
  return { kind: 'deliver', work: isUrgent ? { ...work, warnings: [urgent, ...work.warnings] } : work };
}

/** The result of a target that stays as it is, whatever its Secret needs: its version is frozen there, is not
 *  valid yet, or waits for a window. `undefined`: it gets a version. Needs no password. */
export function leaveAsIs(job: Job, seen: SecretObservation, now: Date): JobResult | undefined {
  const { freeze, begins, delivery, target } = job;
  const frozen = freeze && judgeHere(job, freeze, seen);
  if (freeze && frozen === 'back') return refuseReturn(job, freeze, seen);
  if (begins && seen.found && hasValidCertificate(seen.found, delivery, target, now)) {
    return describeNotYetValid(job, begins);
  }
  if (freeze && frozen === 'stay' && !isEnding(job, seen.found, now)) {
    const message = `${describeFreeze(freeze)}; ${adviseFreeze(delivery.certificate)}`;
    return describeUndelivered(job, 'held', message);
  }
  const timing = judgeWindow(job, seen.found, now);
  return timing.kind === 'closed' ? describeUndelivered(job, 'waiting', describeWait(timing)) : undefined;
}

/** The `pending` result of a target that waits until its version is valid. */
export function describeNotYetValid(job: AnyJob, begins: Date): JobResult {
  const { certificate, version } = job.delivery;
  const message = `version ${version} of ${certificate} is not valid before ${begins.toISOString()}; the target keeps its certificate until then. If that is wrong, move AWSCURRENT to another version`;
  return describeUndelivered(job, 'pending', message);
}

/** What the freeze means here. A frozen version that nobody has seen fail at this target is delivered once
 *  more in waves, which take it back by themselves if it fails here. */
function judgeHere({ target, phase }: Job, freeze: Freeze, { lastGood }: SecretObservation) {
  const decision = judgeFrozen(freeze, nameTarget(target), phase !== 'none');
  const isUnseen = lastGood && 'error' in lastGood && lastGood.error?.code === 'Unseen';
  return decision === 'back' && isUnseen && target.rollout && !isByHand(freeze) ? 'proceed' : decision;
}

/** Decides for a target that goes back to the previous version: the Secret stays as it is if there is none
 *  that may come back. */
export function decideReturn(job: Job, freeze: Freeze, seen: SecretObservation): SecretDecision {
  const refused = refuseReturn(job, freeze, seen);
  if (refused) return { kind: 'leave', result: refused };
  const { lastGood } = seen;
  const work = lastGood && 'delivery' in lastGood ? planWork(job, lastGood.delivery, seen) : noPrevious;
  if (work instanceof ClusterError) return { kind: 'leave', result: describeRefusal(job, work) };
  return { kind: 'return', freeze, work };
}

const noPrevious = new ClusterError('NotFound', 'there is no previous version');

function refuseReturn(job: Job, freeze: Freeze, seen: SecretObservation): JobResult | undefined {
  const { lastGood = { refusal: noPrevious.message } } = seen;
  if (!('refusal' in lastGood)) return undefined;
  const advice = adviseFreeze(job.delivery.certificate);
  const message = `${freeze.reason}; the Secret stays as it is, because the previous version cannot be put back: ${lastGood.refusal}; ${advice}`;
  return describeUndelivered(job, 'held', message, { phase: 'none' });
}

/** What the Secret needs to have the job's version. If others changed one that was delivered, it remembers
 *  since when, until no pod runs that may have started with their value. */
function planRepair(job: Job, seen: SecretObservation, now: Date) {
  const work = planWork(job, job.delivery, seen);
  const { found } = seen;
  if (work instanceof ClusterError || !found) return work;
  const hasVersion = found.annotations[versionAnnotation] === job.delivery.version;
  const wasDelivered = job.phase === 'rolled-out' || hasVersion;
  const drift = wasDelivered ? findDrift(work.desired, found) : undefined;
  const remembered = hasVersion ? readWrongSince(found) : undefined;
  const since = earliest([remembered, drift && (drift.since ?? now)]);
  if (since === undefined) return work;
  const repaired = planWork(job, job.delivery, seen, { [wrongSinceAnnotation]: since.toISOString() });
  if (repaired instanceof ClusterError) return repaired;
  const changed = drift && { drift, warnings: [describeDrift(drift), ...work.warnings] };
  return { ...repaired, ...changed, settled: { ...work, ...changed } };
}

function earliest(instants: readonly (Date | undefined)[]): Date | undefined {
  const known = instants.filter((instant) => instant !== undefined);
  return known.length === 0 ? undefined : new Date(Math.min(...known.map(Number)));
}

/** What the Secret needs to have the delivery; an error if it must not get it.
 *  @param more Annotations in addition to the usual ones. */
function planWork(
  { target, delivery: own }: Job,
  delivery: Delivery,
  seen: SecretObservation,
  more: Readonly<Record<string, string>> = {},
): SecretWork | ClusterError {
  const { found, password, supersededBy } = seen;
  const usual = describeSecret(delivery, target, password, found);
  const desired = { ...usual, annotations: { ...usual.annotations, ...more } };
  const plan = planSecret(target, desired, found);
  if (plan.action === 'refuse') return new ClusterError(plan.code, plan.message);
  const weakness = describeWeakness(target, password);
  if (plan.action === 'create' && weakness !== undefined) return new ClusterError('Rejected', weakness);
  if (plan.action !== 'keep' && supersededBy !== undefined) {
    const applied = found?.annotations[versionAnnotation];
    const message = `Secret ${nameTarget(target)} has version ${applied} of ${own.certificate}; this run began with ${own.version}, but ${supersededBy} is current now`;
    return new ClusterError('Conflict', message);
  }
  const warnings = [...plan.warnings, ...(weakness ? [weakness] : [])];
  return { delivery, plan, desired, found, seenAt: seen.at, warnings };
}

/** Whether the certificate in the Secret, which may be older than the previous version, ends soon. */
function isEnding({ delivery, facts }: Job, found: ClusterSecret | undefined, now: Date): boolean {
  const isOurs = found?.annotations[certificateAnnotation] === delivery.certificate;
  const end = found && isOurs ? readNotAfter(found) : undefined;
  return end !== undefined && isNearExpiry(end, facts.notBefore, now);
}

/** Whether the delivery may start now. A rollout that has begun always continues. A missing Secret never
 *  waits for a window: pods cannot start without it. */
function judgeWindow(
  { target, delivery, facts, phase }: Job,
  found: ClusterSecret | undefined,
  now: Date,
): Timing {
  const windows = phase === 'rolled-out' ? [] : (target.rollout?.windows ?? []);
  if (windows.length === 0) return { kind: 'open' };
  if (!found || found.annotations[versionAnnotation] === delivery.version) return { kind: 'open' };
  return judgeTiming(windows, { servedUntil: readNotAfter(found), begin: facts.notBefore, now });
}

function describeWait({ until }: Extract<Timing, { kind: 'closed' }>): string {
  return until ? `waits for its window until ${until.toISOString()}` : 'waits for its window';
}
