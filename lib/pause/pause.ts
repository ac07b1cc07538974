// Pauses certificates, so that none is ordered for them, and resumes them. What is stored is delivered all the same.
import type { Inventory } from '../certificate/spec.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { CertificateStore, StoreEntry } from '../ports/store.ts';
import type { PauseRequest } from '../requests/requests.ts';

/** What pausing stands on. */
export interface PausePorts {
  readonly store: CertificateStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** What became of one certificate. `unchanged`: it was so already. */
export interface PauseOutcome {
  readonly name: string;
  readonly outcome: 'paused' | 'resumed' | 'unchanged';
  /** Since when it is paused, and by which words. */
  readonly since?: Date | undefined;
  readonly reason?: string | undefined;
}

/** Sets the state that the plan reads (`Paused`). An order under way goes on to its end. A second pause keeps the first
 *  one's time, and its words where it brings none. A name that nobody knows is among the failures. */
export async function pauseCertificates(
  request: PauseRequest,
  ports: PausePorts,
  { inventory, signal }: { readonly inventory: Inventory; readonly signal: AbortSignal },
): Promise<{ readonly certificates: readonly PauseOutcome[]; readonly failures: readonly Error[] }> {
  const certificates: PauseOutcome[] = [];
  const failures: Error[] = [];
  for (const name of new Set(request.certificates)) {
    try {
      const entry = await findEntry(name, ports, inventory, signal);
      const change = request.resume ? resume : pause;
      certificates.push(await change({ name, entry, request }, ports, signal));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      failures.push(new Error(`${name}: ${error.message}`, { cause: error }));
    }
  }
  return { certificates, failures };
}

/** A certificate of the inventory that was never ordered gets its AWS secret now: the pause is kept there. */
async function findEntry(
  name: string,
  { store }: PausePorts,
  { certificates }: Inventory,
  signal: AbortSignal,
): Promise<StoreEntry | undefined> {
  const entry = await store.describe(name, signal);
  if (entry) return entry;
  if (!certificates.some((spec) => spec.name === name)) {
    throw new Error('no certificate is called that, neither in the inventory nor by registration');
  }
  await store.create(name, undefined, signal);
  return undefined;
}

/** A certificate, as it stands in the store, and what is requested of it. */
interface PauseSubject {
  readonly name: string;
  readonly entry: StoreEntry | undefined;
  readonly request: PauseRequest;
}

async function pause(
  { name, entry, request: { reason: asked } }: PauseSubject,
  { store, clock, log }: PausePorts,
  signal: AbortSignal,
): Promise<PauseOutcome> {
  const { pausedSince, pauseReason } = entry?.state ?? {};
  const since = pausedSince ?? clock.now();
  const reason = asked ?? pauseReason;
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
