// What a full pass reads and writes of the installation itself: when this version first ran here, and what the last pass did.
import { describeError } from '../log.ts';
import type { InstallationRecord } from '../ports.ts';
import type { IssuePorts, Run } from './run.ts';

/** The record as it is before the pass; `undefined` where there is none yet, or where it cannot be read: that is an error in
 *  the log and stops nothing. */
export async function readInstallation(
  { installation, log }: IssuePorts,
  { signal }: Run,
): Promise<InstallationRecord | undefined> {
  try {
    return await installation?.read(signal);
  } catch (error) {
    log.error('installation not read', { problem: describeError(error) });
    return undefined;
  }
}

/** Makes the record where there is none. @param isUpgraded Whether an earlier version has stored certificates here. */
export async function beginInstallation(
  isUpgraded: boolean,
  { installation, clock, log }: IssuePorts,
  { signal }: Run,
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

/** Notes that a full pass has ended, which held values against tags until `comparedUntil`. */
export async function endInstallationPass(
  comparedUntil: Date,
  { installation, clock, log }: IssuePorts,
  { cleanUpSignal }: Run,
): Promise<void> {
  try {
    await installation?.recordPass({ endedAt: clock.now(), comparedUntil }, cleanUpSignal);
  } catch (error) {
    log.error('installation not recorded', { problem: describeError(error) });
  }
}
