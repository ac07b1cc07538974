// Reads what judging needs of every requested certificate: specifications and tags, and values only if tags
// do not suffice.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import type { CertificateSpec, Inventory } from '../../certificate/spec.ts';
import type { PendingOrder, StoredSpec } from '../../certificate/stored.ts';
import { type Actual, actualByTags, actualByValue } from '../../policy/issuance/actual.ts';
import { isToProve } from '../../policy/issuance/comparison.ts';
import { type Decision, judge, type Situation } from '../../policy/issuance/decision.ts';
import {
  type Desired,
  describeNoIssuer,
  desiredBySpec,
  desiredByTags,
  type Progress,
} from '../../policy/issuance/desired.ts';
import { decisionsOf } from '../../policy/issuance/operator-decisions.ts';
import type { Planned } from '../../policy/issuance/plan.ts';
import { describeWish } from '../../policy/retirement/retirement.ts';
import { ConfigError, toError } from '../../ports/errors.ts';
import type { CertificateStore, StoreEntry } from '../../ports/store.ts';
import { createRefusal } from '../../requests/unknown.ts';
import { createNoSpecification } from '../errors.ts';
import type { IssueInvocation, ReconcileRequest } from '../invocation.ts';
import { findRetiring, type RetiringCertificate } from '../retiring/found.ts';
import { type ComparisonPorts, type ComparisonRequest, compareShare, findUntagged } from './comparison.ts';
import { findSources } from './sources.ts';

/** Certificates read at once. */
const concurrency = 32;

/** One certificate with everything that judging and ordering it needs. */
export interface Candidate {
  readonly name: string;
  readonly entry: StoreEntry | undefined;
  readonly situation: Situation;
  /** `undefined` for a registered certificate whose tags alone suffice: it is read when it falls due. */
  readonly spec: CertificateSpec | StoredSpec | undefined;
  /** The order in AWSPENDING (`situation.pending`). `undefined` without a claim, or if its value is no
   *  order. */
  readonly pendingOrder: PendingOrder | undefined;
}

/** A certificate with its line of the plan. */
export type PlannedCertificate = Planned<Candidate>;

/** A certificate to order, with its specification. */
export type DueCertificate = Candidate & { readonly spec: CertificateSpec | StoredSpec };

/** A certificate that could not be read, and why. */
export interface UnreadableCertificate {
  readonly name: string;
  readonly error: Error;
  /** Its AWS secret; absent if there is none, or if it is what could not be read. */
  readonly entry?: StoreEntry | undefined;
}

/** Reads everything needed to judge the requested certificates. `unreadable`: could not be read, with the
 *  error. `orphans`: store entries no longer configured whose order left a claim or TXT values; empty if
 *  certificates were named. `retiring`: those that are let go, which nobody judges. `uncompared`: names
 *  whose values a later pass compares with their tags, because one pass reads 1,000 at most. `specs`:
 *  specifications of the values that were compared. @throws StoreError if listing fails. */
export async function gather(
  request: Pick<ReconcileRequest, 'certificates' | 'force'> & ComparisonRequest,
  ports: ComparisonPorts,
  invocation: IssueInvocation,
): Promise<{
  readonly candidates: readonly Candidate[];
  readonly unreadable: readonly UnreadableCertificate[];
  readonly orphans: readonly StoreEntry[];
  readonly retiring: readonly RetiringCertificate[];
  readonly uncompared: readonly string[];
  readonly specs: ReadonlyMap<string, StoredSpec>;
}> {
  const { store } = ports;
  const { signal } = invocation;
  const fromFile = new Map(invocation.inventory.certificates.map((spec) => [spec.name, spec]));
  const { sources, orphans, others } = await findSources(request.certificates, fromFile, store, invocation);
  for (const entry of await findUntagged(others, request, ports, signal))
    sources.set(entry.name, async () => entry);
  const using = { ...ports, refuse: createRefusal({ ...invocation, store }) };
  const { check, prove, uncompared, specs } = compareShare([...sources.keys()], request, ports, signal);
  type Gathered = Candidate | UnreadableCertificate | { readonly retiring: RetiringCertificate };
  const found = await mapConcurrently(
    [...sources],
    concurrency,
    async ([name, readEntry]): Promise<Gathered> => {
      let entry: StoreEntry | undefined;
      try {
        entry = await readEntry();
        entry = await check(entry);
        const retiring = entry && (await findRetiring(entry, ports, invocation));
        if (retiring) return { retiring };
        const gatherBy = (one: StoreEntry | undefined) =>
          gatherOne({ name, inFile: fromFile.get(name), entry: one }, request, using, invocation);
        const candidate = await gatherBy(entry);
        if (!entry || !isToProve(entry, candidate.situation, ports.clock.now())) return candidate;
        const proved = await prove(entry);
        return proved === entry ? candidate : await gatherBy(proved);
      } catch (cause) {
        return { name, error: toError(cause), entry };
      }
    },
  );
  return {
    candidates: found.filter((one): one is Candidate => 'situation' in one),
    unreadable: found.filter((one): one is UnreadableCertificate => 'error' in one),
    retiring: found.flatMap((one) => ('retiring' in one ? [one.retiring] : [])),
    orphans,
    uncompared,
    specs,
  };
}

