// What keeps a certificate from being renewed, as far as its tags and the inventory tell.
import type { CertificateState } from '../../../state/state.ts';
import { explainRefusal, isTolerated, type Misfits } from '../../registration/grace.ts';
import { describeWish, type Retirement } from '../../retirement/retirement.ts';
import { slowCode } from '../backoff.ts';
import type { Decision } from '../decision.ts';
import { isPausedByCa, pauseOf } from '../pause.ts';

/** Why a certificate is not renewed, or not delivered. `Unreadable`: its tags do not tell what it is; `issue`
 *  reads its value. `Frozen`: it is renewed, and until then its targets keep what they have. */
export type ObstacleReason =
  | 'Retiring'
  | 'Abandoned'
  | 'NotAllowed'
  | 'Unreadable'
  | 'Paused'
  | 'PausedByCA'
  | 'WaitingForDns'
  | 'NameTaken'
  | 'Failing'
  | 'Frozen';

/** What keeps a certificate from being renewed. Texts may come from strangers. */
export interface RenewalObstacle {
  readonly reason: ObstacleReason;
  /** One line. */
  readonly message: string;
  readonly since?: Date | undefined;
  /** When it may go on by itself. Absent: nobody knows, or a person must act. */
  readonly until?: Date | undefined;
}

/** What is known of one certificate. */
export interface ObstacleFacts {
  readonly state: CertificateState;
  readonly retirement: Retirement | undefined;
  readonly misfits: Misfits | undefined;
  /** Whether the inventory file, a sender or an object asks for it. */
  readonly isAskedFor: boolean;
  /** What `issue` would decide now; absent if tags do not tell what is stored. */
  readonly decision: Decision | undefined;
}

/** The first thing in the way of its next renewal; `undefined` if nothing is. */
export function findObstacle(facts: ObstacleFacts, now: Date): RenewalObstacle | undefined {
  for (const check of checks) {
    const found = check(facts, now);
    if (found) return found;
  }
  return undefined;
}

const checks: readonly ((facts: ObstacleFacts, now: Date) => RenewalObstacle | undefined)[] = [
  ({ retirement }) =>
    retirement && { reason: 'Retiring', message: describeWish(retirement), since: retirement.since },
  ({ isAskedFor }) =>
    isAskedFor
      ? undefined
      : { reason: 'Abandoned', message: 'neither the inventory nor anybody else asks for it any more' },
  ({ misfits }, now) =>
    misfits && !isTolerated(misfits, now)
      ? { reason: 'NotAllowed', message: explainRefusal(misfits) }
      : undefined,
  ({ decision }) =>
    decision
      ? undefined
      : { reason: 'Unreadable', message: 'its tags do not tell what is stored, or which issuer it asks for' },
  findPause,
  findProblem,
];

function findPause({ state }: ObstacleFacts, now: Date): RenewalObstacle | undefined {
  const pause = pauseOf(state, now);
  if (!pause) return undefined;
  const { since, reason, until } = pause;
  if (isPausedByCa(pause)) return { reason: 'PausedByCA', message: reason ?? '', since };
  const message = `paused by a person${reason ? `: ${reason}` : ''}`;
  return { reason: 'Paused', message, since, until };
}

/** What stops an order that is due now. The limits of the CA are no failure, nor an order that it works
 *  on. */
function findProblem({ state, decision }: ObstacleFacts, now: Date): RenewalObstacle | undefined {
  const { problem, failures = 0, error, nextAttempt } = state;
  if (!decision || decision.decision === 'keep' || error === slowCode) return undefined;
  const told = { message: problem?.words ?? decision.message, since: problem?.since };
  if (problem?.code === 'PreflightFailed') return { reason: 'WaitingForDns', ...told };
  if (problem?.code === 'NameTaken') return { reason: 'NameTaken', ...told };
  if (failures === 0 || isLimit(error) || isLimit(problem?.code)) return undefined;
  const until = nextAttempt && nextAttempt > now ? nextAttempt : undefined;
  return { reason: 'Failing', ...told, until };
}

/** Whether a code of a failure or a problem means the limits of the CA, its own or ours. */
export function isLimit(code: string | undefined): boolean {
  return code === 'rateLimited' || code === 'RateLimited';
}
