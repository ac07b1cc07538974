// What `certrelay check` says of one part of an installation.
import { oneLine } from '../../../lib/policy/bounds.ts';
import { explainLook } from './explain.ts';

/** How a part is. `unknown`: it could not be looked at. */
export type PartVerdict = 'ok' | 'problem' | 'unknown';

/** One line of the answer. */
export interface CheckedPart {
  /** What was looked at, such as `stack` or `cluster/prod`. */
  readonly part: string;
  readonly verdict: PartVerdict;
  /** What is there; else what is wrong, or why nobody could look, and what to do. */
  readonly message: string;
}

/** Characters of one message. */
const longestMessage = 1_000;

/** A part that is as it should be. */
export function fine(part: string, message: string): CheckedPart {
  return { part, verdict: 'ok', message: oneLine(message, longestMessage) };
}

/** A part that a person must mend. */
export function wrong(part: string, message: string): CheckedPart {
  return { part, verdict: 'problem', message: oneLine(message, longestMessage) };
}

/** A part that could not be looked at. */
export function unseen(part: string, why: string): CheckedPart {
  return { part, verdict: 'unknown', message: oneLine(`could not be looked at: ${why}`, longestMessage) };
}

/** What a look gave; `unknown` if AWS did not answer or refused.
 *  @param right The right that the look needs, such as `cloudformation:DescribeStacks`; absent: none. */
export async function lookAt<Seen>(
  part: string,
  right: string | undefined,
  look: () => Promise<Seen>,
): Promise<{ readonly seen: Seen } | { readonly unseen: CheckedPart; readonly thrown: unknown }> {
  try {
    return { seen: await look() };
  } catch (error) {
    return { unseen: unseen(part, explainLook(error, right)), thrown: error };
  }
}
