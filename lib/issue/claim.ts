// Claiming a certificate: of all runs that find it due, one goes on (design: AWSPENDING as compare-and-swap).
import { sameNames } from '../certificate/names.ts';
import type { CertificateSpec, IssuerSpec } from '../certificate/spec.ts';
import type { PendingOrder, StoredSpec } from '../certificate/stored.ts';
import type { CertificateStore, KeyMaker, StoreEntry } from '../ports.ts';

/** A certificate that the plan says to order. */
export interface DueCertificate {
  readonly spec: CertificateSpec;
  /** The same specification where it does not come from the inventory file. */
  readonly storedSpec?: StoredSpec;
  readonly entry?: StoreEntry;
  /** The claim of a run that is over: its order is finished rather than made again. */
  readonly inFlight?: { readonly version: string; readonly order: PendingOrder | undefined };
  readonly forced: boolean;
}

export interface Claim {
  /** Version that holds AWSPENDING for this run. */
  readonly version: string;
  readonly pending: PendingOrder;
  /** The entry as it is now that nobody else may change it. */
  readonly entry: StoreEntry;
  /** Whether the key is the one of the run before: only then may a finalized order be used. */
  readonly inheritedKey: boolean;
}

/** Claims, or says `held` where another run was faster. A claim that is taken over keeps the key of its order while the
 *  specification still asks for the same certificate. */
export async function claimCertificate(
  due: DueCertificate,
  issuer: IssuerSpec,
  { store, keys }: { readonly store: CertificateStore; readonly keys: KeyMaker },
  run: { readonly id: string; readonly deadline: Date; readonly signal: AbortSignal },
): Promise<Claim | 'held'> {
  const { spec } = due;
  if (!due.entry) await store.create(spec.name, due.storedSpec, run.signal);
  const before = due.inFlight?.order;
  const inherited = before && asksForTheSame(before, spec, issuer) ? before : undefined;
  const pending: PendingOrder = {
    key: inherited?.key ?? (await keys.generate(spec.key)),
    keyType: spec.key,
    issuer: issuer.directory,
    profile: issuer.profile,
    domains: spec.domains,
    run: run.id,
    deadline: run.deadline,
    spec: due.storedSpec,
  };
  const claim = await store.claim(spec.name, pending, due.inFlight?.version, run.signal);
  if (claim === 'held') return 'held';
  const entry = await store.describe(spec.name, run.signal);
  return entry ? { version: claim.version, pending, entry, inheritedKey: inherited !== undefined } : 'held';
}

/** Whether an order in flight is for what the specification asks now. */
export function asksForTheSame(order: PendingOrder, spec: CertificateSpec, issuer: IssuerSpec): boolean {
  return (
    order.issuer === issuer.directory &&
    order.profile === issuer.profile &&
    order.keyType === spec.key &&
    sameNames(order.domains, spec.domains)
  );
}
