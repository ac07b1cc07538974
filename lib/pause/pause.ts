// The pause story: stops orders for certificates, and resumes them. Stored versions are still delivered.
import type { Inventory } from '../certificate/spec.ts';
import { pauseOf, writePauseReason } from '../policy/issuance/pause.ts';
import type { Clock } from '../ports/clock.ts';
import { ConfigError, errorOfPart } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { CertificateStore, StoreEntry } from '../ports/store.ts';
import type { PauseRequest } from '../requests/requests.ts';
import { createRefusal } from '../requests/unknown.ts';
import { resolveUntil } from '../requests/until.ts';
import { isSameValue } from '../state/same.ts';

/** The ports of the pause story. */
export interface PausePorts {
  readonly store: CertificateStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** The result for one certificate. `unchanged`: it was paused or resumed already. */
export interface PauseOutcome {
  readonly name: string;
  readonly outcome: 'paused' | 'resumed' | 'unchanged';
  /** Since when it is paused; absent if it is not. */
  readonly since?: Date | undefined;
  /** The reason that a person gave for the pause. */
  readonly reason?: string | undefined;
  /** When the pause ends by itself; absent: when a person resumes it. */
  readonly until?: Date | undefined;
}

/** Pauses the requested certificates, or resumes them with `resume`. An order in flight is still finished.
 *  A second pause keeps the time of the first, and its reason and its end if the request has none. `failures`
 *  has one error for each name that is unknown or whose state could not be written.
 *  @throws ConfigError `Event` if `until` is in the past, or too far ahead. */
export async function pauseCertificates(
  request: PauseRequest,
  ports: PausePorts,
  { inventory, signal }: { readonly inventory: Inventory; readonly signal: AbortSignal },
): Promise<{ readonly certificates: readonly PauseOutcome[]; readonly failures: readonly Error[] }> {
  const until = request.until === undefined ? undefined : resolveUntil(request.until, ports.clock.now());
  if (typeof until === 'string') throw new ConfigError('Event', `invalid event: until: ${until}`);
  const certificates: PauseOutcome[] = [];
  const failures: Error[] = [];
  // Its role may not list the store.
  const refuse = createRefusal({ inventory, signal });
  for (const name of new Set(request.certificates)) {
    try {
      const entry = await findEntry(name, { ...ports, refuse }, inventory, signal);
      const change = request.resume ? resume : pause;
      certificates.push(await change({ name, entry, reason: request.reason, until }, ports, signal));
    } catch (error) {
      failures.push(errorOfPart(name, error));
    }
  }
  return { certificates, failures };
}

/** The certificate's entry. One in the inventory that was never ordered gets its AWS secret now, because the
 *  pause is recorded there; its entry is `undefined`.
 *  @throws PartError `Unknown` if no certificate has the name. */
async function findEntry(
  name: string,
  { store, refuse }: PausePorts & { readonly refuse: ReturnType<typeof createRefusal> },
  { certificates }: Inventory,
  signal: AbortSignal,
): Promise<StoreEntry | undefined> {
  const entry = await store.describe(name, signal);
  if (entry) return entry;
  if (!certificates.some((spec) => spec.name === name)) {
    throw await refuse(name);
  }
  await store.create(name, undefined, signal);
  return undefined;
}

/** A certificate to pause or resume: its entry in the store, and what is requested. */
interface PauseSubject {
  readonly name: string;
  readonly entry: StoreEntry | undefined;
  readonly reason: string | undefined;
  readonly until: Date | undefined;
}

async function pause(
  { name, entry, ...requested }: PauseSubject,
  { store, clock, log }: PausePorts,
  signal: AbortSignal,
): Promise<PauseOutcome> {
  const now = clock.now();
  // One that has ended by itself is none.
  const before = pauseOf(entry?.state ?? {}, now);
  const since = before?.since ?? now;
  const reason = requested.reason ?? before?.reason;
  const until = requested.until ?? before?.until;
  const paused = { name, since, reason, ...(until ? { until } : {}) };
  const isSame = reason === before?.reason && isSameValue(until, before?.until);
  if (before && isSame) return { ...paused, outcome: 'unchanged' };
  const change = { pausedSince: since, pauseReason: writePauseReason({ reason, until }) };
  await store.record(name, change, signal);
  log.info('certificate paused', { certificate: name, reason, ...(until ? { until } : {}) });
  return { ...paused, outcome: 'paused' };
}

async function resume(
  { name, entry }: PauseSubject,
  { store, log }: PausePorts,
  signal: AbortSignal,
): Promise<PauseOutcome> {
  if (!entry?.state.pausedSince) return { name, outcome: 'unchanged' };
  await store.record(name, { pausedSince: null, pauseReason: null }, signal);
  log.info('certificate resumed', { certificate: name });
  return { name, outcome: 'resumed' };
}
