// Decides until when the webhook takes requests that are signed as GitHub signs its webhooks: they do not say when they were
// sent, so one that was overheard can be sent again for ever.
import type { RegistrationSpec } from '../../certificate/spec.ts';

/** How long an installation that took such requests before it could say so takes them still. */
const graceMs = 90 * 24 * 3_600_000;

/** `unknown`: for now, because nobody knows yet when this version began here. */
export type GithubFormState = Date | 'always' | 'never' | 'unknown';

/** What the inventory says counts first.
 *  @param installation What is recorded of this one; `undefined` where an older one has no
 *  record yet, or none that can be read. */
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
