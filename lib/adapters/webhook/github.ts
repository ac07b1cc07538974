// Finds out until when requests signed in GitHub's form are accepted, and remembers it for a minute.
import { once } from '../../async/promise-cache.ts';
import type { RegistrationSpec } from '../../certificate/spec.ts';
import { type GithubFormState, githubFormState } from '../../policy/registration/github-form.ts';
import type { Clock } from '../../ports/clock.ts';
import { describeError } from '../../ports/errors.ts';
import type { InstallationRecord, InstallationStore } from '../../ports/installation.ts';
import type { Log } from '../../ports/log.ts';
import type { CertificateStore } from '../../ports/store.ts';

/** How long the record is remembered, also a missing one. */
const lifetimeMs = 60_000;

/** Until when requests signed in GitHub's form are accepted. Rejects only with the signal's reason: while the
 *  record cannot be read, no request is refused. */
export type GithubAllowedUntil = (signal: AbortSignal) => Promise<GithubFormState>;

/** Where the installation's record is, and the store that shows whether an installation without one is
 *  new. */
interface InstallationPorts {
  readonly installation: Pick<InstallationStore, 'read'>;
  readonly store: Pick<CertificateStore, 'list'>;
  readonly clock: Clock;
}

/** Longest time in milliseconds that a sender waits for the record. */
const longestMs = 3_000;

/** The part of the record that matters here; `undefined` if the installation has none and is not new. */
type Known = Pick<InstallationRecord, 'firstRun' | 'isUpgraded'> | undefined;

/** Reads the record of the installation, at most once a minute, and only if the inventory does not set
 *  `registration.github`. */
export function rememberGithubForm(
  ports: InstallationPorts,
): (registration: RegistrationSpec | undefined, log: Log) => GithubAllowedUntil {
  const { clock } = ports;
  const read = async (log: Log, signal: AbortSignal): Promise<{ known: Known; untilMs: number }> => {
    const untilMs = clock.now().getTime() + lifetimeMs;
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
      return { known: await readKnown(ports, limited), untilMs };
    } catch (error) {
      signal.throwIfAborted();
      log.warn('installation not read', { problem: describeError(error) });
      // Remembered too, so that the next sender does not wait for it again.
      return { known: undefined, untilMs };
    }
  };
  const remembered = once(read, { isFresh: ({ untilMs }) => clock.now().getTime() < untilMs });
  return (registration, log) => async (signal) => {
    if (registration?.github !== undefined) return githubFormState(registration, undefined);
    return githubFormState(registration, (await remembered(log, signal)).known);
  };
}

/** The record. Before the first full run of `issue` there is none; an installation that has no certificate
 *  either is new. */
async function readKnown({ installation, store }: InstallationPorts, signal: AbortSignal): Promise<Known> {
  const record = await installation.read(signal);
  if (record) return record;
  const entries = await store.list(signal);
  if (entries.some(({ state }) => state.version !== undefined)) return undefined;
  return { firstRun: new Date(0), isUpgraded: false };
}
