// What a pass answers: one line for each certificate, and how many there were of each.

import { mostAnswerBytes, takeFitting } from '../policy/bounds.ts';
import type { PlanEntry } from '../policy/issuance/plan.ts';
import type { PredictedCalls } from '../policy/issuance/prediction.ts';
import { describeError } from '../ports/errors.ts';
import type { UnreadableCertificate } from './gather/gather.ts';
import type { OrderOutcome } from './order/record.ts';

/** One certificate in the report: the plan's decision, and what came of it where it was to be ordered. */
export interface ReportLine {
  readonly name: string;
  readonly decision: PlanEntry['decision'] | 'unknown';
  readonly reason: string;
  readonly message: string;
  /** When it is looked at again, where it must wait. */
  readonly until?: Date | undefined;
  readonly renewsAt?: Date | undefined;
  /** What may fail the order. */
  readonly warnings?: readonly string[];
  /** Hosted zones that would take its TXT values, as far as somebody looked. */
  readonly zones?: readonly string[];
  /** The CA's page that says why it wants the certificate renewed when it does. */
  readonly explanationUrl?: string;
  /** Until when it is kept although the inventory would not accept it now, and what does not fit. */
  readonly graceUntil?: Date;
  readonly misfits?: readonly string[];
  readonly outcome?: OrderOutcome['outcome'];
  readonly version?: string;
  readonly notAfter?: Date;
  readonly orderUrl?: string;
}

/** Answer of the issue function. Holds no secrets. */
export interface IssueReport {
  readonly dryRun: boolean;
  /** How many certificates there are, and how many of each outcome, or decision where there was nothing to do. */
  readonly summary: Readonly<Record<string, number>>;
  /** On a dry run: the calls by which the orders would change something. */
  readonly predicted?: PredictedCalls;
  /** Every certificate asked for, the most urgent first. */
  readonly certificates: readonly ReportLine[];
  /** How many more there are, where they are too many for an answer. */
  readonly omitted?: number;
}

/** Puts plan and outcomes together. */
export function makeReport(
  plan: readonly PlanEntry[],
  outcomes: readonly OrderOutcome[],
  unreadable: readonly UnreadableCertificate[],
  predicted?: PredictedCalls,
): IssueReport {
  const byName = new Map(outcomes.map((outcome) => [outcome.name, outcome]));
  const lines = [
    ...plan.map((entry): ReportLine => ({ ...entry, ...withoutError(byName.get(entry.name)) })),
    ...unreadable.map(({ name, error }): ReportLine => {
      return {
        name,
        decision: 'unknown',
        reason: 'Unreadable',
        message: describeError(error),
        outcome: 'failed',
      };
    }),
  ];
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

/** An outcome without the error itself: its message is there. */
function withoutError(outcome: OrderOutcome | undefined): Partial<ReportLine> {
  if (outcome?.outcome !== 'failed') return outcome ?? {};
  const { error: _, ...rest } = outcome;
  return rest;
}
