// What people have decided about a certificate, by its tags: paused, revoked, restored.
import type { CertificateState } from '../../state/state.ts';
import { isRestored } from '../retirement/retirement.ts';

/** A pause: a person wants no order. */
export interface Pause {
  readonly since: Date;
  /** Why, in that person's words. */
  readonly reason?: string | undefined;
}

/** How the reason of a pause begins that is the CA's and no person's. */
export const pausedByCa = 'the CA has paused it';

/** Fields of a `Situation` that come from decisions of people. */
export interface OperatorDecisions {
  readonly paused: Pause | undefined;
  /** Whether the certificate in AWSCURRENT was revoked. */
  readonly isRevoked: boolean;
  /** Whether the certificate in AWSCURRENT was in use when a person restored it (`isRestored`). */
  readonly isRestored: boolean;
}

/** The most revoked versions on the tags: those that AWSCURRENT or AWSPREVIOUS may have, and some more. */
const maxRevoked = 4;

/** The decisions on the tags of an entry; without an entry nothing was decided. */
export function decisionsOf(
  entry: { readonly current?: string | undefined; readonly state: CertificateState } | undefined,
): OperatorDecisions {
  const { pausedSince, pauseReason, revoked = [] } = entry?.state ?? {};
  const current = entry?.current;
  return {
    paused: pausedSince && { since: pausedSince, reason: pauseReason },
    isRevoked: current !== undefined && revoked.includes(current),
    isRestored: isRestored(entry?.state ?? {}, current),
  };
}

/** The revoked versions with one more, the newest first. */
export function addRevoked(revoked: readonly string[] | undefined, version: string): readonly string[] {
  return [...new Set([version, ...(revoked ?? [])])].slice(0, maxRevoked);
}
