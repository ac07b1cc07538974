// Imports a certificate that another tool got: verified, stored as AWSCURRENT, and from then on renewed by the schedule.

import { createHash } from 'node:crypto';
import type { Bundle } from '../certificate/bundle.ts';
import type { CertificateSpec, Inventory } from '../certificate/spec.ts';
import {
  mayBeAlive,
  type PendingOrder,
  type StoredCertificate,
  type StoredSpec,
} from '../certificate/stored.ts';
import { actualByValue } from '../policy/issuance/actual.ts';
import { type Decision, judge } from '../policy/issuance/checks.ts';
import { type Desired, describeNoIssuer, desiredBySpec } from '../policy/issuance/desired.ts';
import { decisionsOf } from '../policy/issuance/operator-decisions.ts';
import { resumes } from '../policy/issuance/resume.ts';
import type { KeyMaker } from '../ports/acme.ts';
import type { Clock } from '../ports/clock.ts';
import { ConfigError } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { CertificateStore, StoredValue, StoreEntry } from '../ports/store.ts';
import { stateOf } from '../state/describe.ts';
import { type ImportProblem, verifyImport } from './verification.ts';

/** What importing a certificate stands on. */
export interface ImportPorts {
  readonly store: CertificateStore;
  readonly keys: Pick<KeyMaker, 'generate'>;
  /** Text of an AWS secret. */
  readonly readText: (secret: string, signal: AbortSignal) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One invocation, as for every run that claims. */
export interface ImportInvocation {
  readonly id: string;
  readonly inventory: Inventory;
  readonly deadline: Date;
  readonly signal: AbortSignal;
  readonly cleanUpSignal: AbortSignal;
}

/** `unchanged`: it is the current certificate already. `next`: what a pass of issuing would decide now. */
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

interface Refusal {
  readonly certificate: string;
  readonly outcome: 'refused';
  readonly reason: ImportProblem | 'Unknown' | 'InFlight';
  readonly message: string;
  readonly until?: Date | undefined;
}

/** Reads chain and key from the AWS secret `secret`. The certificate must be in the inventory or registered, because that
 *  says who renews it; it counts as issued by the CA that is asked there, so that it is not ordered anew before it is due.
 *  May be called twice. @throws StoreError, and ConfigError where the specification's issuer is gone. */
export async function importCertificate(
  { certificate: name, secret }: { readonly certificate: string; readonly secret: string },
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
  const registered = inFile ? undefined : specIn(current?.value);
  const spec = inFile ?? registered;
  if (!spec) {
    const message = `no certificate is called "${name}": add it to the inventory first, which says who renews it and where it goes`;
    return refuse('Unknown', message);
  }
  const wanted = desiredBySpec(invocation.inventory, spec);
  if (!wanted) throw new ConfigError('Inventory', describeNoIssuer(spec));
  const verdict = verifyImport(await ports.readText(secret, invocation.signal), spec.domains, clock.now());
  if (!verdict.ok) return refuse(verdict.problem, verdict.message);
  const { bundle, notes } = verdict;
  const { names, notAfter, fingerprint } = bundle.facts;
  const { directory: issuer, profile } = wanted;
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
    next: judgeNext(certificate, wanted, { ...entry, version, unfinished }, clock.now()),
  });

  const held = actualByValue(current?.value);
  if (current && held.kind === 'certificate' && held.fingerprint === fingerprint)
    return answer('unchanged', current.version, { unfinished: false });
  const claim = await claimImport({ spec, wanted, entry }, ports, invocation);
  if ('message' in claim) return refuse('InFlight', claim.message, claim.until);
  const version = versionOfImport(fingerprint, entry?.current);
  try {
    await storeImport({ name, certificate, version, bundle }, ports, invocation);
  } finally {
    if (!claim.unfinished) await store.release(name, claim.version, invocation.cleanUpSignal);
  }
  return answer('imported', version, claim);
}

function specIn(value: StoredValue | undefined): StoredSpec | undefined {
  if (value?.kind === 'specification') return value.spec;
  return value?.kind === 'certificate' ? value.certificate.spec : undefined;
}

/** The certificate that is claimed: as it is specified and desired, and as it stands in the store. */
interface ClaimedSubject {
  readonly spec: CertificateSpec;
  readonly wanted: Desired;
  readonly entry: StoreEntry | undefined;
}

interface ImportClaim {
  readonly version: string;
  /** An earlier run's order is on it: a pass finishes that, so the claim stays. */
  readonly unfinished: boolean;
}

/** Keeps scheduled runs off while the certificate is exchanged. The claim of a run that is over is carried on with all
 *  it says, so that its order and TXT values are not forgotten. */
async function claimImport(
  { spec, wanted, entry }: ClaimedSubject,
  { store, keys, clock }: ImportPorts,
  invocation: ImportInvocation,
): Promise<ImportClaim | { readonly message: string; readonly until?: Date }> {
  const { directory: issuer, profile } = wanted;
  const { name, domains, key: keyType } = spec;
  const pending = entry?.pending;
  const before = pending && (await store.read(name, { version: pending }, invocation.signal))?.value;
  const left = before && before.kind === 'pending' ? before.order : undefined;
  if (left && mayBeAlive(left.deadline, clock.now())) {
    const message = `another run is ordering it, until ${left.deadline.toISOString()} at most: import it after that`;
    return { message, until: left.deadline };
  }
  if (!entry) await store.create(name, undefined, invocation.signal);
  const order: PendingOrder = {
    ...(left ?? { key: await keys.generate(keyType), keyType, issuer, profile, domains }),
    run: invocation.id,
    deadline: invocation.deadline,
  };
  const claim = await store.claim(name, order, pending, invocation.signal);
  if (claim === 'claimedByOther')
    return { message: 'another run has just begun to order it: import it after that' };
  return { version: claim.version, unfinished: resumes(left, entry?.state) };
}

/** The same certificate over the same predecessor is the same version, so that a repeated write is no write. */
function versionOfImport(fingerprint: string, over: string | undefined): string {
  return createHash('sha256').update(`import ${fingerprint} over ${over}`).digest('hex');
}

async function storeImport(
  imported: {
    readonly name: string;
    readonly certificate: StoredCertificate;
    readonly version: string;
    readonly bundle: Bundle;
  },
  { store, log }: ImportPorts,
  invocation: ImportInvocation,
): Promise<void> {
  const { name, certificate, version } = imported;
  const { facts } = imported.bundle;
  await store.put(name, certificate, version, invocation.signal);
  await store.record(name, stateOf(version, facts, certificate), invocation.cleanUpSignal);
  const { names, notAfter } = facts;
  log.info('certificate imported', { certificate: name, names, version, notAfter });
}

/** What the schedule will make of it, so that nobody is surprised: a key of another type is a reason to order, say. */
function judgeNext(
  certificate: StoredCertificate,
  wanted: Desired,
  entry: Partial<StoreEntry> & { readonly version: string; readonly unfinished: boolean },
  now: Date,
): Decision {
  const { state = {}, version, unfinished } = entry;
  const { failures, error, nextAttempt } = state;
  return judge(
    {
      desired: wanted,
      actual: actualByValue({ kind: 'certificate', certificate }),
      pending: unfinished ? { version } : undefined,
      failures,
      error,
      nextAttempt,
      ...decisionsOf({ current: version, state }),
    },
    now,
  );
}
