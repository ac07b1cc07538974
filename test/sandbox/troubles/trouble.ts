// What a trouble is: something that a person can break in a running sandbox, and mend.
import type { HealthReason } from '../../../lib/policy/health/reasons.ts';
import type { Fault } from '../faults.ts';
import type { Service } from '../journal.ts';
import type { OperatedSandbox } from '../operated.ts';

/** Something that is broken now. */
export interface Breakage {
  /** Puts it right. @throws Error with what stands in its way; it may be called again. */
  readonly mend: () => void | Promise<void>;
  /** Whether it is still so: functions and people cure things, too. Absent: until it is mended. */
  readonly isThere?: () => boolean;
}

/** One thing that can be broken. */
export interface Trouble {
  /** What is so while it is broken. */
  readonly what: string;
  /** Reasons of `status` that it leads to, the first one first. Empty: calls fail, and nothing is noted. */
  readonly shows: readonly HealthReason[];
  /** Needs no part that another trouble breaks, so that their order does not matter.
   *  @throws Error with what must be there first. */
  begin(sandbox: OperatedSandbox): Breakage | Promise<Breakage>;
}

/** Milliseconds of an hour. */
export const hourMs = 3_600_000;
/** Milliseconds of a day. */
export const dayMs = 86_400_000;

/** Each call of a service, or each of one action, fails until it is mended. */
export function failing(service: Service, fault: Fault, action = '*'): Trouble['begin'] {
  return ({ faults }) => ({ mend: faults.set(service, action, fault, Infinity) });
}
