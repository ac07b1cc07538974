// Records on tags what stops the orders of each certificate, so that `status` can tell it in words.
import { mapConcurrently } from '../async/map-concurrently.ts';
import { becomesDegraded } from '../policy/health/orders.ts';
import { type FoundTrouble, isOpenDenial, recordTrouble } from '../policy/health/trouble.ts';
import { pausedByCaCode } from '../policy/issuance/pause.ts';
import { findRetirement, revocationFailed } from '../policy/retirement/retirement.ts';
import { describeError } from '../ports/errors.ts';
import type { StoreEntry } from '../ports/store.ts';
import type { Trouble } from '../state/health.ts';
import type { StateChange } from '../state/state.ts';
import type { Blame } from './blame.ts';
import type { PlannedCertificate, UnreadableCertificate } from './gather/gather.ts';
import type { IssueInvocation, IssuePorts } from './invocation.ts';
import { isPauseOfCa, reasonOf } from './order/failure.ts';
import type { OrderOutcome } from './order/outcome.ts';

/** AWS secrets written at once. */
const concurrency = 16;
/** AWS secrets that one pass makes for certificates that were never ordered. */
const mostMade = 200;

/** What a pass found out about its certificates. */
export interface PassResult {
  readonly certificates: readonly PlannedCertificate[];
  readonly unreadable: readonly UnreadableCertificate[];
  readonly outcomes: readonly OrderOutcome[];
}

/** What tags say is to become of one certificate: a trouble, nothing more (`null`), or what they say now
 *  (`undefined`). */
type Change = FoundTrouble | null | undefined;

/** Ends a back-off on the tags. */
const noBackOff = { failures: null, error: null, nextAttempt: null } as const;

/** Writes the trouble of each certificate that has one, and clears that of the others, with its back-off.
 *  Writes only what became another trouble. A certificate of the inventory whose DNS holds back its first
 *  order gets its AWS secret now: nowhere else could anything be noted of it. What cannot be written is
 *  logged, and left to the next pass. Returns the certificates of which `status` tells what stops them as
 *  long as it lasts. Never rejects. */
export async function recordProblems(
  { certificates, unreadable, outcomes }: PassResult,
  blame: Blame,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<ReadonlySet<string>> {
  const byName = new Map(outcomes.map((outcome) => [outcome.name, outcome]));
  let madeLeft = mostMade;
  const lastIssued = findLastIssued(certificates);
  const planned = certificates.flatMap((certificate) => {
    const { name, entry } = certificate;
    const outcome = byName.get(name);
    const change = judge(certificate, outcome, blame, lastIssued);
    const backOff = endBackOff(certificate, outcome);
    const isNew = needsSecret(certificate);
    if (isNew && madeLeft-- <= 0) return [];
    // An order that failed has made the AWS secret, unless just that failed.
    const isThere = entry !== undefined || outcome?.outcome === 'failed';
    return isNew || isThere ? [{ name, entry, change, backOff, isNew }] : [];
  });
  const unread = unreadable.flatMap(({ name, entry, error }) => {
    const change = { code: 'Unreadable', cause: blame.causeOf(error), words: describeError(error) };
    return entry ? [{ name, entry, change, backOff: {}, isNew: false }] : [];
  });
  const recorded = await mapConcurrently([...planned, ...unread], concurrency, async (one) => {
    const isWritten = await record(one, ports, invocation);
    // Of one that is let go, `status` tells only that.
    const isLetGo = one.entry !== undefined && findRetirement(one.entry, invocation.inventory) !== undefined;
    return isWritten && one.change && becomesDegraded(one.change) && !isLetGo ? [one.name] : [];
  });
  return new Set(recorded.flat());
}

/** How many AWS secrets `recordProblems` makes after this plan. */
export function countSecretsToMake(certificates: readonly PlannedCertificate[]): number {
  return Math.min(mostMade, certificates.filter(needsSecret).length);
}

/** Whether the certificate is of the inventory file, has no AWS secret yet, and DNS holds back its order. */
function needsSecret({ entry, plan, spec }: PlannedCertificate): boolean {
  return (
    entry === undefined && plan.reason === 'PreflightFailed' && spec !== undefined && !('source' in spec)
  );
}

/** When the newest of these certificates was issued, as its CA says; `undefined`: none was. */
function findLastIssued(certificates: readonly PlannedCertificate[]): Date | undefined {
  const times = certificates.flatMap(({ entry }) => entry?.state.notBefore?.getTime() ?? []);
  return times.length === 0 ? undefined : new Date(times.reduce((one, other) => Math.max(one, other)));
}

/** Once nothing is to be ordered, the attempt never comes that a forced order has left on the tags. */
function endBackOff(
  { plan, entry }: PlannedCertificate,
  outcome: OrderOutcome | undefined,
): Partial<StateChange> {
  const isKept = outcome ? outcome.outcome === 'kept' : plan.decision === 'keep';
  const { failures, error, nextAttempt } = entry?.state ?? {};
  return isKept && (failures || error || nextAttempt) ? noBackOff : {};
}

function judge(
  { plan, situation, entry }: PlannedCertificate,
  outcome: OrderOutcome | undefined,
  blame: Blame,
  lastIssued: Date | undefined,
): Change {
  switch (outcome?.outcome) {
    case 'issued':
    case 'kept':
      return null;
    case 'failed': {
      const { error } = outcome;
      const cause = blame.causeOf(error, situation.desired.issuer);
      return {
        code: isPauseOfCa(error) ? pausedByCaCode : reasonOf(error),
        cause,
        words: describeError(error),
      };
    }
    case 'waiting':
      return undefined;
    case undefined:
      break;
  }
  if (plan.decision === 'keep') return isOpenDenial(entry?.state.problem, lastIssued) ? undefined : null;
  if (plan.decision === 'order') return undefined;
  const { reason, message } = plan;
  switch (reason) {
    case 'PreflightFailed':
    case 'RateLimited':
    case 'NameTaken':
      return { code: reason, words: message };
    // Nothing new is known.
    case 'Retiring':
    case 'NotAllowed':
    case 'InFlight':
    case 'BackingOff':
    case 'Paused':
      return undefined;
  }
}

/** Whether the tags say it afterwards. */
async function record(
  {
    name,
    entry,
    change,
    backOff,
    isNew,
  }: {
    readonly name: string;
    readonly entry: StoreEntry | undefined;
    readonly change: Change;
    readonly backOff: Partial<StateChange>;
    readonly isNew: boolean;
  },
  { store, clock, log }: IssuePorts,
  { signal, cleanUpSignal }: IssueInvocation,
): Promise<boolean> {
  const recorded = entry?.state.problem;
  // One of a retirement that was taken back is another trouble: it began none of the orders.
  const before = recorded?.code === revocationFailed ? undefined : recorded;
  const problem = change && recordTrouble(change, before, clock.now());
  const hasChanged = problem !== undefined && !isSame(problem, recorded);
  const written = { ...(hasChanged && { problem }), ...backOff };
  if (Object.keys(written).length === 0) return true;
  try {
    if (isNew) await store.create(name, undefined, signal);
    await store.record(name, written, cleanUpSignal);
    return true;
  } catch (error) {
    log.warn('state not recorded', { certificate: name, problem: describeError(error) });
    return false;
  }
}

function isSame(problem: Trouble | null, before: Trouble | undefined): boolean {
  return problem === before || (problem === null && before === undefined);
}
