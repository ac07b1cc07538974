// Until when requests that are signed as GitHub signs its webhooks are taken: what the installation's record says, remembered.
import { once } from '../../async/promise-cache.ts';
import type { RegistrationSpec } from '../../certificate/spec.ts';
import { type GithubFormState, githubFormState } from '../../policy/registration/github-form.ts';
import type { Clock } from '../../ports/clock.ts';
import { describeError } from '../../ports/errors.ts';
import type { InstallationRecord, InstallationStore } from '../../ports/installation.ts';
import type { Log } from '../../ports/log.ts';
import type { CertificateStore } from '../../ports/store.ts';

/** The record is read again after this long, and so is one that was not there. */
const lifetimeMs = 60_000;

/** Until when such requests are taken. It never rejects: where the record cannot be read nobody is refused for it. */
export type GithubAllowedUntil = (signal: AbortSignal) => Promise<GithubFormState>;

/** Where the record is, and what tells an older installation from a new one before there is one. */
interface InstallationPorts {
  readonly installation: Pick<InstallationStore, 'read'>;
  readonly store: Pick<CertificateStore, 'list'>;
  readonly clock: Clock;
}

/** How long a sender waits for it. */
const longestMs = 3_000;

/** What is known of an installation. */
type Known = Pick<InstallationRecord, 'firstRun' | 'isUpgraded'> | undefined;

/** Reads the record only where the inventory does not say it, at most once a minute. */
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
      // A sender does not wait for it again at once.
      return { known: undefined, untilMs };
    }
  };
  const remembered = once(read, { isFresh: ({ untilMs }) => clock.now().getTime() < untilMs });
  return (registration, log) => async (signal) => {
    if (registration?.github !== undefined) return githubFormState(registration, undefined);
    return githubFormState(registration, (await remembered(log, signal)).known);
  };
}

/** Before the first full pass there is no record: whoever has stored no certificate yet has nothing that worked before. */
async function readKnown({ installation, store }: InstallationPorts, signal: AbortSignal): Promise<Known> {
  const record = await installation.read(signal);
  if (record) return record;
  const entries = await store.list(signal);
  if (entries.some(({ state }) => state.version !== undefined)) return undefined;
  return { firstRun: new Date(0), isUpgraded: false };
}
