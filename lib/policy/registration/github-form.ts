// Decides until when the webhook accepts requests that are signed as GitHub signs its webhooks. Such a
// request has no
// time, so whoever has recorded one can send it again at any time.
import type { RegistrationSpec } from '../../certificate/spec.ts';

/** How long an upgraded installation, which accepted such requests before the setting existed, still
 *  accepts them. */
const graceMs = 90 * 24 * 3_600_000;

/** Until when such requests are accepted. `unknown`: accepted for now, because it is not known when this
 *  version first ran. */
export type GithubFormState = Date | 'always' | 'never' | 'unknown';

/** `registration.github` of the inventory decides. Without it: a new installation never accepts such
 *  requests, an upgraded one for 90 days after the first run of this version.
 *  @param installation The record of this installation; `undefined` if there is none yet or it cannot be
 *  read. */
export function githubFormState(
  registration: Pick<RegistrationSpec, 'github'> | undefined,
  installation: { readonly firstRun: Date; readonly isUpgraded: boolean } | undefined,
): GithubFormState {
  if (registration?.github !== undefined) return registration.github ? 'always' : 'never';
  if (installation && !installation.isUpgraded) return 'never';
  // A first run that cannot be read counts as the beginning of time.
  const firstRunMs = installation?.firstRun.getTime() ?? 0;
  return firstRunMs === 0 ? 'unknown' : new Date(firstRunMs + graceMs);
}
