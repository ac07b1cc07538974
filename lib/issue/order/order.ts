// One ACME order (RFC 8555 §7.4): found again or new, its challenges, and its way to a certificate.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { type PollProgress, poll } from '../../async/poll.ts';
import { maxNames, sameNames, withoutWildcard } from '../../certificate/names.ts';
import { oneLine } from '../../policy/bounds.ts';
import { AcmeError, type Authorization, type CertificateAuthority, type Order } from '../../ports/acme.ts';
import type { TxtValue } from '../../ports/dns.ts';
import { describeError } from '../../ports/errors.ts';
import { IssueError } from '../errors.ts';
import {
  type OrderedNames,
  type OrderPorts,
  readAuthorizations,
  readChallenges,
  requireOnePerName,
} from './authorizations.ts';

/** Pauses between two reads of an order if the CA does not say how long (Retry-After), in milliseconds. */
const pausesMs = [50, 100, 200, 400, 800, 1_500, 3_000, 5_000] as const;
const minPauseMs = 50;
const maxPauseMs = 30_000;
/** How long an order is polled, in milliseconds. CAs may take minutes (AWS's asks for 600 s); a slower
 *  order waits for the next run. */
const timeoutMs = 600_000;
/** The longest explanation of a failure, and the longest name in it, in characters. */
const maxExplanation = 4_000;
const maxNameLength = 260;
/** Challenges of one order that are answered at once. */
const concurrency = 8;

/** An order with what its challenges need. */
export interface OpenOrder {
  readonly order: Order;
  readonly authorizations: readonly Authorization[];
  /** TXT values that must be visible before the challenges are answered. */
  readonly toPresent: readonly TxtValue[];
  /** TXT values that must be visible too, and that stay for later orders (dns-persist-01). */
  readonly toKeep: readonly TxtValue[];
  /** Why names are proved by dns-01 although the issuer's challenge is dns-persist-01. */
  readonly fallbackReason?: string | undefined;
}

/** Reads the order of an earlier run. `useless`: why it cannot be used, for example because the CA no
 *  longer knows it, or it is for other names. @throws AcmeError if the CA does not answer. */
export async function findOrder(
  url: string,
  ordered: OrderedNames,
  ports: OrderPorts,
  signal: AbortSignal,
): Promise<OpenOrder | { readonly useless: string }> {
  try {
    const order = await ports.ca.readOrder(url, signal);
    if (order.names && !sameNames(order.names, ordered.domains)) return { useless: 'it is for other names' };
    if (order.status === 'invalid') return { useless: 'it is invalid' };
    // After validation nothing is to be proved. Only an order that does not repeat its names needs its
    // authorizations read.
    const isValidated = order.status !== 'pending' && order.names !== undefined;
    const open = isValidated
      ? withoutChallenges(order, ordered)
      : { order, ...(await readChallenges(order, ordered, ports, signal)) };
    return coversNames(open, ordered.domains) ? open : { useless: 'it is for other names' };
  } catch (error) {
    if (isGone(error)) return { useless: describeError(error) };
    throw error;
  }
}

/** Whether the CA does not know the order: orders expire, belong to one account, and a tag may contain any
 *  URL. */
function isGone(error: unknown): boolean {
  if (!(error instanceof AcmeError)) return false;
  const status = error.problem?.status ?? 0;
  return error.code === 'Malformed' || (status >= 400 && status < 500 && status !== 429);
}

/** Reads what a new order needs proved. An order that is ready already needs nothing: the CA has valid
 *  authorizations. @throws AcmeError `Malformed` if the CA wants names proved that were not ordered,
 *  `Unreachable` if it takes too long. */
export async function openNewOrder(
  order: Order,
  ordered: OrderedNames,
  ports: OrderPorts,
  signal: AbortSignal,
): Promise<OpenOrder> {
  if (order.status !== 'pending') return withoutChallenges(order, ordered);
  return { order, ...(await readChallenges(order, ordered, ports, signal)) };
}

function withoutChallenges(order: Order, ordered: OrderedNames): OpenOrder {
  requireOnePerName(order, ordered);
  return { order, authorizations: [], toPresent: [], toKeep: [] };
}

/** Answers the challenges and polls the order until its validation has ended. Returns the order of then.
 *  @throws AcmeError `Invalid` with the CA's words for each name that failed, IssueError `Unfinished`
 *  after 10 minutes. */
export async function validateOrder(
  { order, authorizations }: OpenOrder,
  { ca, clock }: OrderPorts,
  signal: AbortSignal,
): Promise<Order> {
  if (order.status !== 'pending') return order;
  const unanswered = authorizations.flatMap((authorization) => {
    const challenge = authorization.status === 'pending' ? ca.proofOf(authorization)?.challenge : undefined;
    return challenge?.status === 'pending' ? [challenge.url] : [];
  });
  await mapConcurrently(unanswered, concurrency, (url) => ca.answerChallenge(url, signal));
  const validated = await follow(order, 'pending', { ca, clock }, signal);
  if (validated.status === 'invalid') throw await explainFailure(validated, { ca, clock }, signal);
  return validated;
}

