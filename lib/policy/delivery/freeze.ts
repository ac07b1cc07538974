// Frozen versions: what each target gets instead, how to resume, and whether the previous version may come
// back.
import { type Bundle, type UnverifiedBundle, verifyBundle } from '../../certificate/bundle.ts';
import type { Freeze } from '../../state/delivery.ts';
import { invokeCommand } from '../commands.ts';
import { isNearExpiry } from './windows.ts';

/** Characters of a reason that are recorded on tags; the log has the whole reason. */
const longestReason = 200;

/** Whether a person took the version back (`rollback`); otherwise it was imported or failed at a target. */
export function isByHand({ target }: Freeze): boolean {
  return target === '*';
}

/** `target` of the freeze of an imported version. No target has this name. */
const imported = 'import';

/** Whether the version was imported from a cluster, and nobody has asked yet to deliver it. */
export function isImported({ target }: Freeze): boolean {
  return target === imported;
}

/** Freezes a version that is imported from a cluster, until a person asks to deliver it.
 *  @param secret As `nameTarget` writes it. */
export function freezeImported(version: string, secret: string): Freeze {
  const reason = `it was imported from Secret ${secret}, and an import alone delivers nothing`;
  return { version, target: imported, reason };
}

/** The freeze as it is recorded: its reason has 200 characters at most. */
export function trimFreeze(freeze: Freeze): Freeze {
  return { ...freeze, reason: freeze.reason.slice(0, longestReason) };
}

/** The freeze if it is about the version, else `undefined`. */
export function freezeOf(freeze: Freeze | undefined, version: string | undefined): Freeze | undefined {
  return freeze?.version === version ? freeze : undefined;
}

/** What a frozen version means for one target. `back`: it gets the previous version again, because it failed
 *  there or a person took it back. `proceed`: the version is already there, and its delivery ends. `stay`:
 *  nothing is changed.
 *  @param target As `nameDestination` writes it.
 *  @param hasBegun Whether the target already has the version. */
export function judgeFrozen(freeze: Freeze, target: string, hasBegun: boolean): 'back' | 'stay' | 'proceed' {
  if (isByHand(freeze) || freeze.target === target) return 'back';
  return hasBegun ? 'proceed' : 'stay';
}

/** Message for a target with the result `stay`. */
export function describeFreeze(freeze: Freeze): string {
  const { target, reason } = freeze;
  if (isImported(freeze)) return `it stays as it is: ${reason}`;
  return `it stays as it is: this version failed at ${target} (${reason})`;
}

/** What ends the freeze, as the end of a message. */
export function adviseFreeze(certificate: string): string {
  return `it is delivered nowhere else until there is a newer version, or until you run: ${resumeCommand(certificate)}`;
}

/** The shell command that ends the freeze, at `deploy` and at agents. */
export function resumeCommand(certificate: string): string {
  return invokeCommand('deploy', { certificates: [certificate], resume: true });
}

/** Verifies the previous version for a rollback. Returns its bundle, or one line that says why it cannot be
 *  used.
 *  `isOver`: it is near its expiry (`isNearExpiry`), so no target may stay with it either.
 *  @param names Names of the current version; the previous one must have all of them.
 *  @param begin `notBefore` of the current version; absent if a person rolls back: expiry is not checked
 *  then. */
export function judgeRollback(
  previous: UnverifiedBundle,
  {
    names,
    isRevoked,
    begin,
    now,
  }: {
    readonly names: readonly string[];
    readonly isRevoked: boolean;
    readonly begin?: Date | undefined;
    readonly now: Date;
  },
): { readonly bundle: Bundle } | { readonly refusal: string; readonly isOver: boolean } {
  const read = verifyBundle(previous);
  const end = read.ok ? read.bundle.facts.notAfter : undefined;
  const isOver = end !== undefined && begin !== undefined && isNearExpiry(end, begin, now);
  if (isRevoked) return { refusal: 'it was revoked', isOver };
  const verified = verifyBundle({ ...previous, domains: names }, now);
  if (!verified.ok) return { refusal: verified.message, isOver };
  return isOver ? { refusal: `it expires at ${end.toISOString()}`, isOver } : { bundle: verified.bundle };
}
