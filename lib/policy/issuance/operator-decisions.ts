// What people have decided about a certificate, by its tags: paused, revoked, restored.
import type { CertificateState } from '../../state/state.ts';
import { isRestored } from '../retirement/retirement.ts';
import { type Pause, pauseOf } from './pause.ts';

/** What people have decided about the version in AWSCURRENT. */
interface VersionDecisions {
  /** Whether it was revoked. */
  readonly isRevoked: boolean;
  /** Whether it was in use when a person restored the certificate (`isRestored`). */
  readonly isRestored: boolean;
}

/** Fields of a `Situation` that come from decisions of people. */
export interface OperatorDecisions extends VersionDecisions {
  readonly paused: Pause | undefined;
}

/** The most revoked versions on the tags: those that AWSCURRENT or AWSPREVIOUS may have, and some more. */
const maxRevoked = 4;

/** An entry of the store, as far as decisions go. */
interface DecidedEntry {
  readonly current?: string | undefined;
  readonly state: CertificateState;
}

/** The decisions on the tags of an entry that hold now; without an entry nothing was decided. */
export function decisionsOf(entry: DecidedEntry | undefined, now: Date): OperatorDecisions {
  return { paused: pauseOf(entry?.state ?? {}, now), ...versionDecisionsOf(entry) };
}

/** Those about the version in use. */
export function versionDecisionsOf(entry: DecidedEntry | undefined): VersionDecisions {
  const { revoked = [] } = entry?.state ?? {};
  const current = entry?.current;
  return {
    isRevoked: current !== undefined && revoked.includes(current),
    isRestored: isRestored(entry?.state ?? {}, current),
  };
}

/** The revoked versions with one more, the newest first. */
export function addRevoked(revoked: readonly string[] | undefined, version: string): readonly string[] {
  return [...new Set([version, ...(revoked ?? [])])].slice(0, maxRevoked);
}
