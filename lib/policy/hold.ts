// The hold on a version that must not be delivered any further: who ordered it, and what each target gets meanwhile.
import { type Bundle, type UnverifiedBundle, verifyBundle } from '../certificate/bundle.ts';

/** A version that failed at a target, or that a person took back: it goes nowhere else until it is resumed. A newer version
 *  ends the hold by itself. */
export interface Hold {
  readonly version: string;
  /** `cluster/namespace/secret` where it failed; `*`: a person took it back everywhere. */
  readonly target: string;
  /** One line for people. */
  readonly reason: string;
}

/** Tags have little room, and the log has the whole of it. */
const longestReason = 200;

/** `CertificateState.deliveryHeld`. */
export function formatHold({ version, target, reason }: Hold): string {
  return `${version} ${target} ${reason.slice(0, longestReason)}`;
}

/** The hold on `version`; `undefined` where the text is absent, unreadable or about another version. */
export function parseHold(text: string | undefined, version: string): Hold | undefined {
  const [, of, target, reason] = /^(\S+) (\S+) (.*)$/s.exec(text ?? '') ?? [];
  if (of !== version || target === undefined || reason === undefined) return undefined;
  return { version, target, reason };
}

/** What a held version means for one target: it gets the version before, it stays as it is, or nothing, because the version
 *  has arrived there. */
export function judgeHeld(hold: Hold, target: string, hasBegun: boolean): 'back' | 'stay' | 'proceed' {
  if (hold.target === '*' || hold.target === target) return 'back';
  return hasBegun ? 'proceed' : 'stay';
}

/** Why a target that it has not come to yet stays as it is, as the beginning of a sentence. */
export function describeHold({ target, reason }: Hold): string {
  return `it stays as it is: this version failed at ${target} (${reason})`;
}

/** How to end the hold, as a sentence's end. */
export function adviseHold(certificate: string): string {
  const event = JSON.stringify({ certificates: [certificate], resume: true });
  return `it is delivered nowhere else until a newer version is there, or until you say: serverless invoke -f deploy -d '${event}'`;
}

/** The version before, verified, or why it cannot take the place of the current one, as one line.
 *  @param names Of the current version: a server must not lose any. */
export function judgeReturn(
  previous: UnverifiedBundle,
  {
    names,
    isRevoked,
    now,
  }: { readonly names: readonly string[]; readonly isRevoked: boolean; readonly now: Date },
): { readonly bundle: Bundle } | { readonly refusal: string } {
  if (isRevoked) return { refusal: 'it was revoked' };
  const verdict = verifyBundle({ ...previous, domains: names }, now);
  return verdict.ok ? { bundle: verdict.bundle } : { refusal: verdict.message };
}
