// Has the names of an order validated: answers its challenges and follows its authorizations (RFC 8555
// §7.5).

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { maxNames } from '../../certificate/names.ts';
import { AcmeError, type Authorization, type Order } from '../../ports/acme.ts';
import { explainFailure, type OrderPorts, readAuthorizations } from './authorizations.ts';
import { followOrder } from './follow.ts';
import type { OpenOrder } from './order.ts';
import { describeRefusals, isOver } from './refusals.ts';

/** Challenges of one order that are answered at once. */
const concurrency = 8;
/** How long an order may be pending before its authorizations are read, and the longest time between two
 *  readings, in milliseconds. Validation rarely takes longer, and each reading costs a request a name. */
const firstReadingMs = 3_000;
const longestPauseMs = 60_000;

/** Answers the challenges and polls the order until its validation has ended. Returns the order of then.
 *  @throws AcmeError `Invalid` with the CA's words for each name that failed, also if only its authorization
 *  says so; IssueError `Unfinished` after 10 minutes. */
export async function validateOrder(open: OpenOrder, ports: OrderPorts, signal: AbortSignal): Promise<Order> {
  if (open.order.status !== 'pending') return open.order;
  await answerChallenges(open, ports, signal);
  return awaitValidated(open, ports, signal);
}

/** Answers the challenges of an order whose names are not all proved. @throws AcmeError. */
export async function answerChallenges(
  { order, authorizations }: OpenOrder,
  ports: OrderPorts,
  signal: AbortSignal,
): Promise<void> {
  const pending = authorizations.filter(({ status }) => status === 'pending');
  await mapConcurrently(pending, concurrency, (one) => answer(one, order, ports, signal));
}

/** Polls a pending order until its validation has ended. Returns the order of then. @throws as
 *  `validateOrder`. */
export async function awaitValidated(
  { order, authorizations }: OpenOrder,
  ports: OrderPorts,
  signal: AbortSignal,
): Promise<Order> {
  const isDone = ({ status }: Order) => status !== 'pending';
  const look = watchAuthorizations(authorizations, ports, signal);
  const validated = await followOrder(order, { isDone, look }, ports, signal);
  if (validated.status === 'invalid') throw await explainFailure(validated, ports, signal);
  return validated;
}

/** Answers the challenge of a pending authorization, unless the CA validates it already. If the CA refuses,
 *  or its answer is lost, the authorization says whether it goes on all the same. */
async function answer(
  authorization: Authorization,
  order: Order,
  ports: OrderPorts,
  signal: AbortSignal,
): Promise<void> {
  const { ca } = ports;
  const challenge = ca.proofOf(authorization)?.challenge;
  if (challenge?.status !== 'pending') return;
  try {
    await ca.answerChallenge(challenge.url, signal);
  } catch (error) {
    if (!(error instanceof AcmeError) || error.problem?.type === 'rateLimited') throw error;
    const now = await ca.readAuthorization(authorization.url, signal).catch(() => {
      throw error;
    });
    if (isOver(now)) throw await explainFailure(order, ports, signal);
    const isTaken = now.challenges.some(({ url, status }) => url === challenge.url && status !== 'pending');
    if (now.status !== 'valid' && !isTaken) throw error;
  }
}

/** Reads the authorizations of an order that stays pending, at growing pauses: some CAs leave an order
 *  pending although one of them has failed. Those that were valid are read only if all were. */
function watchAuthorizations(
  authorizations: readonly Authorization[],
  ports: OrderPorts,
  signal: AbortSignal,
): (order: Order) => Promise<void> {
  const { clock } = ports;
  const isValid = new Map(authorizations.map(({ url, status }) => [url, status === 'valid']));
  let pauseMs = firstReadingMs;
  let nextMs = clock.now().getTime() + pauseMs;
  return async (order) => {
    if (clock.now().getTime() < nextMs) return;
    const unproved = order.authorizations.filter((url) => !isValid.get(url));
    const toRead = unproved.length > 0 ? unproved : order.authorizations;
    const read = await readAuthorizations(
      { ...order, authorizations: toRead.slice(0, maxNames) },
      ports,
      signal,
    );
    if (read.some(isOver)) throw describeRefusals(order, read);
    for (const { url, status } of read) isValid.set(url, status === 'valid');
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    nextMs = clock.now().getTime() + pauseMs;
  };
}
