// What people have decided about a certificate, as its tags tell: paused, revoked.
import type { CertificateState } from './state.ts';

/** A person wants no order. */
export interface Pause {
  readonly since: Date;
  /** That person's words. */
  readonly reason?: string | undefined;
}

/** Fields of a `Situation` that come from decisions of people. */
export interface Standing {
  readonly paused: Pause | undefined;
  /** What AWSCURRENT holds has been revoked. */
  readonly isRevoked: boolean;
}

/** Versions that are remembered: those that can still hold AWSCURRENT or AWSPREVIOUS, and some more. */
const maxRevoked = 4;

/** Read from an entry as listing gives it; without one nothing has been decided. */
export function standingOf(
  entry: { readonly current?: string | undefined; readonly state: CertificateState } | undefined,
): Standing {
  const { pausedSince, pauseReason, revoked } = entry?.state ?? {};
  const current = entry?.current;
  return {
    paused: pausedSince && { since: pausedSince, reason: pauseReason },
    isRevoked: current !== undefined && isRevokedVersion(revoked, current),
  };
}

/** Whether a version was revoked, by the state's `revoked`. */
export function isRevokedVersion(revoked: string | undefined, version: string): boolean {
  return readRevoked(revoked).includes(version);
}

/** The state's `revoked` with one version more. */
export function addRevoked(revoked: string | undefined, version: string): string {
  return [...new Set([version, ...readRevoked(revoked)])].slice(0, maxRevoked).join('/');
}

function readRevoked(revoked: string | undefined): readonly string[] {
  return revoked?.split('/') ?? [];
}
