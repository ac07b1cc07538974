// The plan of one pass: a decision for every certificate, as data that can be printed.
import { type Decision, judge, type Situation } from './checks.ts';

/** One certificate to judge: from the inventory file or registered. */
export interface PlanInput {
  /** The certificate's name. */
  readonly name: string;
  readonly situation: Situation;
}

/** One line of the plan and of a function's report. */
export type PlanEntry = { readonly name: string } & Decision & {
    /** What may make the order fail, or might have. */
    readonly warnings?: readonly string[];
    /** Hosted zones that would take its TXT values, as far as somebody looked. */
    readonly zones?: readonly string[];
    /** The CA's page that says why it wants the certificate renewed when it does (RFC 9773 §4.2). */
    readonly explanationUrl?: string;
    /** Until when it is renewed and delivered although the inventory would not accept it now, with what does not fit and the
     *  line that allows it. */
    readonly graceUntil?: Date;
    readonly misfits?: readonly string[];
  };

/** One entry for each certificate, the most urgent first. */
export type Plan = readonly PlanEntry[];

/** Judges every certificate. Those that hold none come first, then those that expire next; equals by name. The same input
 *  in any order gives the same plan. */
export function planCertificates(inputs: readonly PlanInput[], now: Date): Plan {
  return inputs
    .map(({ name, situation }) => ({ name, situation, expiry: expiryOf(situation) }))
    .sort((one, other) => one.expiry - other.expiry || compareNames(one.name, other.name))
    .map(({ name, situation }) => ({ name, ...judge(situation, now), ...explanationOf(situation) }));
}

function explanationOf({ held }: Situation): Pick<PlanEntry, 'explanationUrl'> {
  const explanationUrl = held.kind === 'certificate' ? held.window?.explanationUrl : undefined;
  return explanationUrl === undefined ? {} : { explanationUrl };
}

function expiryOf({ held }: Situation): number {
  return held.kind === 'certificate' ? held.notAfter.getTime() : 0;
}

function compareNames(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
