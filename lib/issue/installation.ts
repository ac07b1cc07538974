// Reads and writes the record of the installation: when this version first ran here, and what the last full
// pass did.
import { describeError } from '../ports/errors.ts';
import type { InstallationRecord } from '../ports/installation.ts';
import type { IssueInvocation, IssuePorts } from './invocation.ts';

/** The record before the pass. `undefined` if there is none yet, `unknown` if it cannot be read: then one
 *  error is logged, and the pass goes on. */
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

/** Creates the record and returns it; `undefined` if that fails, with an error in the log.
 *  @param isUpgraded Whether an earlier version has stored certificates here. */
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

/** Whether the tag was readable: an unreadable one is read as the instant 0. */
function isKnown(firstRun: Date): boolean {
  return firstRun.getTime() > 0;
}

/** How long the first full pass is repeated because something could not be recorded, in milliseconds. */
const longestFirstPassMs = 24 * 3_600_000;

/** Whether no full pass has ended yet. */
export function isFirstPass(record: InstallationRecord | 'unknown' | undefined): boolean {
  return record !== undefined && record !== 'unknown' && record.lastPass === 'open';
}

/** Whether a full pass may be recorded as ended. Not if the record is unknown. The first one must have
 *  recorded everything, or have been repeated for a day: a value that nobody can read must not keep it open
 *  forever.
 *  @param isComplete Whether the pass recorded everything. */
export function mayEndPass(
  record: InstallationRecord | 'unknown' | undefined,
  isComplete: boolean,
  { clock }: Pick<IssuePorts, 'clock'>,
): boolean {
  if (record === 'unknown' || record === undefined) return false;
  if (isComplete || !isFirstPass(record)) return true;
  return isKnown(record.firstRun) && clock.now().getTime() - record.firstRun.getTime() > longestFirstPassMs;
}

/** Records that a full pass has ended, which compared values with tags until `comparedUntil`. Never
 *  rejects. */
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
