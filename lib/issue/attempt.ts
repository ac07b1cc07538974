// One certificate's way through a wave: claimed, ordered, stored; and what is remembered of it afterwards.
import { verifyBundle } from '../certificate/bundle.ts';
import { versionOfOrder } from '../certificate/stored.ts';
import { AcmeError, CertrelayError } from '../errors.ts';
import type { Decision } from '../policy/checks.ts';
import type { CertificateAuthority, TxtValue } from '../ports.ts';
import { type Claim, claimCertificate, type DueCertificate } from './claim.ts';
import { judgeClaimed } from './gather.ts';
import {
  coversNames,
  findOrder,
  type OpenOrder,
  obtainCertificate,
  openNewOrder,
  validateOrder,
} from './order.ts';
import type { IssuePorts, OrderingPorts, Run } from './run.ts';

/** `held`: another run has it. `kept`: by now it needs nothing. `open`: an order is open. `stored`: an earlier run
 *  stored this order's certificate already and only clean-up is left. */
export type Attempt =
  | { readonly kind: 'held' }
  | { readonly kind: 'kept'; readonly claim: Claim; readonly decision: Decision }
  | {
      readonly kind: 'open';
      readonly claim: Claim;
      readonly ca: CertificateAuthority;
      readonly open: OpenOrder;
      /** Values of an order that this one replaces. */
      readonly leftovers: readonly TxtValue[];
    }
  | { readonly kind: 'stored'; readonly claim: Claim; readonly leftovers: readonly TxtValue[] };

/** A step failed after the certificate was claimed. */
export class AttemptError extends Error {
  readonly claim: Claim;
  readonly open: OpenOrder | undefined;
  /** The CA may have issued, or still be issuing, for the claim's key: key and claim must be kept. */
  readonly mayBeIssued: boolean;
  constructor(claim: Claim, open: OpenOrder | undefined, cause: unknown, mayBeIssued = false) {
    super('attempt failed', { cause });
    this.claim = claim;
    this.open = open;
    this.mayBeIssued = mayBeIssued;
  }
}

/** Claims the certificate, judges it again and opens its order: the one of an earlier run where that can still be used.
 *  @throws AttemptError once it is claimed, else the adapter's error. */
export async function beginAttempt(
  due: DueCertificate,
  ports: IssuePorts & OrderingPorts,
  run: Run,
): Promise<Attempt> {
  const issuer = run.inventory.issuers[due.spec.issuer];
  if (!issuer) throw new CertrelayError('UnknownIssuer', `the inventory has no issuer "${due.spec.issuer}"`);
  const claim = await claimCertificate(due, issuer, ports, run);
  if (claim === 'held') return { kind: 'held' };
  if (due.inFlight)
    ports.log.info('claim taken over', { certificate: due.spec.name, version: claim.version });
  try {
    const unfinished = due.inFlight !== undefined && claim.entry.state.order !== undefined;
    if (!unfinished && !due.forced) {
      const decision = await judgeClaimed(due.spec, claim.entry, ports, run);
      if (decision.decision !== 'order') return { kind: 'kept', claim, decision };
    }
    return await openOrder(due, claim, ports, run);
  } catch (error) {
    throw error instanceof AttemptError ? error : new AttemptError(claim, undefined, error);
  }
}

async function openOrder(
  due: DueCertificate,
  claim: Claim,
  { connect, store, log }: IssuePorts & OrderingPorts,
  run: Run,
): Promise<Attempt> {
  const { spec } = due;
  const ca = await connect(spec.issuer, run.signal);
  const before = claim.entry.state.order;
  const found = before === undefined ? undefined : await findOrder(before, ca, run.signal);
  if (found && claim.entry.current === versionOfOrder(found.order.url)) {
    return { kind: 'stored', claim, leftovers: found.toCleanUp };
  }
  if (found && isUsable(found, claim)) {
    log.info('order resumed', { certificate: spec.name, names: spec.domains, orderUrl: found.order.url });
    return { kind: 'open', claim, ca, open: found, leftovers: [] };
  }
  const order = await ca.newOrder({ domains: spec.domains, profile: claim.pending.profile }, run.signal);
  // Before any TXT is written: a crash after this line loses nothing.
  await store.record(spec.name, { order: order.url }, run.signal);
  log.info('order created', { certificate: spec.name, names: spec.domains, orderUrl: order.url });
  try {
    const open = await openNewOrder(order, ca, run.signal);
    return { kind: 'open', claim, ca, open, leftovers: found?.toCleanUp ?? [] };
  } catch (error) {
    throw new AttemptError(claim, found, error);
  }
}

/** A finalized order holds the key of its request: only that key's owner can use the certificate. */
function isUsable(found: OpenOrder, claim: Claim): boolean {
  const { status } = found.order;
  if (status === 'invalid' || !coversNames(found, claim.pending.domains)) return false;
  return claim.inheritedKey || status === 'pending' || status === 'ready';
}

/** Validates, finalizes, verifies and stores. @throws AttemptError. */
export async function finishAttempt(
  due: DueCertificate,
  { claim, ca, open }: Extract<Attempt, { kind: 'open' }>,
  { keys, store, clock, log }: IssuePorts & OrderingPorts,
  run: Run,
): Promise<{ readonly chain: string; readonly version: string }> {
  const { pending } = claim;
  const { name, domains } = due.spec;
  let finalizing = false;
  try {
    const validated = await validateOrder(open, ca, clock, run.signal);
    const csr = await keys.request(pending.key, domains);
    finalizing = true;
    const chain = await obtainCertificate(validated, csr, ca, clock, run.signal);
    const verified = verifyBundle({ chain, key: pending.key, domains });
    if (!verified.ok) {
      throw new CertrelayError(
        'BadCertificate',
        `the CA issued a certificate that is not the one ordered (${verified.message}); it was not stored`,
      );
    }
    const version = versionOfOrder(open.order.url);
    const { key, issuer, profile, spec } = pending;
    await store.put(name, { chain, key, issuer, profile, spec }, version, run.signal);
    const { notAfter } = verified.bundle.facts;
    log.info('certificate issued', {
      certificate: name,
      names: domains,
      orderUrl: open.order.url,
      version,
      notAfter,
    });
    return { chain, version };
  } catch (error) {
    const refused = error instanceof AcmeError && (error.code === 'Problem' || error.code === 'Invalid');
    throw new AttemptError(claim, open, error, finalizing && !refused);
  }
}
