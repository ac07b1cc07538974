// Gathers what is known of every certificate before any is judged: specifications, tags, and values only where tags do
// not tell.
import type { CertificateSpec, Inventory } from '../certificate/spec.ts';
import type { PendingOrder, StoredSpec } from '../certificate/stored.ts';
import { mapConcurrently } from '../concurrency.ts';
import { ConfigError } from '../config.ts';
import { StoreError } from '../errors.ts';
import { type Decision, judge, type Situation, type Wanted, wantedBy } from '../policy/checks.ts';
import { type Held, type HeldCertificate, heldByTags, heldByValue } from '../policy/held.ts';
import { standingOf } from '../policy/standing.ts';
import type { CertificateStore, Clock, StoreEntry } from '../ports.ts';
import type { Run } from './run.ts';

/** Reads of Secrets Manager under way at once. */
const concurrency = 32;

/** One certificate with all that judging it needs. */
export interface Candidate {
  readonly name: string;
  readonly entry: StoreEntry | undefined;
  readonly situation: Situation;
  /** Absent where tags alone tell that a registered certificate is as it should be: read it when it falls due. */
  readonly spec: CertificateSpec | undefined;
  readonly storedSpec?: StoredSpec;
  /** The claim that is there, and its order where it can be read. */
  readonly inFlight?: { readonly version: string; readonly order: PendingOrder | undefined };
}

/** A certificate about which nothing could be learned. */
export interface Unknown {
  readonly name: string;
  readonly error: Error;
}

export interface Question {
  /** Absent: all. Named ones are described one by one, because listing lags behind registrations. */
  readonly certificates?: readonly string[] | undefined;
  readonly force?: boolean | undefined;
}

/** Candidates, and those of which nothing could be learned. @throws StoreError where listing fails. */
export async function gather(
  question: Question,
  { store }: { readonly store: CertificateStore },
  run: Run,
): Promise<{ readonly candidates: readonly Candidate[]; readonly unknown: readonly Unknown[] }> {
  const entries = await readEntries(question, store, run);
  const fromFile = new Map(run.inventory.certificates.map((spec) => [spec.name, spec]));
  const registered = [...entries.values()].filter(({ name, state }) => state.source && !fromFile.has(name));
  const names = question.certificates ?? [...fromFile.keys(), ...registered.map(({ name }) => name)];
  const found = await mapConcurrently([...new Set(names)], concurrency, async (name) => {
    try {
      return await gatherOne(name, fromFile.get(name), entries.get(name), question, store, run);
    } catch (error) {
      return { name, error: error instanceof Error ? error : new Error(String(error)) };
    }
  });
  return {
    candidates: found.filter((one): one is Candidate => !('error' in one)),
    unknown: found.filter((one): one is Unknown => 'error' in one),
  };
}

async function readEntries(
  { certificates }: Question,
  store: CertificateStore,
  { signal }: Run,
): Promise<ReadonlyMap<string, StoreEntry>> {
  const entries = certificates
    ? await mapConcurrently(certificates, concurrency, (name) => store.describe(name, signal))
    : await store.list(signal);
  return new Map(entries.flatMap((entry) => (entry ? [[entry.name, entry]] : [])));
}

async function gatherOne(
  name: string,
  inFile: CertificateSpec | undefined,
  entry: StoreEntry | undefined,
  { force }: Question,
  store: CertificateStore,
  run: Run,
): Promise<Candidate> {
  const { inventory, signal } = run;
  const inFlight =
    entry?.pending === undefined ? undefined : await readClaim(name, entry.pending, store, run);
  const circumstances = {
    pending: inFlight && { version: inFlight.version, deadline: inFlight.order?.deadline },
    failures: entry?.state.failures,
    error: entry?.state.error,
    nextAttempt: entry?.state.nextAttempt,
    forced: force,
    ...standingOf(entry),
  };
  const known = entry ? heldByTags(entry) : ({ kind: 'nothing' } as const);
  if (
    !inFile &&
    known?.kind === 'certificate' &&
    known.issuer === registrationDirectory(inventory) &&
    !inFlight
  ) {
    return {
      name,
      entry,
      spec: undefined,
      situation: { wanted: wantedAsHeld(known), held: known, ...circumstances },
    };
  }
  if (inFile && known) {
    return {
      name,
      entry,
      inFlight,
      spec: inFile,
      situation: { wanted: wantedIn(inventory, inFile), held: known, ...circumstances },
    };
  }
  const { held, storedSpec } = await readCurrent(name, store, signal);
  const spec = inFile ?? storedSpec;
  if (!spec) {
    throw new ConfigError(
      'Event',
      `no certificate is called "${name}", neither in the inventory nor by registration`,
    );
  }
  const situation = { wanted: wantedIn(inventory, spec), held, ...circumstances };
  return { name, entry, inFlight, spec, storedSpec: inFile ? undefined : storedSpec, situation };
}

/** The specification of a candidate that tags alone were enough for. @throws ConfigError where it is gone. */
export async function readSpecification(
  name: string,
  store: CertificateStore,
  signal: AbortSignal,
): Promise<StoredSpec> {
  const { storedSpec } = await readCurrent(name, store, signal);
  if (!storedSpec)
    throw new StoreError(
      'Failed',
      `the AWS secret of "${name}" holds no specification any more; register it again`,
    );
  return storedSpec;
}

/** Judges a certificate that this run has claimed, from what nobody else can change now. */
export async function judgeClaimed(
  spec: CertificateSpec,
  entry: StoreEntry,
  { store, clock }: { readonly store: CertificateStore; readonly clock: Clock },
  run: Run,
): Promise<Decision> {
  const held = heldByTags(entry) ?? (await readCurrent(spec.name, store, run.signal)).held;
  const { failures, error, nextAttempt } = entry.state;
  return judge(
    { wanted: wantedIn(run.inventory, spec), held, failures, error, nextAttempt, ...standingOf(entry) },
    clock.now(),
  );
}

async function readCurrent(
  name: string,
  store: CertificateStore,
  signal: AbortSignal,
): Promise<{ readonly held: Held; readonly storedSpec: StoredSpec | undefined }> {
  const value = (await store.read(name, 'AWSCURRENT', signal))?.value;
  const storedSpec =
    value?.kind === 'specification'
      ? value.spec
      : value?.kind === 'certificate'
        ? value.certificate.spec
        : undefined;
  return { held: heldByValue(value), storedSpec };
}

async function readClaim(name: string, version: string, store: CertificateStore, { signal }: Run) {
  const value = (await store.read(name, { version }, signal))?.value;
  return { version, order: value?.kind === 'pending' ? value.order : undefined };
}

function wantedIn({ issuers }: Inventory, spec: CertificateSpec): Wanted {
  const issuer = issuers[spec.issuer];
  if (!issuer) {
    throw new ConfigError(
      'Inventory',
      `certificate "${spec.name}" asks for issuer "${spec.issuer}", which the inventory does not have`,
    );
  }
  return wantedBy(spec, issuer);
}

/** A registered specification travels with its certificate, so the version that the tags describe is what it asks for. */
function wantedAsHeld({ issuer, profile, key = 'ecdsa-p256' }: HeldCertificate): Wanted {
  return { directory: issuer, profile, key };
}

function registrationDirectory({ issuers, registration }: Inventory): string | undefined {
  return registration && issuers[registration.issuer]?.directory;
}
