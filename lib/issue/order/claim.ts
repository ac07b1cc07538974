// Claims a certificate: of all runs that find it due, one goes on (AWSPENDING as compare-and-swap).

import { sameNames } from '../../certificate/names.ts';
import type { CertificateSpec } from '../../certificate/spec.ts';
import { type PendingOrder, registeredSpec } from '../../certificate/stored.ts';
import type { Source } from '../../policy/issuance/desired.ts';
import { versionDecisionsOf } from '../../policy/issuance/operator-decisions.ts';
import { describeDeleted } from '../../policy/retirement/retirement.ts';
import type { KeyMaker } from '../../ports/acme.ts';
import type { CertificateStore, StoreEntry } from '../../ports/store.ts';
import { IssueError } from '../errors.ts';
import type { DueCertificate } from '../gather/gather.ts';

/** The claim of a run that orders a certificate. */
export interface Claim {
  /** The version that has AWSPENDING. */
  readonly version: string;
  readonly pending: PendingOrder;
  /** Whether the key is that of the earlier run: only then is its finalized order of use. */
  readonly inheritedKey: boolean;
  /** The certificate's entry, read under the claim. Absent if it could not be read. */
  readonly entry?: StoreEntry;
}

/** Claims the certificate for its planned issuer; `claimedByOther` if another run was faster. A claim that
 *  is taken over keeps the key of its order if the specification still asks for the same certificate.
 *  @throws StoreError; IssueError `Failed` if its AWS secret is scheduled for deletion. */
export async function claimCertificate(
  due: DueCertificate,
  { store, keys }: { readonly store: CertificateStore; readonly keys: KeyMaker },
  invocation: { readonly id: string; readonly deadline: Date; readonly signal: AbortSignal },
): Promise<Claim | 'claimedByOther'> {
  const { spec, pendingOrder: before, situation } = due;
  const { directory, profile } = situation.desired;
  const made = due.entry ?? (await store.create(spec.name, registeredSpec(spec), invocation.signal));
  if (made === 'deleted') throw new IssueError('Failed', describeDeleted(spec.name));
  const former = [...new Set([...(before?.domains ?? []), ...(before?.formerDomains ?? [])])].filter(
    (domain) => !spec.domains.includes(domain),
  );
  const inherited = before && asksForTheSame(before, spec, { directory, profile }) ? before : undefined;
  const key =
    inherited?.key ?? (await keptKey(due, store, invocation.signal)) ?? (await keys.generate(spec.key));
  const pending: PendingOrder = {
    key,
    keyType: spec.key,
    issuer: directory,
    profile,
    domains: spec.domains,
    ...(former.length > 0 ? { formerDomains: former } : {}),
    run: invocation.id,
    deadline: invocation.deadline,
    ...(inherited?.unfinished ? { unfinished: inherited.unfinished } : {}),
    ...(inherited?.unfetched ? { unfetched: inherited.unfetched } : {}),
    spec: registeredSpec(spec),
  };
  const claim = await store.claim(spec.name, pending, situation.pending?.version, invocation.signal);
  return claim === 'claimedByOther'
    ? 'claimedByOther'
    : { version: claim.version, pending, inheritedKey: inherited !== undefined };
}

/** The key of the certificate in use, if the specification keeps keys. A key that was or will be revoked, or
 *  that somebody else may have, is not kept. */
async function keptKey(
  { spec, entry }: DueCertificate,
  store: CertificateStore,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (spec.rotateKey !== 'never' || entry?.state.key !== spec.key) return undefined;
  const { isRevoked, isRestored } = versionDecisionsOf(entry);
  if (entry.state.revoking !== undefined || isRevoked || isRestored) return undefined;
  const current = await store.read(spec.name, 'AWSCURRENT', signal);
  const isDescribed = current?.version === entry.state.version;
  return current?.value.kind === 'certificate' && isDescribed ? current.value.certificate.key : undefined;
}

/** Whether an order in flight is for what the specification asks now. */
export function asksForTheSame(
  order: PendingOrder,
  spec: CertificateSpec,
  source: Pick<Source, 'directory' | 'profile'>,
): boolean {
  return (
    order.issuer === source.directory &&
    order.profile === source.profile &&
    order.keyType === spec.key &&
    sameNames(order.domains, spec.domains)
  );
}
