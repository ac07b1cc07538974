// What people have decided about a certificate, as its tags tell: paused, revoked.
import type { CertificateState } from '../../state/state.ts';

/** A person wants no order. */
export interface Pause {
  readonly since: Date;
  /** That person's words. */
  readonly reason?: string | undefined;
}

/** Fields of a `Situation` that come from decisions of people. */
export interface OperatorDecisions {
  readonly paused: Pause | undefined;
  /** What AWSCURRENT holds has been revoked. */
  readonly isRevoked: boolean;
}

/** Versions that are remembered: those that can still hold AWSCURRENT or AWSPREVIOUS, and some more. */
const maxRevoked = 4;

/** Read from an entry as listing gives it; without one nothing has been decided. */
export function decisionsOf(
  entry: { readonly current?: string | undefined; readonly state: CertificateState } | undefined,
): OperatorDecisions {
  const { pausedSince, pauseReason, revoked = [] } = entry?.state ?? {};
  const current = entry?.current;
  return {
    paused: pausedSince && { since: pausedSince, reason: pauseReason },
    isRevoked: current !== undefined && revoked.includes(current),
  };
}

/** The revoked versions with one more, newest first. */
export function addRevoked(revoked: readonly string[] | undefined, version: string): readonly string[] {
  return [...new Set([version, ...(revoked ?? [])])].slice(0, maxRevoked);
}
