// What a check finds wrong, and how the worst of several is chosen.
import { type HealthNote, type HealthWord, healthWords } from '../../state/health.ts';
import { type HealthReason, healthReasons } from './reasons.ts';

/** What happens next by itself, and when. */
export interface NextAction {
  readonly what: 'order' | 'deliver' | 'probe' | 'end';
  readonly at: Date;
}

/** One thing that is not as it should be. */
export interface Finding {
  readonly health: Exclude<HealthWord, 'Healthy'>;
  readonly reason: HealthReason;
  /** One line: what is wrong. */
  readonly message: string;
  /** Since when, if that is recorded. */
  readonly since?: Date | undefined;
  /** The next command: what mends it, or what shows the cause to a person who has to mend it elsewhere. */
  readonly command: string;
  /** What causes it for many at once, as `cluster/prod`. */
  readonly cause?: string | undefined;
  readonly next?: NextAction | undefined;
}

/** The worst finding; of equally bad ones the one whose reason is first in the list of reasons. `undefined`
 *  if nothing was found. */
export function findWorst(findings: readonly Finding[]): Finding | undefined {
  return findings.toSorted((one, other) => rankOf(one) - rankOf(other))[0];
}

/** Says what causes a trouble for many at once: `because of cluster prod`. */
export function describeCause(cause: string): string {
  return `because of ${cause.replace('/', ' ')}`;
}

/** The finding with what is behind it, and with the command of that. Its cause only if that is judged by the
 *  certificates: a cluster or an agent has a trouble of its own, which may be no alarm. */
export function explain(finding: Finding, behind: Finding | undefined): Finding {
  if (!behind)
    return { ...finding, message: `${finding.message}: nothing that is recorded stands in its way` };
  const { command } = behind;
  const cause = isShared(behind.cause) ? { cause: behind.cause } : {};
  return { ...finding, message: `${finding.message}: ${nameCause(behind)}`, command, ...cause };
}

/** Whether the cause is an issuer or a function: these are judged by the certificates, and recover once none
 *  blames them. */
export function isShared(cause: string | undefined): boolean {
  return cause !== undefined && /^(issuer|function)\//.test(cause);
}

/** The message of a finding, which names its cause. */
export function nameCause({ message, cause }: Pick<Finding, 'message' | 'cause'>): string {
  const isNamed = cause === undefined || message.includes(describeCause(cause));
  return isNamed ? message : `${describeCause(cause)}: ${message}`;
}

function rankOf({ health, reason }: Finding): number {
  return healthWords.indexOf(health) * 1000 + (ranks.get(reason) ?? 0);
}

const ranks = new Map(healthReasons.map((reason, rank) => [reason, rank]));

/** Since when it is so: what was noted of the same health and reason, else what the finding knows, else now.
 *  An instant in the future is none. */
export function sinceOf(
  finding: Pick<Finding, 'health' | 'reason' | 'since'>,
  note: HealthNote | undefined,
  now: Date,
): Date {
  const isSame = note?.health === finding.health && note.reason === finding.reason;
  const since = isSame ? note.since : finding.since;
  return since !== undefined && since <= now ? since : now;
}
