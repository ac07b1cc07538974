// One certificate's way through a wave: claimed, ordered, validated, stored.
import { verifyBundle } from '../certificate/bundle.ts';
import { registeredDomain } from '../certificate/name-parsing.ts';
import { versionOfOrder } from '../certificate/stored.ts';
import type { ChallengeRecords, TxtValue } from '../dns-ports.ts';
import { IssueError, toError } from '../errors.ts';
import type { Decision } from '../policy/checks.ts';
import { addOrder } from '../policy/order-log.ts';
import type { CertificateAuthority, StoreEntry } from '../ports.ts';
import { type Claim, claimCertificate, type DueCertificate } from './claim.ts';
import { issuerFor, judgeClaimed } from './gather.ts';
import {
  coversNames,
  findOrder,
  isUnsure,
  type OpenOrder,
  obtainCertificate,
  openNewOrder,
  validateOrder,
} from './order.ts';
import type { IssuePorts, OrderingPorts, Run } from './run.ts';
import type { Turns } from './turns.ts';

/** How far one certificate has come. */
export type Attempt =
  /** Another run has it. */
  | { readonly kind: 'held' }
  /** By now it needs nothing, or must wait. */
  | { readonly kind: 'kept'; readonly claim: Claim; readonly decision: Decision }
  | OpenAttempt
  /** An earlier run stored this order's certificate; only clean-up is left. */
  | { readonly kind: 'stored'; readonly claim: Claim; readonly written: readonly TxtValue[] }
  | {
      readonly kind: 'issued';
      readonly claim: Claim;
      readonly written: readonly TxtValue[];
      readonly chain: string;
      readonly version: string;
      readonly orderUrl: string;
    }
  | FailedAttempt;

/** An order is open. */
export interface OpenAttempt {
  readonly kind: 'open';
  readonly claim: Claim;
  readonly ca: CertificateAuthority;
  readonly open: OpenOrder;
  /** Made by this run: no run before can have written its TXT values. */
  readonly isNew: boolean;
  /** TXT values that this order may have in DNS. */
  readonly written: readonly TxtValue[];
}

export interface FailedAttempt {
  readonly kind: 'failed';
  /** Absent where it failed before the certificate was claimed. */
  readonly claim?: Claim;
  readonly orderUrl?: string;
  readonly written: readonly TxtValue[];
  readonly error: Error;
  /** The CA may have issued, or still be issuing, for the claim's key: key and claim must be kept. */
  readonly mayBeIssued: boolean;
}

/** Claims the certificate, judges it again and opens its order: the one of an earlier run where that can still be used, or
 *  a new one when its turn has come. Never rejects. */
export async function beginAttempt(
  due: DueCertificate,
  turns: Turns,
  ports: IssuePorts & OrderingPorts,
  run: Run,
): Promise<Attempt> {
  const { spec } = due;
  let claim: Claim | undefined;
  try {
    const issuer = issuerFor(spec, run.inventory, due.entry, due.inFlight?.order);
    const claimed = await claimCertificate(due, issuer, ports, run);
    if (claimed === 'held') return { kind: 'held' };
    claim = claimed;
    if (due.inFlight) ports.log.info('claim taken over', { certificate: spec.name, version: claim.version });
    const entry = await ports.store.describe(spec.name, run.signal);
    if (!entry) throw new IssueError('Failed', `the AWS secret of ${spec.name} was deleted meanwhile`);
    claim = { ...claim, entry };
    const unfinished = due.inFlight !== undefined && entry.state.order !== undefined;
    if (!unfinished && !due.forced) {
      const decision = await judgeClaimed(spec, entry, ports, run);
      if (decision.decision !== 'order') return { kind: 'kept', claim, decision };
    }
    return await openOrder(due, claim, entry, turns, ports, run);
  } catch (thrown) {
    return { kind: 'failed', claim, written: [], error: toError(thrown), mayBeIssued: false };
  }
}

