// One certificate's way through a batch: claimed, ordered, validated, stored.

import { registeredDomain } from '../../certificate/name-parsing.ts';
import { type StoredCertificate, versionOfOrder } from '../../certificate/stored.ts';
import type { Decision } from '../../policy/issuance/decision.ts';
import { addOrder } from '../../policy/issuance/order-log.ts';
import { resumes } from '../../policy/issuance/resume.ts';
import { areAuthorized } from '../../policy/issuance/valid-authorizations.ts';
import type { CertificateAuthority } from '../../ports/acme.ts';
import type { ChallengeRecords, TxtValue } from '../../ports/dns.ts';
import { toError } from '../../ports/errors.ts';
import type { StoreEntry } from '../../ports/store.ts';
import type { ValidAuthorizations } from '../../state/orders.ts';
import { isSameValue } from '../../state/same.ts';
import { IssueError } from '../errors.ts';
import { type DueCertificate, judgeClaimed } from '../gather/gather.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import { type Claim, claimCertificate } from './claim.ts';
import { recordValues, valuesOfEarlierRuns } from './journal.ts';
import { findOrder, type OpenOrder, openNewOrder } from './order.ts';
import { rehearse } from './rehearsal.ts';
import type { SerialQueue } from './serial-queue.ts';
import { type EarlyLook, keepsOrder, lookEarly } from './slow.ts';

/** How far one certificate has come. `written`: TXT values that its orders may have in DNS. */
export type Attempt =
  /** Another run orders the certificate. */
  | { readonly kind: 'claimedByOther' }
  /** The CA still works on the order of an earlier run: nothing was claimed. */
  | { readonly kind: 'slow'; readonly orderUrl: string }
  /** Judged again under the claim, it needs no order, or must wait. */
  | {
      readonly kind: 'kept';
      readonly claim: Claim;
      readonly decision: Decision;
      readonly written: readonly TxtValue[];
    }
  | OpenAttempt
  /** An earlier run stored the certificate of this order, and did not record it. */
  | { readonly kind: 'stored'; readonly claim: Claim; readonly written: readonly TxtValue[] }
  | {
      readonly kind: 'issued';
      readonly claim: Claim;
      readonly written: readonly TxtValue[];
      readonly chain: string;
      readonly requestedNames: StoredCertificate['requestedNames'];
      readonly version: string;
      readonly orderUrl: string;
      /** What the CA said of its authorizations; absent if it said nothing new. */
      readonly authorizations: ValidAuthorizations | undefined;
    }
  | FailedAttempt;

/** A certificate whose order is open. */
export interface OpenAttempt {
  readonly kind: 'open';
  readonly claim: Claim;
  readonly ca: CertificateAuthority;
  readonly open: OpenOrder;
  /** Whether this run made the order: then no earlier run has written its TXT values. */
  readonly isNew: boolean;
  readonly written: readonly TxtValue[];
}

/** A certificate that was not issued. */
export interface FailedAttempt {
  readonly kind: 'failed';
  /** Absent if it failed before the certificate was claimed. */
  readonly claim?: Claim | undefined;
  readonly orderUrl?: string | undefined;
  readonly written: readonly TxtValue[];
  readonly error: Error;
  /** Whether the CA may have issued, or still issues, for the claim's key: then the claim stays, with its
   *  key. */
  readonly mayBeIssued: boolean;
  /** Whether an order was given up that the CA had carried out: the next one need not wait for days. */
  readonly isGivenUp?: true;
}

/** Claims the certificate, judges it again and opens its order: the one of an earlier run if that is still
 *  usable, else a new one. Before that it looks at an order that the CA takes long for: while the CA works on
 *  it, nothing is claimed. `queue`: makes the new orders of a batch one after another. Never rejects. */
