// Gathers what is known of every certificate before any is judged: specifications, tags, and values only where tags do
// not tell.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import type { CertificateSpec, Inventory } from '../../certificate/spec.ts';
import type { PendingOrder, StoredSpec } from '../../certificate/stored.ts';
import { type Held, type HeldCertificate, heldByTags, heldByValue } from '../../policy/issuance/actual.ts';
import { type Decision, judge, type Situation } from '../../policy/issuance/checks.ts';
import { type Wanted, wantedBy } from '../../policy/issuance/desired.ts';
import {
  chooseIssuer,
  type IssuerChoice,
  issuersOf,
  issuersOfSource,
} from '../../policy/issuance/issuer-choice.ts';
import type { Clock } from '../../ports/clock.ts';
import { ConfigError, toError } from '../../ports/errors.ts';
import type { CertificateStore, StoreEntry } from '../../ports/store.ts';
import { standingOf } from '../../state/decisions.ts';
import type { CertificateState } from '../../state/state.ts';
import { IssueError } from '../errors.ts';
import type { Run } from '../run.ts';
import { type ComparisonPorts, type ComparisonRequest, compareShare, findLost } from './comparison.ts';
import { findSources } from './sources.ts';

/** Reads of Secrets Manager under way at once. */
const concurrency = 32;

/** One certificate with all that judging it needs. */
export interface Candidate {
  readonly name: string;
  readonly entry: StoreEntry | undefined;
  readonly situation: Situation;
  /** Absent where tags alone tell that a registered certificate is as it should be: read it when it falls due. */
  readonly spec: CertificateSpec | StoredSpec | undefined;
  /** The claim that is there, and its order where it can be read. */
  readonly inFlight: { readonly version: string; readonly order: PendingOrder | undefined } | undefined;
}

/** A certificate about which nothing could be learned. */
export interface Unknown {
  readonly name: string;
  readonly error: Error;
}

/** Which certificates a pass is about. */
export interface Question {
  /** Absent: all. Named ones are described one by one, because listing lags behind registrations. */
  readonly certificates?: readonly string[] | undefined;
  readonly force?: boolean | undefined;
}

/** Candidates, those of which nothing could be learned, and what is left of others where all were asked for. `uncompared`:
 *  certificates whose values are still to be held against their tags, because one pass reads 1,000 at most; `specs`: those of the values that were.
 *  @throws StoreError where listing fails. */
export async function gather(
  request: Question & ComparisonRequest,
  ports: ComparisonPorts,
  run: Run,
): Promise<{
  readonly candidates: readonly Candidate[];
  readonly unknown: readonly Unknown[];
  readonly orphans: readonly StoreEntry[];
  readonly uncompared: readonly string[];
  readonly specs: ReadonlyMap<string, StoredSpec>;
}> {
  const { store } = ports;
  const fromFile = new Map(run.inventory.certificates.map((spec) => [spec.name, spec]));
  const { sources, orphans, others } = await findSources(request.certificates, fromFile, store, run.signal);
  for (const entry of await findLost(others, request, ports, run.signal))
    sources.set(entry.name, async () => entry);
  const { check, uncompared, specs } = compareShare([...sources.keys()], request, ports, run.signal);
  const found = await mapConcurrently([...sources], concurrency, async ([name, readEntry]) => {
    try {
      const entry = await check(await readEntry());
      return await gatherOne(name, fromFile.get(name), entry, request, store, run);
    } catch (thrown) {
      return { name, error: toError(thrown) };
    }
  });
  return {
    candidates: found.filter((one): one is Candidate => !('error' in one)),
    unknown: found.filter((one): one is Unknown => 'error' in one),
    orphans,
    uncompared,
    specs,
  };
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
  if (!inFile && !inFlight && known?.kind === 'certificate') {
    const wanted = wantedByTags(known, inventory, entry?.state);
    if (wanted)
      return { name, entry, inFlight, spec: undefined, situation: { wanted, held: known, ...circumstances } };
  }
  if (inFile && known) {
    const wanted = wantedIn(inventory, inFile, entry, inFlight?.order);
    return { name, entry, inFlight, spec: inFile, situation: { wanted, held: known, ...circumstances } };
  }
  const { held, registered } = await readCurrent(name, store, signal);
  const spec = inFile ?? registered;
  if (!spec) {
    throw new IssueError(
      'Unknown',
      `no certificate is called "${name}", neither in the inventory nor by registration`,
    );
  }
  return {
    name,
    entry,
    inFlight,
    spec,
    situation: { wanted: wantedIn(inventory, spec, entry, inFlight?.order), held, ...circumstances },
  };
}

/** The specification of a candidate that tags alone were enough for. @throws IssueError `Unknown` where it is gone. */
export async function readSpecification(
  name: string,
  store: CertificateStore,
  signal: AbortSignal,
): Promise<StoredSpec> {
  const { registered } = await readCurrent(name, store, signal);
  if (registered) return registered;
  throw new IssueError(
    'Unknown',
    `the AWS secret of "${name}" holds no specification any more; register it again`,
  );
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
    {
      wanted: wantedIn(run.inventory, spec, entry),
      held,
      failures,
      error,
      nextAttempt,
      ...standingOf(entry),
    },
    clock.now(),
  );
}

async function readCurrent(
  name: string,
  store: CertificateStore,
  signal: AbortSignal,
): Promise<{ readonly held: Held; readonly registered: StoredSpec | undefined }> {
  const value = (await store.read(name, 'AWSCURRENT', signal))?.value;
  switch (value?.kind) {
    case 'specification':
      return { held: heldByValue(value), registered: value.spec };
    case 'certificate':
      return { held: heldByValue(value), registered: value.certificate.spec };
    case 'pending':
    case 'unparsable':
    case undefined:
      return { held: heldByValue(value), registered: undefined };
  }
}

async function readClaim(name: string, version: string, store: CertificateStore, { signal }: Run) {
  const value = (await store.read(name, { version }, signal))?.value;
  return { version, order: value?.kind === 'pending' ? value.order : undefined };
}

function wantedIn(
  inventory: Inventory,
  spec: CertificateSpec,
  entry: StoreEntry | undefined,
  inFlight?: PendingOrder,
): Wanted {
  const choice = issuerFor(spec, inventory, entry, inFlight);
  return wantedBy(spec, choice, issuersOf(spec, inventory.issuers));
}

/** The issuer that the next order goes to. An order in flight stays where it is.
 *  @throws ConfigError where the inventory has none of its issuers. */
export function issuerFor(
  spec: CertificateSpec,
  { issuers }: Inventory,
  entry: StoreEntry | undefined,
  inFlight?: PendingOrder,
): IssuerChoice {
  const choice = chooseIssuer(issuersOf(spec, issuers), entry?.state.failures ?? 0, inFlight);
  if (choice) return choice;
  const message = `certificate "${spec.name}" asks for issuer "${spec.issuer}", which the inventory does not have`;
  throw new ConfigError('Inventory', message);
}

/** A registered specification travels with its certificate, so the version that the tags describe is what it asks for,
 *  unless the issuers for its source are others now. */
function wantedByTags(
  { key, issuer, profile }: HeldCertificate,
  inventory: Inventory,
  state: CertificateState = {},
): Wanted | undefined {
  const allowed = issuersOfSource(state, inventory);
  const choice = chooseIssuer(allowed, state.failures ?? 0);
  if (!key || !choice) return undefined;
  const wanted = wantedBy({ key }, choice, allowed);
  const isAsked = allowed.some((one) => one.issuer.directory === issuer && one.issuer.profile === profile);
  return isAsked ? wanted : undefined;
}
