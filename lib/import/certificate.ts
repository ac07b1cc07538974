// Imports another tool's certificate: verifies it and stores it as AWSCURRENT, for `issue` to renew.

import { createHash } from 'node:crypto';
import type { Bundle } from '../certificate/bundle.ts';
import { certificatesIn } from '../certificate/pem.ts';
import type { CertificateSpec, Inventory } from '../certificate/spec.ts';
import {
  mayBeAlive,
  type PendingOrder,
  type StoredCertificate,
  type StoredSpec,
} from '../certificate/stored.ts';
import { freezeImported, trimFreeze } from '../policy/delivery/freeze.ts';
import { actualByValue } from '../policy/issuance/actual.ts';
import { type Decision, judge } from '../policy/issuance/decision.ts';
import { type Desired, describeNoIssuer, desiredBySpec } from '../policy/issuance/desired.ts';
import { decisionsOf } from '../policy/issuance/operator-decisions.ts';
import { resumes } from '../policy/issuance/resume.ts';
import type { KeyMaker } from '../ports/acme.ts';
import type { Clock } from '../ports/clock.ts';
import { ConfigError, wordsOf } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { CertificateStore, StoredValue, StoreEntry } from '../ports/store.ts';
import { createRefusal } from '../requests/unknown.ts';
import { stateOf } from '../state/describe.ts';
import { type ImportProblem, verifyImport } from './verification.ts';

