// Has the names of an order proved, and learns from the same answers until when the proof serves.

import { poll } from '../../async/poll.ts';
import { AcmeError, type Authorization, type Order } from '../../ports/acme.ts';
import type { OrderPorts } from './authorizations.ts';
import { nextPauseMs } from './follow.ts';
import type { OpenOrder } from './order.ts';
import { answerChallenges, awaitValidated } from './validation.ts';

/** How long one authorization is looked at before the order is, and how long the CA may take to show it, in
 *  milliseconds. */
const looksMs = 3_000;
const readingMs = 10_000;

/** An order whose names are proved. */
export interface ProvedOrder {
  readonly order: Order;
  /** Whether only an authorization says so: the CA may call the order pending for a while. */
  readonly isPresumed: boolean;
  /** An authorization that was proved now, as the CA shows it since. Absent if none was seen. */
  readonly proved?: Authorization | undefined;
}

/** Answers the challenges and waits until the names are proved. At first it looks at the authorization that
 *  was answered last, and not at the order, because that one tells until when it serves. If one record proves
 *  all names, that look is enough: an order is ready once its authorizations are valid (RFC 8555 §7.1.6).
 *  @throws as `validateOrder`. */
export async function proveNames(
  open: OpenOrder,
  ports: OrderPorts,
  signal: AbortSignal,
): Promise<ProvedOrder> {
  const { order } = open;
  if (order.status !== 'pending') return { order, isPresumed: false };
  await answerChallenges(open, ports, signal);
  const proved = await watchLast(open, ports, signal);
  if (proved && haveOneRecord(open))
    return { order: { ...order, status: 'ready' }, isPresumed: true, proved };
  return { order: await awaitValidated(open, ports, signal), isPresumed: false, proved };
}

/** The authorization that was answered last, once it is valid. `undefined` if the order has to tell more: it
 *  failed, takes long or cannot be read, or the CA wants to be asked later. A lasting record is looked at for
 *  every order, so that its end tells nothing. */
async function watchLast(
  { authorizations, toKeep }: OpenOrder,
  { ca, clock }: OrderPorts,
  signal: AbortSignal,
): Promise<Authorization | undefined> {
  const last = authorizations.filter(({ status }) => status === 'pending').at(-1);
  if (!last || toKeep.length > 0) return undefined;
  const inTime = AbortSignal.any([signal, clock.timeout(readingMs)]);
  try {
    const { seen } = await poll<Authorization>(
      () => ca.readAuthorization(last.url, inTime),
      ({ status, retryAfterMs }) => status !== 'pending' || retryAfterMs !== undefined,
      {
        clock,
        signal: inTime,
        pauseMs: nextPauseMs,
        untilMs: clock.now().getTime() + looksMs,
        first: { ...last, retryAfterMs: undefined },
      },
    );
    return seen?.status === 'valid' ? seen : undefined;
  } catch (error) {
    if (error instanceof AcmeError) return undefined;
    throw error;
  }
}

/** Whether one TXT record proves all names of the order that are to be proved: a name and its wildcard. */
function haveOneRecord({ authorizations }: OpenOrder): boolean {
  const pending = authorizations.filter(({ status }) => status === 'pending');
  return new Set(pending.map(({ name }) => name)).size === 1;
}
