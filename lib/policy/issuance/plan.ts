// The plan: a decision for every certificate, as data that can be printed.
import { invokeCommand } from '../commands.ts';
import { slowCode } from './backoff.ts';
import { type Decision, judge, type Situation } from './decision.ts';
import type { WaitReason } from './reasons.ts';

/** One certificate's line of the plan, and of the report. */
export type PlanEntry = { readonly name: string } & Decision & {
    /** What may make the order fail. */
    readonly warnings?: readonly string[];
    /** Hosted zones that would take its TXT values. Absent if DNS was not read. */
    readonly zones?: readonly string[];
    /** The CA's page that explains its renewal window (RFC 9773 §4.2). */
    readonly explanationUrl?: string;
    /** Until when it is renewed and delivered although the inventory does not allow it any more; what does
     *  not fit, and the line that would allow it. */
    readonly graceUntil?: Date;
    readonly misfits?: readonly string[];
  };

/** A certificate with its line of the plan. */
export type Planned<Known> = Known & { readonly plan: PlanEntry };

/** Judges every certificate and gives each its plan. Certificates without a stored version come first,
 *  then those that expire next; equals are sorted by name. The same certificates in any order give the
 *  same plan. */
export function planCertificates<Known extends { readonly name: string; readonly situation: Situation }>(
  certificates: readonly Known[],
  now: Date,
): readonly Planned<Known>[] {
  return certificates
    .map((known) => ({ known, expiry: expiryOf(known.situation) }))
    .sort((one, other) => one.expiry - other.expiry || compareNames(one.known.name, other.known.name))
    .map(({ known }) => ({ ...known, plan: planOne(known, now) }));
}

/** Whether a certificate with the reason is not ordered before a person acts. A pause is left out: a person
 *  has acted. */
export function isForPerson(reason: WaitReason): reason is 'NotAllowed' | 'NameTaken' | 'PreflightFailed' {
  return ['NotAllowed', 'NameTaken', 'PreflightFailed'].includes(reason);
}

/** Judges one certificate, and returns its line of the plan. */
export function planOne(
  { name, situation }: { readonly name: string; readonly situation: Situation },
  now: Date,
): PlanEntry {
  const decision = judge(situation, now);
  return { name, ...addCommand(name, decision, situation), ...explanationOf(situation) };
}

/** One that backs off says how a person who has mended the cause has it ordered at once. */
function addCommand(name: string, decision: Decision, { error }: Situation): Decision {
  if (decision.decision !== 'wait' || decision.reason !== 'BackingOff' || error === slowCode) return decision;
  const command = invokeCommand('issue', { certificates: [name], force: true });
  return { ...decision, message: `${decision.message}; to order it now, run: ${command}` };
}

function explanationOf({ actual }: Situation): Pick<PlanEntry, 'explanationUrl'> {
  const explanationUrl = actual.kind === 'certificate' ? actual.window?.explanationUrl : undefined;
  return explanationUrl === undefined ? {} : { explanationUrl };
}

function expiryOf({ actual }: Situation): number {
  return actual.kind === 'certificate' ? actual.notAfter.getTime() : 0;
}

function compareNames(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
