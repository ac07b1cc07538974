// The pause story: stops orders for certificates, and resumes them. Stored versions are still delivered.
import type { Inventory } from '../certificate/spec.ts';
import type { Clock } from '../ports/clock.ts';
import { errorOfPart } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { CertificateStore, StoreEntry } from '../ports/store.ts';
import type { PauseRequest } from '../requests/requests.ts';
import { createRefusal } from '../requests/unknown.ts';

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
}

/** Pauses the requested certificates, or resumes them with `resume`. An order in flight is still finished.
 *  A second pause keeps the time of the first, and its reason if the request has none. `failures` has one
 *  error for each name that is unknown or whose state could not be written. */
export async function pauseCertificates(
  request: PauseRequest,
  ports: PausePorts,
  { inventory, signal }: { readonly inventory: Inventory; readonly signal: AbortSignal },
): Promise<{ readonly certificates: readonly PauseOutcome[]; readonly failures: readonly Error[] }> {
  const certificates: PauseOutcome[] = [];
  const failures: Error[] = [];
  // Its role may not list the store.
  const refuse = createRefusal({ inventory, signal });
  for (const name of new Set(request.certificates)) {
    try {
      const entry = await findEntry(name, { ...ports, refuse }, inventory, signal);
      const change = request.resume ? resume : pause;
      certificates.push(await change({ name, entry, request }, ports, signal));
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

/** A certificate to pause or resume: its entry in the store, and the request. */
interface PauseSubject {
  readonly name: string;
  readonly entry: StoreEntry | undefined;
  readonly request: PauseRequest;
}

async function pause(
  { name, entry, request: { reason: requested } }: PauseSubject,
  { store, clock, log }: PausePorts,
  signal: AbortSignal,
): Promise<PauseOutcome> {
  const { pausedSince, pauseReason } = entry?.state ?? {};
  const since = pausedSince ?? clock.now();
  const reason = requested ?? pauseReason;
  if (pausedSince && reason === pauseReason) return { name, outcome: 'unchanged', since, reason };
  await store.record(name, { pausedSince: since, pauseReason: reason ?? null }, signal);
  log.info('certificate paused', { certificate: name, reason });
  return { name, outcome: 'paused', since, reason };
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