export async function beginAttempt(
  due: DueCertificate,
  queue: SerialQueue,
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<Attempt> {
  const { spec, situation } = due;
  let claim: Claim | undefined;
  try {
    const early = await lookEarly(due, ports, invocation.signal);
    if (early?.isWorking) return { kind: 'slow', orderUrl: early.orderUrl };
    const claimed = await claimCertificate(due, ports, invocation);
    if (claimed === 'claimedByOther') return { kind: 'claimedByOther' };
    claim = claimed;
    if (situation.pending)
      ports.log.info('claim taken over', { certificate: spec.name, version: claim.version });
    const entry = await ports.store.describe(spec.name, invocation.signal);
    if (!entry) throw new IssueError('Failed', `the AWS secret of ${spec.name} was deleted meanwhile`);
    claim = { ...claim, entry };
    const { order } = entry.state;
    if (order !== undefined && entry.current === versionOfOrder(order))
      return { kind: 'stored', claim, written: valuesOfEarlierRuns(claim) };
    if (!resumes(situation.pending, entry.state) && !situation.forced) {
      const decision = await judgeClaimed(due, entry, ports, invocation);
      if (decision.decision !== 'order')
        return { kind: 'kept', claim, decision, written: valuesOfEarlierRuns(claim) };
    }
    return await openOrder({ due, claim, entry, queue, early }, ports, invocation);
  } catch (cause) {
    const written = claim ? valuesOfEarlierRuns(claim) : [];
    const error = toError(cause);
    const mayBeIssued = claim !== undefined && keepsOrder(claim, spec, error, ports.clock.now());
    return { kind: 'failed', claim, written, error, mayBeIssued };
  }
}

async function openOrder(
  {
    due,
    claim,
    entry,
    queue,
    early,
  }: {
    readonly due: DueCertificate;
    readonly claim: Claim;
    readonly entry: StoreEntry;
    readonly queue: SerialQueue;
    readonly early: EarlyLook | undefined;
  },
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<Attempt> {
  const { connect, store, records, clock, log } = ports;
  const { spec, situation } = due;
  const { name, domains } = spec;
  const { current, state } = entry;
  const { desired } = situation;
  const left = valuesOfEarlierRuns(claim);
  const ca = await connect(desired.issuer, invocation.signal);
  const { profile } = claim.pending;
  const owner = { directory: ca.directory, ...(profile && { profile }) };
  const ordered = { ...claim.pending, isOwn: claim.inheritedKey, early };
  if (state.order !== undefined && isSameValue(state.orderFor, owner)) {
    const found = await findOrder(state.order, ordered, { ca, clock }, invocation.signal);
    if (!('useless' in found) && isUsable(found, claim)) {
      await recordValues({ name, open: found, journal: state.txt }, store, invocation.signal);
      log.info('order resumed', { certificate: name, names: domains, orderUrl: found.order.url });
      return { kind: 'open', claim, ca, open: found, isNew: false, written: [...left, ...found.toPresent] };
    }
    const problem = 'useless' in found ? found.useless : 'it was finalized with another key';
    log.warn('order not resumed', { certificate: name, names: domains, orderUrl: state.order, problem });
  }
  let orderUrl: string | undefined;
  let written = left;
  try {
    // Before a new order replaces, on the tags, the one that wrote them.
    if (left.length > 0) await removeValues(left, records, invocation);
    const { accountUrl } = ca;
    const isAuthorized = areAuthorized(state.authorizations, { accountUrl, profile, domains }, clock.now());
    const rehearsal = await rehearse(spec, isAuthorized ? undefined : desired.rehearsal, ports, invocation);
    written = [...left, ...rehearsal.written];
    if (rehearsal.failure) throw rehearsal.failure;
    const replaces =
      state.version === current && state.issuer === ca.directory ? state.certificateId : undefined;
    const order = await queue.run(async () => {
      const made = await ca.newOrder(
        { domains, profile: claim.pending.profile, replaces },
        invocation.signal,
      );
      orderUrl = made.url;
      // Recorded before anything else, so that a crash after this line loses no order.
      const registeredDomains = [...new Set(domains.map(registeredDomain))];
      const orders = addOrder(state.orders, { directory: ca.directory, registeredDomains }, clock.now());
      // The CA asks for a proof, whatever it said before.
      const over = made.status === 'pending' && state.authorizations ? { authorizations: null } : {};
      await store.record(name, { order: orderUrl, orderFor: owner, orders, ...over }, invocation.signal);
      return made;
    });
    log.info('order created', { certificate: name, names: domains, orderUrl });
    const open = await openNewOrder(order, spec, { ca, clock }, invocation.signal);
    await recordValues({ name, open, journal: rehearsal.journal }, store, invocation.signal);
    return { kind: 'open', claim, ca, open, isNew: true, written: [...rehearsal.written, ...open.toPresent] };
  } catch (cause) {
    return { kind: 'failed', claim, orderUrl, written, error: toError(cause), mayBeIssued: false };
  }
}

async function removeValues(
  values: readonly TxtValue[],
  records: ChallengeRecords,
  { signal }: IssueInvocation,
): Promise<void> {
  const { failed } = await records.cleanUp(values, signal);
  for (const error of failed.values()) throw error;
}

/** Whether this claim has the key of the order. A finalized order has one; before that, any key will do. */
function isUsable(found: OpenOrder, claim: Claim): boolean {
  const { status } = found.order;
  return claim.inheritedKey || status === 'pending' || status === 'ready';
}
