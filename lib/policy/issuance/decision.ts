// Decides whether one certificate is ordered, waits or is kept: an ordered list of checks, of which the first
// that applies wins.
import { namesKey } from '../../certificate/names.ts';
import { mayBeAlive } from '../../certificate/stored.ts';
import type { Trouble } from '../../state/health.ts';
import { explainRefusal, isTolerated, type Misfits } from '../registration/grace.ts';
import type { Actual, ActualCertificate } from './actual.ts';
import { describeBackOff } from './backoff.ts';
import { type Desired, isFrom, sourcesOf } from './desired.ts';
import { describePause, type Pause } from './pause.ts';
import type { OrderReason, WaitReason } from './reasons.ts';
import { fitsLifetime, renewalTime } from './renewal-time.ts';

/** Everything that is known of one certificate when it is judged. */
export interface Situation {
  readonly desired: Desired;
  readonly actual: Actual;
  /** The claim of AWSPENDING. `deadline`: until when its run may be alive; absent if only listing was
   *  read. */
  readonly pending?: { readonly version: string; readonly deadline?: Date | undefined } | undefined;
  /** Failed attempts since the last success, the code of the last one, and the instant before which there
   *  is no other. */
  readonly failures?: number | undefined;
  readonly error?: string | undefined;
  readonly nextAttempt?: Date | undefined;
  /** What stopped the last attempt, in words. */
  readonly problem?: Trouble | undefined;
  /** Whether a person forces the order of this certificate. */
  readonly forced?: boolean | undefined;
  /** When and why a person paused the certificate; absent: not paused. */
  readonly paused?: Pause | undefined;
  /** Whether the certificate in AWSCURRENT was revoked. */
  readonly isRevoked?: boolean | undefined;
  /** Whether AWSCURRENT was in use when a person restored the certificate: somebody else may have its key. */
  readonly isRestored?: boolean | undefined;
  /** What today's inventory does not allow of a specification that is not from the file. Absent: nothing. */
  readonly misfits?: Misfits | undefined;
}

/** What to do with one certificate now, with a sentence that a person can act on. */
export type Decision =
  | { readonly decision: 'order'; readonly reason: OrderReason; readonly message: string }
  | {
      readonly decision: 'wait';
      readonly reason: WaitReason;
      readonly message: string;
      /** Absent if a person must act first. */
      readonly until?: Date | undefined;
    }
  | {
      readonly decision: 'keep';
      readonly reason: 'Current';
      readonly message: string;
      readonly renewsAt: Date;
    };

/** Decides for one certificate: the first reason to order, unless an obstacle makes it wait. Without a
 *  reason it is kept. */
export function judge(situation: Situation, now: Date): Decision {
  const need = firstMatch(needs, situation, now);
  const { misfits } = situation;
  if (misfits && !isTolerated(misfits, now)) {
    const message = need ? withNeed(explainRefusal(misfits), need.result) : explainRefusal(misfits);
    return { decision: 'wait', reason: 'NotAllowed', message };
  }
  if (need === undefined) return keep(situation);
  const obstacle = firstMatch(obstacles, situation, now);
  if (obstacle === undefined) {
    const { fallbackReason } = situation.desired;
    const message = fallbackReason === undefined ? need.result : `${need.result}; ${fallbackReason}`;
    return { decision: 'order', reason: need.reason, message };
  }
  const { message, until } = obstacle.result;
  return {
    decision: 'wait',
    reason: obstacle.reason,
    message: withNeed(message, need.result),
    until,
  };
}

/** What is in the way of an order, with why the order is due. */
export function withNeed(obstacle: string, need: string): string {
  return `${obstacle}; an order is due: ${need}`;
}

/** What the specification asks for that the stored certificate is not, as a sentence; `undefined` if it is
 *  as asked for. */