async function gatherOne(
  {
    name,
    inFile,
    entry,
  }: {
    readonly name: string;
    readonly inFile: CertificateSpec | undefined;
    readonly entry: StoreEntry | undefined;
  },
  { force }: Pick<ReconcileRequest, 'force'>,
  {
    store,
    refuse,
    clock,
  }: Pick<ComparisonPorts, 'store' | 'clock'> & { readonly refuse: ReturnType<typeof createRefusal> },
  invocation: IssueInvocation,
): Promise<Candidate> {
  const { inventory, signal } = invocation;
  const version = entry?.pending;
  const pendingOrder = version === undefined ? undefined : await readPending(name, version, store, signal);
  const failures = entry?.state.failures;
  const progress = { failures, inFlight: pendingOrder };
  const circumstances = {
    pending: version === undefined ? undefined : { version, deadline: pendingOrder?.deadline },
    failures,
    error: entry?.state.error,
    problem: entry?.state.problem,
    nextAttempt: entry?.state.nextAttempt,
    forced: force,
    ...decisionsOf(entry, clock.now()),
  };
  const known = entry ? actualByTags(entry) : ({ kind: 'nothing' } as const);
  if (entry && !inFile && version === undefined && known?.kind === 'certificate') {
    const desired = desiredByTags(known, inventory, entry.state);
    if (desired) {
      const situation = { desired, actual: known, ...circumstances };
      return { name, entry, pendingOrder, spec: undefined, situation };
    }
  }
  if (inFile && known) {
    const situation = { desired: desireOf(inFile, inventory, progress), actual: known, ...circumstances };
    return { name, entry, pendingOrder, spec: inFile, situation };
  }
  const { actual, registered } = await readCurrent(name, store, signal);
  const spec = inFile ?? registered;
  if (!spec) throw entry ? createNoSpecification(name, entry) : await refuse(name);
  const situation = { desired: desireOf(spec, inventory, progress), actual, ...circumstances };
  return { name, entry, pendingOrder, spec, situation };
}

/** Reads the specification of a candidate that was gathered by tags alone, and what that specification
 *  asks for. @throws StoreError, IssueError `Unknown` if the specification is gone, ConfigError if its
 *  issuers are. */
export async function completeCandidate(
  candidate: Candidate,
  store: CertificateStore,
  { inventory, signal }: IssueInvocation,
): Promise<Candidate & { readonly spec: StoredSpec }> {
  const { name, situation, pendingOrder: inFlight } = candidate;
  const spec = await readSpecification(name, store, signal);
  const desired = desireOf(spec, inventory, { failures: situation.failures, inFlight });
  return { ...candidate, spec, situation: { ...situation, desired } };
}

/** Reads the specification that is stored with a registered certificate. @throws StoreError, IssueError
 *  `Unknown` if there is none. */
export async function readSpecification(
  name: string,
  store: CertificateStore,
  signal: AbortSignal,
): Promise<StoredSpec> {
  const { registered } = await readCurrent(name, store, signal);
  if (registered) return registered;
  throw createNoSpecification(name, undefined);
}

/** Judges a certificate again after this run has claimed it, by its state of now. The issuer stays the one
 *  that the plan chose. @throws StoreError. */
export async function judgeClaimed(
  { name, situation: { desired } }: Candidate,
  entry: StoreEntry,
  ports: ComparisonPorts,
  invocation: IssueInvocation,
): Promise<Decision> {
  // A list may not have shown it yet.
  const retiring = await findRetiring(entry, ports, invocation);
  if (retiring) return { decision: 'wait', reason: 'Retiring', message: describeWish(retiring.retirement) };
  const { store, clock } = ports;
  const actual = actualByTags(entry) ?? (await readCurrent(name, store, invocation.signal)).actual;
  const { failures, error, nextAttempt } = entry.state;
  return judge(
    { desired, actual, failures, error, nextAttempt, ...decisionsOf(entry, clock.now()) },
    clock.now(),
  );
}

async function readCurrent(
  name: string,
  store: CertificateStore,
  signal: AbortSignal,
): Promise<{ readonly actual: Actual; readonly registered: StoredSpec | undefined }> {
  const value = (await store.read(name, 'AWSCURRENT', signal))?.value;
  switch (value?.kind) {
    case 'specification':
      return { actual: actualByValue(value), registered: value.spec };
    case 'certificate':
      return { actual: actualByValue(value), registered: value.certificate.spec };
    case 'pending':
    case 'unparsable':
    case undefined:
      return { actual: actualByValue(value), registered: undefined };
  }
}

async function readPending(
  name: string,
  version: string,
  store: CertificateStore,
  signal: AbortSignal,
): Promise<PendingOrder | undefined> {
  const value = (await store.read(name, { version }, signal))?.value;
  return value?.kind === 'pending' ? value.order : undefined;
}

/** What a specification asks for, with the issuer of its next order.
 *  @throws ConfigError if the inventory has none of its issuers. */
function desireOf(spec: CertificateSpec, inventory: Inventory, progress: Progress): Desired {
  const desired = desiredBySpec(inventory, spec, progress);
  if (desired) return desired;
  throw new ConfigError('Inventory', describeNoIssuer(spec));
}
