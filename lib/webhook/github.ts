// Until when requests that are signed as GitHub signs its webhooks are taken: what the installation's record says, remembered.
import type { RegistrationSpec } from '../certificate/spec.ts';
import { describeError, type Log } from '../log.ts';
import { type GithubStanding, githubStanding } from '../policy/github-form.ts';
import type { Clock, InstallationRecord, InstallationStore } from '../ports.ts';

/** The record is read again after this long, and so is one that was not there. */
const lifetimeMs = 60_000;

/** Until when such requests are taken. It never rejects: where the record cannot be read nobody is refused for it. */
export type GithubAllowedUntil = (signal: AbortSignal) => Promise<GithubStanding>;

/** Reads the record only where the inventory does not say it, at most once a minute. */
export function rememberGithubStanding(
  installation: Pick<InstallationStore, 'read'>,
  clock: Clock,
): (registration: RegistrationSpec | undefined, log: Log) => GithubAllowedUntil {
  let remembered: { readonly record: InstallationRecord | undefined; readonly untilMs: number } | undefined;
  return (registration, log) => async (signal) => {
    if (registration?.github !== undefined) return githubStanding(registration, undefined);
    const nowMs = clock.now().getTime();
    if (!remembered || nowMs >= remembered.untilMs) {
      try {
        remembered = { record: await installation.read(signal), untilMs: nowMs + lifetimeMs };
      } catch (error) {
        log.warn('installation not read', { problem: describeError(error) });
        return 'unknown';
      }
    }
    return githubStanding(registration, remembered.record);
  };
}