export function findChange(actual: ActualCertificate, desired: Desired): string | undefined {
  for (const find of [findOtherNames, findOtherIssuer, findOtherProfile, findOtherKey]) {
    const found = find(actual, desired);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Check<Reason, Finding> {
  readonly reason: Reason;
  readonly find: (situation: Situation, now: Date) => Finding | undefined;
}

/** Reasons to order, in the order of the checks. */
const needs: readonly Check<OrderReason, string>[] = [
  { reason: 'Resume', find: findInterrupted },
  {
    reason: 'Missing',
    find: ({ actual }) => (actual.kind === 'nothing' ? 'no certificate is stored' : undefined),
  },
  { reason: 'Unparsable', find: ({ actual }) => (actual.kind === 'unparsable' ? actual.problem : undefined) },
  {
    reason: 'KeyMismatch',
    find: ({ actual }) => (actual.kind === 'mismatched' ? actual.problem : undefined),
  },
  { reason: 'NamesChanged', find: whenActual(findOtherNames) },
  { reason: 'IssuerChanged', find: whenActual(findOtherIssuer) },
  { reason: 'ProfileChanged', find: whenActual(findOtherProfile) },
  { reason: 'KeyChanged', find: whenActual(findOtherKey) },
  {
    reason: 'Revoked',
    find: ({ isRevoked }) => (isRevoked ? 'the stored certificate was revoked' : undefined),
  },
  {
    reason: 'Restored',
    find: ({ isRestored }) =>
      isRestored
        ? 'it was restored, and somebody else may have the key of the stored certificate'
        : undefined,
  },
  { reason: 'Expired', find: whenActual(findExpired) },
  { reason: 'RenewalDue', find: whenActual(findRenewalDue) },
  { reason: 'Forced', find: ({ forced }) => (forced ? 'forced by the request' : undefined) },
];

/** Obstacles to an order, in the order of the checks. */
const obstacles: readonly Check<WaitReason, Obstacle>[] = [
  { reason: 'InFlight', find: findInFlight },
  { reason: 'BackingOff', find: findBackingOff },
  { reason: 'Paused', find: findPaused },
];

interface Obstacle {
  readonly message: string;
  readonly until?: Date | undefined;
}

function firstMatch<Reason, Finding>(
  checks: readonly Check<Reason, Finding>[],
  situation: Situation,
  now: Date,
): { readonly reason: Reason; readonly result: Finding } | undefined {
  for (const { reason, find } of checks) {
    const result = find(situation, now);
    if (result !== undefined) return { reason, result };
  }
  return undefined;
}

function keep({ actual, desired }: Situation): Decision {
  if (actual.kind !== 'certificate') throw new TypeError('only a certificate can be kept');
  const renewsAt = renewalTime({ ...actual, renewBeforeMs: desired.renewBeforeMs });
  const message = `valid until ${format(actual.notAfter)}, renewed from ${format(renewsAt)}${renewBeforeNote(actual, desired)}`;
  return { decision: 'keep', reason: 'Current', message, renewsAt };
}

type ActualCheck = (actual: ActualCertificate, desired: Desired, now: Date) => string | undefined;

function whenActual(check: ActualCheck): (situation: Situation, now: Date) => string | undefined {
  return ({ actual, desired }, now) =>
    actual.kind === 'certificate' ? check(actual, desired, now) : undefined;
}

function findInterrupted({ pending }: Situation, now: Date): string | undefined {
  if (pending === undefined || isAlive(pending, now)) return undefined;
  return 'an earlier run stopped in the middle of an order, which is finished first';
}

/** Tags contain only a hash of the names, so the message does not list the stored ones. */
function findOtherNames(actual: ActualCertificate, { domains }: Desired): string | undefined {
  if (domains === undefined || actual.names === namesKey(domains)) return undefined;
  return `the stored certificate is not for exactly ${domains.join(', ')}`;
}

function findOtherIssuer({ issuer }: ActualCertificate, desired: Desired): string | undefined {
  return isFrom(issuer, desired)
    ? undefined
    : `issued by ${issuer}, its specification asks for ${desired.directory}`;
}

function findOtherProfile({ issuer, profile }: ActualCertificate, desired: Desired): string | undefined {
  const sources = sourcesOf(desired).filter(({ directory }) => directory === issuer);
  if (sources.some((source) => source.profile === profile)) return undefined;
  const [was, is] = [profile, sources[0]?.profile].map((name) => name ?? "the CA's default");
  return `issued under profile ${was}, its specification asks for ${is}`;
}

function findOtherKey(actual: ActualCertificate, { key }: Desired): string | undefined {
  return actual.key === key
    ? undefined
    : `its key is ${actual.key ?? 'of another type'}, its specification asks for ${key}`;
}

function findExpired(actual: ActualCertificate, _: Desired, now: Date): string | undefined {
  return now >= actual.notAfter ? `expired at ${format(actual.notAfter)}` : undefined;
}

function findRenewalDue(actual: ActualCertificate, desired: Desired, now: Date): string | undefined {
  const renewsAt = renewalTime({ ...actual, renewBeforeMs: desired.renewBeforeMs });
  if (now < renewsAt) return undefined;
  return `due since ${format(renewsAt)}, valid until ${format(actual.notAfter)}${renewBeforeNote(actual, desired)}`;
}

function findInFlight({ pending }: Situation, now: Date) {
  if (pending?.deadline === undefined || !isAlive(pending, now)) return undefined;
  return {
    message: `another run is ordering it, until ${format(pending.deadline)} at most`,
    until: pending.deadline,
  };
}

function findBackingOff({ failures = 1, error, problem, nextAttempt, forced }: Situation, now: Date) {
  if (forced || nextAttempt === undefined || nextAttempt <= now) return undefined;
  return { message: describeBackOff({ failures, error, problem, nextAttempt }), until: nextAttempt };
}

/** Force does not lift a pause: whoever paused the certificate had a reason, and resumes it, or it ends. */
function findPaused({ paused }: Situation) {
  if (paused === undefined) return undefined;
  const { until } = paused;
  return { message: describePause(paused), ...(until ? { until } : {}) };
}

/** A claim without a known deadline counts as that of an ended run: whoever takes it over reads it first. */
function isAlive({ deadline }: { readonly deadline?: Date | undefined }, now: Date): boolean {
  return deadline !== undefined && mayBeAlive(deadline, now);
}

function renewBeforeNote(actual: ActualCertificate, { renewBeforeMs }: Desired): string {
  if (renewBeforeMs === undefined || fitsLifetime({ ...actual, renewBeforeMs })) return '';
  return '; renewBefore is ignored, because it is more than two thirds of the lifetime';
}

function format(instant: Date): string {
  return instant.toISOString();
}
