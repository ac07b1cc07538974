// After a failure, a test CA validates the names first: an order that would fail again costs nothing there.

import type { CertificateSpec } from '../../certificate/spec.ts';
import { AcmeError } from '../../ports/acme.ts';
import { DnsError, type TxtValue } from '../../ports/dns.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { TxtJournal } from '../../state/orders.ts';
import { IssueError } from '../errors.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import { recordValues } from './journal.ts';
import { openNewOrder } from './order.ts';
import { validateOrder } from './validation.ts';

/** How a rehearsal ended. `failure`: the order itself would fail too. */
export interface Rehearsal {
  /** TXT values that the rehearsal may have left in DNS, and the journal that contains them. */
  readonly written: readonly TxtValue[];
  readonly journal?: TxtJournal | undefined;
  readonly failure?: Error;
}

/** Has another CA validate the names, by an order that is never finalized. An outage of that CA is no
 *  failure: nobody goes without a certificate because a test CA is down. Never rejects.
 *  @param issuer Key of `Inventory.issuers`. Absent: does nothing. */
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
    const open = await openNewOrder(order, spec, { ca, clock }, invocation.signal);
    const journal = await recordValues({ name, open }, store, invocation.signal);
    rehearsal = { written: open.toPresent, journal };
    await presentOwn([...open.toPresent, ...open.toKeep], ports, invocation);
    await validateOrder(open, { ca, clock }, invocation.signal);
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

/** Writes the values in a change of their own, so that a certificate that failed before does not delay
 *  others. @throws DnsError. */
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

/** Whether the names or their DNS failed, and not the test CA. */
function isAboutNames(error: Error): boolean {
  if (error instanceof DnsError) return true;
  if (!(error instanceof AcmeError)) return false;
  const status = error.problem?.status ?? 0;
  return error.code === 'Invalid' || (error.code === 'Problem' && status >= 400 && status < 429);
}
