// Lets certificates go: ends their orders, revokes, takes TXT records away, waits for `deploy` and agents,
// and deletes the AWS secret. Every step may be repeated.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { announceRetired } from '../../policy/events/announcement.ts';
import {
  describePart,
  describeWish,
  findRetirement,
  judgeRetirement,
  longestForBusMs,
  type RetirementProgress,
} from '../../policy/retirement/retirement.ts';
import { describeError, toError } from '../../ports/errors.ts';
import { tell } from '../../ports/events.ts';
import type { StoreEntry } from '../../ports/store.ts';
import { IssueError } from '../errors.ts';
import type { IssueInvocation, IssuePorts } from '../invocation.ts';
import { sweepOrphans } from '../orphans.ts';
import type { RetiringCertificate } from './found.ts';
import { removeLastingRecords } from './lasting-records.ts';
import { tryRevocation } from './revocation.ts';
import { withdrawStatements } from './statements.ts';

/** How far one certificate is on its way out. `kept`: it was restored, or is gone, meanwhile. */
export type RetiringOutcome = { readonly name: string; readonly message: string } & (
  | { readonly outcome: 'retired' | 'waiting' | 'kept' }
  | {
      readonly outcome: 'failed';
      readonly error: Error;
      /** Whether `status` tells it as long as it lasts. */
      readonly isTold?: boolean;
    }
);

/** Certificates let go at once. */
const concurrency = 8;

/** Does the next steps for each certificate. One that fails does not stop the others. Does nothing without
 *  the port that deletes: a pass in another function's name orders, and lets nothing go. */
export async function letGo(
  retiring: readonly RetiringCertificate[],
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<readonly RetiringOutcome[]> {
  if (!ports.retirements) return [];
  return mapConcurrently(retiring, concurrency, async (one): Promise<RetiringOutcome> => {
    try {
      return await letOneGo(one, ports, invocation);
    } catch (cause) {
      return fail(one.name, toError(cause), ports);
    }
  });
}

function fail(
  name: string,
  error: Error,
  { log }: IssuePorts,
): RetiringOutcome & { readonly outcome: 'failed' } {
  const message = describeError(error);
  log.warn('retirement failed', { certificate: name, problem: message });
  return { name, outcome: 'failed', message, error };
}

async function letOneGo(
  found: RetiringCertificate,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<RetiringOutcome> {
  const { name, version } = found;
  const kept = { name, outcome: 'kept', message: 'it is not let go any more' } as const;
  // Lists lag: a person may have restored it meanwhile.
  const entry = await ports.store.describe(name, invocation.signal);
  const retirement = entry && findRetirement(entry, invocation.inventory);
  if (!entry || !retirement) return kept;
  const current = { ...found, entry, retirement };
  const problems = await doParts(current, ports, invocation);
  const unrevoked = retirement.revoke ? await tryRevocation(current, ports, invocation) : undefined;
  // Nobody can revoke it once its key is gone: it stays until a person decides.
  if (unrevoked) return { ...fail(name, unrevoked.error, ports), isTold: unrevoked.isNoted };
  // Its parts may take minutes, in which a person may restore it.
  const fresh = await ports.store.describe(name, invocation.signal);
  if (!fresh || !findRetirement(fresh, invocation.inventory)) return kept;
  const now = ports.clock.now();
  const progress = judgeRetirement(retirement, { state: fresh.state, version }, now);
  const isOver = now >= progress.givesUpAt;
  const [first] = problems;
  if (first && !isOver) throw first;
  if (fresh.pending !== undefined && !isOver)
    return wait(name, `${progress.message}; an order of it has to end first`, ports);
  if (!progress.isReady) return wait(name, progress.message, ports);
  const told = await tellRetired(entry, progress, ports, invocation);
  if (told === 'lost' && now.getTime() < progress.givesUpAt.getTime() + longestForBusMs)
    return wait(
      name,
      `${describeWish(progress)}: waits for the event bus, which did not take its event`,
      ports,
    );
  reportGivenUp({ progress, problems, entry: fresh, told }, ports);
  return deleteSecret(entry, progress, ports, invocation);
}

/** Before the deletion is scheduled: a later pass sees nothing of the certificate any more. A pass that told
 *  it and could not delete tells it again, with the same id. */
function tellRetired(
  { name, arn, state: { domains } }: StoreEntry,
  { since, by }: RetirementProgress,
  ports: IssuePorts,
  { cleanUpSignal }: IssueInvocation,
): ReturnType<typeof tell> {
  const news = { certificate: name, arn, domains, at: ports.clock.now() };
  return tell(announceRetired({ ...news, wished: since, reason: by }), ports, cleanUpSignal);
}

function wait(name: string, message: string, { log }: IssuePorts): RetiringOutcome {
  log.info('retirement continued', { certificate: name, detail: message });
  return { name, outcome: 'waiting', message };
}

/** The parts of `issue`. Returns what failed; one that fails does not stop the others. */
async function doParts(
  one: RetiringCertificate,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<readonly Error[]> {
  const parts = [
    () => (one.entry.pending === undefined ? undefined : sweepOrphans([one.entry], ports, invocation)),
    () => withdrawStatements(one, ports, invocation),
    () => removeLastingRecords(one, ports, invocation),
  ];
  const problems: Error[] = [];
  for (const part of parts) {
    try {
      await part();
    } catch (cause) {
      invocation.signal.throwIfAborted();
      problems.push(toError(cause));
    }
  }
  return problems;
}

/** What is left undone, each by name: nothing of Certrelay does it later. */
function reportGivenUp(
  {
    progress,
    problems,
    entry,
    told,
  }: {
    readonly progress: RetirementProgress;
    readonly problems: readonly Error[];
    readonly entry: StoreEntry;
    readonly told: 'put' | 'lost' | undefined;
  },
  { log }: IssuePorts,
): void {
  const undone = [
    ...progress.waitsFor.map(
      (part) => `${describePart(part)} has not done its part: Secrets may be left there`,
    ),
    ...problems.map(describeError),
    ...(entry.pending === undefined ? [] : ['an order was not ended: TXT records may be left']),
    ...(told === 'lost' ? ['the event bus did not take the event Certificate Retired'] : []),
  ];
  for (const problem of undone) log.error('retirement part given up', { certificate: entry.name, problem });
}

async function deleteSecret(
  entry: StoreEntry,
  progress: RetirementProgress,
  ports: IssuePorts,
  { cleanUpSignal }: IssueInvocation,
): Promise<RetiringOutcome> {
  const { retirements, log } = ports;
  const { name } = entry;
  if (!retirements) throw new IssueError('Failed', 'this function deletes no AWS secret');
  const until = await retirements.scheduleDeletion(name, cleanUpSignal);
  log.info('certificate retired', { certificate: name, reason: progress.by, until });
  const message = `its AWS secret is scheduled for deletion; until ${until.toISOString()} a person can restore it`;
  return { name, outcome: 'retired', message };
}