/** Finalizes the order if that is still to do, polls it until it is valid and returns the PEM chain.
 *  `csr`: PEM. @throws AcmeError `Invalid` if the order ended invalid, IssueError `Unfinished` after 10
 *  minutes. */
export async function obtainCertificate(
  validated: Order,
  csr: string,
  { ca, clock }: OrderPorts,
  signal: AbortSignal,
): Promise<string> {
  const finalized = validated.status === 'ready' ? await finalize(validated, csr, ca, signal) : validated;
  const order = await follow(finalized, 'processing', { ca, clock }, signal);
  if (order.status === 'valid') return ca.downloadCertificate(order, signal);
  if (order.status === 'invalid') throw await explainFailure(order, { ca, clock }, signal);
  throw new AcmeError('Malformed', `order ${order.url} is ${order.status} after it was finalized`);
}

/** Finalizes the order. If the CA's answer leaves it open whether it did, the order itself is read. */
async function finalize(
  order: Order,
  csr: string,
  ca: CertificateAuthority,
  signal: AbortSignal,
): Promise<Order> {
  try {
    return await ca.finalize(order, csr, signal);
  } catch (error) {
    const furtherAlready = error instanceof AcmeError && error.problem?.type === 'orderNotReady';
    if (!furtherAlready && !isUnsure(error)) throw error;
    const now = await ca.readOrder(order.url, signal);
    if (now.status === 'ready' || now.status === 'pending') throw error;
    return now;
  }
}

/** Whether the CA may have carried out a request that failed: it gave no answer, one without sense, or a
 *  5xx. */
export function isUnsure(error: unknown): boolean {
  if (!(error instanceof AcmeError)) return true;
  if (error.code === 'Problem') return (error.problem?.status ?? 0) >= 500;
  return error.code !== 'Invalid' && error.code !== 'Unsupported';
}

/** Polls the order until it leaves `status`, as often as the CA asks (Retry-After) or at growing pauses. */
async function follow(
  order: Order,
  status: Order['status'],
  { ca, clock }: OrderPorts,
  signal: AbortSignal,
): Promise<Order> {
  const polled = await poll(
    () => ca.readOrder(order.url, signal),
    (seen) => seen.status !== status,
    { clock, signal, pauseMs: nextPauseMs, untilMs: clock.now().getTime() + timeoutMs, first: order },
  );
  if (polled.kind === 'done') return polled.seen;
  if (polled.kind === 'aborted') throw signal.reason;
  const minutes = timeoutMs / 60_000;
  throw new IssueError(
    'Unfinished',
    `order ${order.url} is still ${status} after ${minutes} minutes; the next run looks again`,
  );
}

function nextPauseMs({ seen, pauses }: PollProgress<Order>): number {
  const pause = seen.retryAfterMs ?? pausesMs[Math.min(pauses, pausesMs.length - 1)] ?? maxPauseMs;
  return Math.min(Math.max(pause, minPauseMs), maxPauseMs);
}

/** Why an order ended invalid, in the CA's words: by its authorizations' challenges, or else by the order
 *  itself. */
async function explainFailure(order: Order, ports: OrderPorts, signal: AbortSignal): Promise<AcmeError> {
  const few = { ...order, authorizations: order.authorizations.slice(0, maxNames) };
  const authorizations = await readAuthorizations(few, ports, signal).catch((error: unknown) => {
    if (error instanceof AcmeError && error.code === 'Malformed') return [];
    throw error;
  });
  const failed = authorizations.flatMap((authorization) => {
    const problem = authorization.challenges.find((challenge) => challenge.problem)?.problem;
    return problem ? [{ name: oneLine(authorization.name, maxNameLength), problem }] : [];
  });
  const [first] = failed;
  const problem = first?.problem ??
    order.problem ?? { type: 'serverInternal', detail: 'the CA does not say why', identifiers: [] };
  const all = failed.map(({ name, problem }) => `${name}: ${problem.detail}`).join('; ');
  const detail = failed.length > 0 ? oneLine(all, maxExplanation) : problem.detail;
  return new AcmeError('Invalid', `order ${order.url} is ${order.status}: ${problem.type}: ${detail}`, {
    problem: { ...problem, detail, identifiers: failed.map(({ name }) => name) },
  });
}

/** Whether the order is for exactly these names, by itself or by its authorizations (wildcards without
 *  their `*.`). */
function coversNames({ order, authorizations }: OpenOrder, domains: readonly string[]): boolean {
  if (order.names) return sameNames(order.names, domains);
  const bare = (names: readonly string[]) => [...new Set(names.map(withoutWildcard))];
  return sameNames(bare(authorizations.map(({ name }) => name)), bare(domains));
}