/** The ports that `importCertificate` needs. */
export interface ImportPorts {
  readonly store: CertificateStore;
  readonly keys: Pick<KeyMaker, 'generate'>;
  /** Reads the text of an AWS secret. */
  readonly readText: (secret: string, signal: AbortSignal) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One invocation: its id, the inventory and its time limits. `deadline` is when its claim ends. */
export interface ImportInvocation {
  readonly id: string;
  readonly inventory: Inventory;
  readonly deadline: Date;
  readonly signal: AbortSignal;
  readonly cleanUpSignal: AbortSignal;
}

/** The result of an import. `unchanged`: it is the current certificate already. `next`: what `issue` would
 *  decide now. */
export type ImportAnswer =
  | {
      readonly certificate: string;
      readonly outcome: 'imported' | 'unchanged';
      readonly version: string;
      readonly names: readonly string[];
      readonly notAfter: Date;
      readonly notes: readonly string[];
      readonly next: Decision;
    }
  | Refusal;

/** What is imported, and whether it may be self-signed. */
export interface ImportSource {
  readonly certificate: string;
  /** Name of the AWS secret with chain and key. */
  readonly secret: string;
  readonly selfSigned?: boolean | undefined;
  /** The Kubernetes Secret that it comes from, as `nameTarget` writes it: then it is not delivered before a
   *  person asks. Absent: it is delivered like one that was ordered. */
  readonly origin?: string | undefined;
}

interface Refusal {
  readonly certificate: string;
  readonly outcome: 'refused';
  readonly reason: ImportProblem | 'Unknown' | 'InFlight';
  readonly message: string;
  readonly until?: Date | undefined;
}

/** Reads chain and key from the AWS secret `secret`, verifies them and stores them as the named certificate.
 *  That must be in the inventory or registered, which defines its issuer. It counts as issued by that issuer,
 *  so that it is not ordered again before it is due. May be called twice.
 *  @throws StoreError if the store cannot be read or written; ConfigError `Inventory` if its issuer is not in
 *  the inventory. */
export async function importCertificate(
  { certificate: name, secret, selfSigned, origin }: ImportSource,
  ports: ImportPorts,
  invocation: ImportInvocation,
): Promise<ImportAnswer> {
  const { store, clock } = ports;
  const refuse = (reason: Refusal['reason'], message: string, until?: Date): Refusal => {
    return { certificate: name, outcome: 'refused', reason, message, until };
  };
  const entry = await store.describe(name, invocation.signal);
  const current = entry && (await store.read(name, 'AWSCURRENT', invocation.signal));
  const inFile = invocation.inventory.certificates.find((spec) => spec.name === name);
  const registered = inFile ? undefined : storedSpecOf(current?.value);
  const spec = inFile ?? registered;
  if (!spec) {
    const unknown = await createRefusal(invocation)(name);
    const message = `${wordsOf(unknown)}; or add it to the inventory first, with its issuer and targets`;
    return refuse('Unknown', message);
  }
  const desired = desiredBySpec(invocation.inventory, spec);
  if (!desired) throw new ConfigError('Inventory', describeNoIssuer(spec));
  const text = await ports.readText(secret, invocation.signal);
  const verified = verifyImport(text, { domains: spec.domains, now: clock.now(), selfSigned });
  if (!verified.ok) return refuse(verified.problem, verified.message);
  const { bundle, notes } = verified;
  const { names, notAfter, fingerprint } = bundle.facts;
  const { directory: issuer, profile } = desired;
  const certificate = { chain: bundle.chain, key: bundle.key, issuer, profile, spec: registered };
  const answer = (
    outcome: 'imported' | 'unchanged',
    version: string,
    { unfinished }: Pick<ImportClaim, 'unfinished'>,
  ) => ({
    certificate: name,
    outcome,
    version,
    names,
    notAfter,
    notes,
    next: judgeNext(certificate, desired, { ...entry, version, unfinished }, clock.now()),
  });

  const actual = actualByValue(current?.value);
  const isStored = actual.kind === 'certificate' && actual.fingerprint === fingerprint;
  if (current && isStored && !isLonger(bundle, current.value))
    return answer('unchanged', current.version, { unfinished: false });
  const claim = await claimImport({ spec, desired, entry }, ports, invocation);
  if ('message' in claim) return refuse('InFlight', claim.message, claim.until);
  const version = versionOfImport(fingerprint, entry?.current);
  try {
    await storeImport({ name, certificate, version, bundle, origin }, ports, invocation);
  } finally {
    if (!claim.unfinished) await store.release(name, claim.version, invocation.cleanUpSignal);
  }
  return answer('imported', version, claim);
}

/** Whether the chain has authorities that the stored chain lacks: then the same certificate is stored
 *  again. */
function isLonger({ chain }: Bundle, value: StoredValue): boolean {
  const stored = value.kind === 'certificate' ? value.certificate.chain : '';
  return certificatesIn(chain).length > certificatesIn(stored).length;
}

function storedSpecOf(value: StoredValue | undefined): StoredSpec | undefined {
  if (value?.kind === 'specification') return value.spec;
  return value?.kind === 'certificate' ? value.certificate.spec : undefined;
}

/** The certificate to claim: its specification, what is desired, and its entry in the store. */
interface ClaimedSubject {
  readonly spec: CertificateSpec;
  readonly desired: Desired;
  readonly entry: StoreEntry | undefined;
}

interface ImportClaim {
  readonly version: string;
  /** The claim has the order of an earlier invocation. `issue` finishes
   *  that, so the claim is not released. */
  readonly unfinished: boolean;
}

/** Claims the certificate, so that no other invocation orders it during the import. Takes over the claim of
 *  an invocation that has ended, with its order and TXT values; or says why the claim failed. */
async function claimImport(
  { spec, desired, entry }: ClaimedSubject,
  { store, keys, clock }: ImportPorts,
  invocation: ImportInvocation,
): Promise<ImportClaim | { readonly message: string; readonly until?: Date }> {
  const { directory: issuer, profile } = desired;
  const { name, domains, key: keyType } = spec;
  const pending = entry?.pending;
  const pendingValue = pending && (await store.read(name, { version: pending }, invocation.signal))?.value;
  const earlierOrder = pendingValue && pendingValue.kind === 'pending' ? pendingValue.order : undefined;
  if (earlierOrder && mayBeAlive(earlierOrder.deadline, clock.now())) {
    const message = `another run is ordering it, until ${earlierOrder.deadline.toISOString()} at the latest; import it after that`;
    return { message, until: earlierOrder.deadline };
  }
  if (!entry) await store.create(name, undefined, invocation.signal);
  const order: PendingOrder = {
    ...(earlierOrder ?? { key: await keys.generate(keyType), keyType, issuer, profile, domains }),
    run: invocation.id,
    deadline: invocation.deadline,
  };
  const claim = await store.claim(name, order, pending, invocation.signal);
  if (claim === 'claimedByOther')
    return { message: 'another run has just begun to order it; import it after that' };
  return { version: claim.version, unfinished: resumes(earlierOrder, entry?.state) };
}

/** A version id from the fingerprint and the version before, so that a
 *  repeated import writes the same version. */
function versionOfImport(fingerprint: string, over: string | undefined): string {
  return createHash('sha256').update(`import ${fingerprint} over ${over}`).digest('hex');
}

async function storeImport(
  imported: {
    readonly name: string;
    readonly certificate: StoredCertificate;
    readonly version: string;
    readonly bundle: Bundle;
    readonly origin: string | undefined;
  },
  { store, log }: ImportPorts,
  invocation: ImportInvocation,
): Promise<void> {
  const { name, certificate, version, origin } = imported;
  const { facts } = imported.bundle;
  // First, because a new AWSCURRENT invokes deploy.
  if (origin !== undefined) {
    await store.record(name, { freeze: trimFreeze(freezeImported(version, origin)) }, invocation.signal);
  }
  await store.put(name, certificate, version, invocation.signal);
  await store.record(name, stateOf(version, facts, certificate), invocation.cleanUpSignal);
  const { names, notAfter } = facts;
  log.info('certificate imported', { certificate: name, names, version, notAfter });
}

/** What `issue` would decide for the certificate now, for the answer. It may order at once, e.g. for another
 *  key type. */
function judgeNext(
  certificate: StoredCertificate,
  desired: Desired,
  entry: Partial<StoreEntry> & { readonly version: string; readonly unfinished: boolean },
  now: Date,
): Decision {
  const { state = {}, version, unfinished } = entry;
  const { failures, error, nextAttempt } = state;
  return judge(
    {
      desired,
      actual: actualByValue({ kind: 'certificate', certificate }),
      pending: unfinished ? { version } : undefined,
      failures,
      error,
      nextAttempt,
      ...decisionsOf({ current: version, state }, now),
    },
    now,
  );
}
