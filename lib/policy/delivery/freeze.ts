// The hold on a version that must not be delivered any further: who ordered it, and what each target gets meanwhile.
import { type Bundle, type UnverifiedBundle, verifyBundle } from '../../certificate/bundle.ts';
import type { Freeze } from '../../state/delivery.ts';
import { isEnding } from './windows.ts';

/** Tags have little room, and the log has the whole of it. */
const longestReason = 200;

/** Whether a person ordered it. */
export function isByHand({ target }: Freeze): boolean {
  return target === '*';
}

/** The freeze with as much of its reason as is kept. */
export function trimFreeze(freeze: Freeze): Freeze {
  return { ...freeze, reason: freeze.reason.slice(0, longestReason) };
}

/** The freeze where it is about that version. */
export function freezeOf(freeze: Freeze | undefined, version: string | undefined): Freeze | undefined {
  return freeze?.version === version ? freeze : undefined;
}

/** What a held version means for one target: it gets the version before, it stays as it is, or nothing, because the version
 *  has arrived there. */
export function judgeFrozen(freeze: Freeze, target: string, hasBegun: boolean): 'back' | 'stay' | 'proceed' {
  if (isByHand(freeze) || freeze.target === target) return 'back';
  return hasBegun ? 'proceed' : 'stay';
}

/** Why a target that it has not come to yet stays as it is, as the beginning of a sentence. */
export function describeFreeze({ target, reason }: Freeze): string {
  return `it stays as it is: this version failed at ${target} (${reason})`;
}

/** How to end the hold, as a sentence's end. */
export function adviseFreeze(certificate: string): string {
  return `it is delivered nowhere else until a newer version is there, or until you say: ${sayResume(certificate)}`;
}

/** The command that ends it, for deploy and for agents. */
export function sayResume(certificate: string): string {
  const event = JSON.stringify({ certificates: [certificate], resume: true });
  return `serverless invoke -f deploy -d '${event}'`;
}

/** The version before, verified, or why it cannot take the place of the current one, as one line. `isOver`: it ends so soon
 *  that nothing may be left with it.
 *  @param names Of the current version: a server must not lose any.
 *  @param begin `notBefore` of the current version; absent: a person took that back, and knows. */
export function judgeReturn(
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
  const isOver = end !== undefined && begin !== undefined && isEnding(end, begin, now);
  if (isRevoked) return { refusal: 'it was revoked', isOver };
  const verdict = verifyBundle({ ...previous, domains: names }, now);
  if (!verdict.ok) return { refusal: verdict.message, isOver };
  return isOver ? { refusal: `it ends ${end.toISOString()}`, isOver } : { bundle: verdict.bundle };
}
