// After a failure, another CA validates the names first: an order that would fail again is spent at a CA for tests.

import type { CertificateSpec } from '../../certificate/spec.ts';
import { AcmeError } from '../../ports/acme.ts';
import { DnsError, type TxtValue } from '../../ports/dns.ts';
import { describeError, toError } from '../../ports/errors.ts';
import { IssueError } from '../errors.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import { recordValues } from './journal.ts';
import { openNewOrder, validateOrder } from './order.ts';

/** What became of it. `failure`: the order itself would fail too. */
export interface Rehearsal {
  /** TXT values that it may have left in DNS, and the journal that has them. */
  readonly written: readonly TxtValue[];
  readonly journal?: string | undefined;
  readonly failure?: Error;
}

/** Has the names validated by an order that is never finalized. Where that CA cannot be asked, no failure is given: the outage
 *  of a CA for tests keeps nobody from a certificate. Never rejects.
 *  @param issuer The issuer that validates them; absent: nothing is done. */
export async function rehearse(
  spec: CertificateSpec,
  issuer: string | undefined,
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<Rehearsal> {
  if (issuer === undefined) return { written: [] };
  const { connect, store, clock, log } = ports;
  const { name, domains } = spec;
  let rehearsal: Rehearsal = { written: [] };
  try {
    const ca = await connect(issuer, invocation.signal);
    const { profile } = invocation.inventory.issuers[issuer] ?? {};
    const order = await ca.newOrder({ domains, profile }, invocation.signal);
    const open = await openNewOrder(order, spec, ca, invocation.signal);
    const journal = await recordValues(name, open, undefined, store, invocation.signal);
    rehearsal = { written: open.toPresent, journal };
    await presentOwn([...open.toPresent, ...open.toKeep], ports, invocation);
    await validateOrder(open, ca, clock, invocation.signal);
    log.info('order rehearsed', { certificate: name, issuer, orderUrl: order.url });
    return rehearsal;
  } catch (cause) {
    const error = toError(cause);
    if (invocation.signal.aborted) return { ...rehearsal, failure: error };
    if (!isAboutNames(error)) {
      log.warn('order not rehearsed', { certificate: name, issuer, problem: describeError(error) });
      return rehearsal;
    }
    const message = `nothing was ordered, because issuer ${issuer} would not have validated the names`;
    return { ...rehearsal, failure: new IssueError('Rehearsal', message, { cause: error }) };
  }
}

/** Not together with the orders of others: whoever failed before holds nobody up. @throws DnsError. */
async function presentOwn(
  values: readonly TxtValue[],
  { records, awaitVisible }: OrderingPorts,
  { signal }: IssueInvocation,
): Promise<void> {
  if (values.length === 0) return;
  const written = await records.present(values, signal);
  for (const error of written.failed.values()) throw error;
  const seen = await awaitVisible(values, signal);
  for (const error of seen.failed.values()) throw error;
}

/** Whether the names or their DNS are what failed, and not the CA that was asked. */
function isAboutNames(error: Error): boolean {
  if (error instanceof DnsError) return true;
  if (!(error instanceof AcmeError)) return false;
  const status = error.problem?.status ?? 0;
  return error.code === 'Invalid' || (error.code === 'Problem' && status >= 400 && status < 429);
}
