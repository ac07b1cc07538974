// What a full pass reads and writes of the installation itself: when this version first ran here, and what the last pass did.
import { describeError } from '../ports/errors.ts';
import type { InstallationRecord } from '../ports/installation.ts';
import type { IssueInvocation, IssuePorts } from './invocation.ts';

/** The record as it is before the pass; `undefined` where there is none yet, `unknown` where it cannot be read: that is an error
 *  in the log and stops nothing. */
export async function readInstallation(
  { installation, log }: IssuePorts,
  { signal }: IssueInvocation,
): Promise<InstallationRecord | 'unknown' | undefined> {
  if (!installation) return 'unknown';
  try {
    return await installation.read(signal);
  } catch (error) {
    log.error('installation not read', { problem: describeError(error) });
    return 'unknown';
  }
}

/** Makes the record where there is none. @param isUpgraded Whether an earlier version has stored certificates here. */
export async function beginInstallation(
  isUpgraded: boolean,
  { installation, clock, log }: IssuePorts,
  { signal }: IssueInvocation,
): Promise<InstallationRecord | undefined> {
  if (!installation) return undefined;
  const firstRun = clock.now();
  try {
    await installation.create({ firstRun, isUpgraded }, signal);
    return { firstRun, isUpgraded, lastPass: 'open' };
  } catch (error) {
    log.error('installation not recorded', { problem: describeError(error) });
    return undefined;
  }
}

/** Whether the tag could be read: the beginning of time stands for one that could not. */
function isKnown(firstRun: Date): boolean {
  return firstRun.getTime() > 0;
}

/** How long the first full pass is tried again because something could not be noted. */
const longestFirstPassMs = 24 * 3_600_000;

/** Whether this is a full pass before the end of which none has ended. */
export function isFirstPass(record: InstallationRecord | 'unknown' | undefined): boolean {
  return record !== undefined && record !== 'unknown' && record.lastPass === 'open';
}

/** Whether a full pass may be noted as ended. What nobody could read stays open, and so does the first one where it could not
 *  note all, for a day at most: a value that nobody can ever read must not keep it open for good.
 *  @param isComplete Whether it noted all that there was to note. */
export function mayEndPass(
  record: InstallationRecord | 'unknown' | undefined,
  isComplete: boolean,
  { clock }: Pick<IssuePorts, 'clock'>,
): boolean {
  if (record === 'unknown' || record === undefined) return false;
  if (isComplete || !isFirstPass(record)) return true;
  return isKnown(record.firstRun) && clock.now().getTime() - record.firstRun.getTime() > longestFirstPassMs;
}

/** Notes that a full pass has ended, which held values against tags until `comparedUntil`. */
export async function endInstallationPass(
  comparedUntil: Date,
  { installation, clock, log }: IssuePorts,
  { cleanUpSignal }: IssueInvocation,
): Promise<void> {
  try {
    await installation?.recordPass({ endedAt: clock.now(), comparedUntil }, cleanUpSignal);
  } catch (error) {
    log.error('installation not recorded', { problem: describeError(error) });
  }
}