async function openOrder(
  { spec }: DueCertificate,
  claim: Claim,
  { current, state }: StoreEntry,
  turns: Turns,
  { connect, store, records, clock, log }: IssuePorts & OrderingPorts,
  run: Run,
): Promise<Attempt> {
  const ca = await connect(claim.issuer, run.signal);
  const owner = [ca.directory, claim.pending.profile ?? ''].join(' ');
  // An order of another CA is no business of this one's: asking for it would fail for ever.
  const isHere = state.order !== undefined && state.orderFor?.split(' ')[0] === ca.directory;
  const found =
    isHere && state.order !== undefined ? await findOrder(state.order, ca, run.signal) : undefined;
  const left = found?.toCleanUp ?? [];
  if (found && current === versionOfOrder(found.order.url)) return { kind: 'stored', claim, written: left };
  if (found && state.orderFor === owner && isUsable(found, claim)) {
    log.info('order resumed', { certificate: spec.name, names: spec.domains, orderUrl: found.order.url });
    return { kind: 'open', claim, ca, open: found, isNew: false, written: left };
  }
  let orderUrl: string | undefined;
  try {
    // Before the tag forgets the order that wrote them.
    if (left.length > 0) await removeLeft(left, records, run);
    const { domains } = spec;
    const replaces =
      state.version === current && state.issuer === ca.directory ? state.certificateId : undefined;
    const order = await turns.take(async () => {
      const made = await ca.newOrder({ domains, profile: claim.pending.profile, replaces }, run.signal);
      orderUrl = made.url;
      // Before any TXT is written: a crash after this line loses nothing.
      const registeredDomains = [...new Set(domains.map(registeredDomain))];
      const orders = addOrder(state.orders, { directory: ca.directory, registeredDomains }, clock.now());
      await store.record(spec.name, { order: orderUrl, orderFor: owner, orders }, run.signal);
      return made;
    });
    log.info('order created', { certificate: spec.name, names: domains, orderUrl });
    const open = await openNewOrder(order, ca, run.signal);
    return { kind: 'open', claim, ca, open, isNew: true, written: open.toCleanUp };
  } catch (thrown) {
    return { kind: 'failed', claim, orderUrl, written: left, error: toError(thrown), mayBeIssued: false };
  }
}

async function removeLeft(
  left: readonly TxtValue[],
  records: ChallengeRecords,
  { signal }: Run,
): Promise<void> {
  const { failed } = await records.cleanUp(left, signal);
  for (const error of failed.values()) throw error;
}

/** A finalized order holds the key of its request: only that key's owner can use the certificate. */
function isUsable(found: OpenOrder, claim: Claim): boolean {
  const { status } = found.order;
  if (status === 'invalid' || !coversNames(found, claim.pending.domains)) return false;
  return claim.inheritedKey || status === 'pending' || status === 'ready';
}

/** Validates, finalizes, verifies and stores. Never rejects. */
export async function finishAttempt(
  { spec: { name, domains } }: DueCertificate,
  { claim, ca, open, written }: OpenAttempt,
  { keys, store, clock, log }: IssuePorts & OrderingPorts,
  run: Run,
): Promise<Attempt> {
  const { pending } = claim;
  const orderUrl = open.order.url;
  let finalizing = false;
  try {
    const validated = await validateOrder(open, ca, clock, run.signal);
    const csr = await keys.request(pending.key, domains);
    finalizing = true;
    const issued = await obtainCertificate(validated, csr, ca, clock, run.signal);
    const verified = verifyBundle({ chain: issued, key: pending.key, domains });
    if (!verified.ok) {
      const message = `the CA issued a certificate that is not the one ordered (${verified.message}); it was not stored`;
      throw new IssueError('BadCertificate', message);
    }
    const version = versionOfOrder(orderUrl);
    // In its canonical spelling, so that what is stored and what is delivered are the same text.
    const { chain, key, facts } = verified.bundle;
    const { issuer, profile, spec } = pending;
    await store.put(name, { chain, key, issuer, profile, spec }, version, run.signal);
    const { notAfter } = facts;
    log.info('certificate issued', { certificate: name, names: domains, orderUrl, version, notAfter });
    return { kind: 'issued', claim, written, chain, version, orderUrl };
  } catch (thrown) {
    const error = toError(thrown);
    const useless = error instanceof IssueError && error.code === 'BadCertificate';
    return {
      kind: 'failed',
      claim,
      orderUrl,
      written,
      error,
      mayBeIssued: finalizing && !useless && isUnsure(error),
    };
  }
}
