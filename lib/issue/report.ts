// The answer of the issue function: one line for each certificate, and the number of each outcome.

import { mostAnswerBytes, takeFitting } from '../policy/bounds.ts';
import type { PlanEntry } from '../policy/issuance/plan.ts';
import type { PredictedCalls } from '../policy/issuance/prediction.ts';
import { judgeRetirement } from '../policy/retirement/retirement.ts';
import { wordsOf } from '../ports/errors.ts';
import type { PlannedCertificate, UnreadableCertificate } from './gather/gather.ts';
import type { OrderOutcome } from './order/outcome.ts';
import type { RetiringCertificate } from './retiring/found.ts';
import type { RetiringOutcome } from './retiring/retiring.ts';

/** One certificate in the report: the plan's decision, and the outcome if it was ordered. */
export interface ReportLine {
  readonly name: string;
  readonly decision: PlanEntry['decision'] | 'unknown';
  readonly reason: string;
  readonly message: string;
  /** Issuer of its next order, a key of the inventory's `issuers`. Absent of what is let go or unreadable. */
  readonly issuer?: string;
  /** When the next pass may order it, if it must wait. */
  readonly until?: Date | undefined;
  readonly renewsAt?: Date | undefined;
  /** What may make the order fail. */
  readonly warnings?: readonly string[];
  /** Hosted zones that would take its TXT values. Absent if DNS was not read. */
  readonly zones?: readonly string[];
  /** The CA's page that explains the renewal window. */
  readonly explanationUrl?: string;
  /** Until when it is kept although the inventory does not allow it any more, and what does not fit. */
  readonly graceUntil?: Date;
  readonly misfits?: readonly string[];
  readonly outcome?: OrderOutcome['outcome'] | RetiringOutcome['outcome'];
  readonly version?: string;
  readonly notAfter?: Date;
  readonly orderUrl?: string;
}

/** Answer of the issue function. Contains no secrets. */
export interface IssueReport {
  readonly dryRun: boolean;
  /** The number of certificates, and of each outcome, or of each decision for those that were not ordered. */
  readonly summary: Readonly<Record<string, number>>;
  /** Dry run only: the calls that the orders would make. */
  readonly predicted?: PredictedCalls;
  /** Every requested certificate, the most urgent first. */
  readonly certificates: readonly ReportLine[];
  /** The number of certificates that did not fit into the answer. Absent if all did. */
  readonly omitted?: number;
}

/** The report of these lines, in their order. An answer has 5 MB at most.
 *  @param predicted Present for a dry run. */
export function makeReport(lines: readonly ReportLine[], predicted?: PredictedCalls): IssueReport {
  const certificates = takeFitting(lines, mostAnswerBytes);
  const omitted = lines.length - certificates.length;
  const summary: Record<string, number> = { certificates: lines.length };
  for (const { outcome, decision } of lines)
    summary[outcome ?? decision] = (summary[outcome ?? decision] ?? 0) + 1;
  return {
    dryRun: predicted !== undefined,
    summary,
    ...(predicted ? { predicted } : {}),
    certificates,
    ...(omitted > 0 ? { omitted } : {}),
  };
}

/** The line of a certificate that could not be read. */
export function describeUnreadable({ name, error }: UnreadableCertificate): ReportLine {
  const message = wordsOf(error);
  return { name, decision: 'unknown', reason: 'Unreadable', message, outcome: 'failed' };
}

/** The line of a certificate that is let go.
 *  @param outcomes By name, as `letGo` gave them; empty after a dry run. */
export function describeRetiringLine(
  one: RetiringCertificate,
  outcomes: ReadonlyMap<string, RetiringOutcome>,
  now: Date,
): ReportLine {
  const { name, entry, version, retirement } = one;
  const { message } = judgeRetirement(retirement, { state: entry.state, version }, now);
  const line = { name, decision: 'wait', reason: 'Retiring', message } as const;
  const ended = outcomes.get(name);
  return ended ? { ...line, outcome: ended.outcome, message: ended.message } : line;
}

/** A line of the plan with its issuer, its outcome, and the warnings of both.
 *  @param outcomes By name. */
export function joinOutcome(
  { plan, situation }: PlannedCertificate,
  outcomes: ReadonlyMap<string, OrderOutcome>,
): ReportLine {
  const outcome = outcomes.get(plan.name);
  const warnings = [...(plan.warnings ?? []), ...(outcome?.warnings ?? [])];
  const { issuer } = situation.desired;
  return { ...plan, issuer, ...withoutError(outcome), ...(warnings.length > 0 ? { warnings } : {}) };
}

/** An outcome without what its message says already. */
function withoutError(outcome: OrderOutcome | undefined): Partial<ReportLine> {
  if (outcome?.outcome === 'failed') {
    const { error: _, ...rest } = outcome;
    return rest;
  }
  if (outcome?.outcome !== 'waiting') return outcome ?? {};
  const { isSlow: _, ...rest } = outcome;
  return rest;
}
