// Polls an order until the CA has gone on with it.

import { type PollProgress, poll } from '../../async/poll.ts';
import type { Order } from '../../ports/acme.ts';
import { IssueError } from '../errors.ts';
import type { OrderPorts } from './authorizations.ts';

/** Pauses between two reads of an order if the CA does not say how long (Retry-After), in milliseconds. */
const pausesMs = [50, 100, 200, 400, 800, 1_500, 3_000, 5_000] as const;
const minPauseMs = 50;
const maxPauseMs = 30_000;
/** How long an order is polled, in milliseconds. CAs may take minutes (AWS's asks for 600 s); a slower
 *  order waits for the next run. */
const timeoutMs = 600_000;

/** What ends a poll. */
export interface FollowOptions {
  readonly isDone: (seen: Order) => boolean;
  /** Called with each order that was read and is not done; what it throws ends the poll. Absent: nothing. */
  readonly look?: (seen: Order) => Promise<void>;
  /** How long the order is polled, in milliseconds; 0: it is not read again. Default: 10 minutes. */
  readonly pollMs?: number | undefined;
}

/** Polls the order until `isDone`, as often as the CA asks (Retry-After) or at growing pauses, and returns
 *  the order of then. @throws IssueError `Unfinished` after `pollMs`, AcmeError. */
export async function followOrder(
  order: Order,
  { isDone, look, pollMs = timeoutMs }: FollowOptions,
  { ca, clock }: OrderPorts,
  signal: AbortSignal,
): Promise<Order> {
  const polled = await poll(
    async () => {
      const seen = await ca.readOrder(order.url, signal);
      if (!isDone(seen)) await look?.(seen);
      return seen;
    },
    isDone,
    { clock, signal, pauseMs: nextPauseMs, untilMs: clock.now().getTime() + pollMs, first: order },
  );
  if (polled.kind === 'done') return polled.seen;
  if (polled.kind === 'aborted') throw signal.reason;
  const { status, certificate } = polled.seen;
  const state = status === 'valid' && certificate === undefined ? 'valid without a certificate' : status;
  throw new IssueError(
    'Unfinished',
    `order ${order.url} is still ${state}${pollMs > 0 ? ` after ${pollMs / 60_000} minutes` : ''}; the next run looks again`,
  );
}

/** The pause that the CA asks for, within bounds, or else a growing one, in milliseconds. */
export function nextPauseMs({ seen, pauses }: PollProgress<Pick<Order, 'retryAfterMs'>>): number {
  const pause = seen.retryAfterMs ?? pausesMs[Math.min(pauses, pausesMs.length - 1)] ?? maxPauseMs;
  return Math.min(Math.max(pause, minPauseMs), maxPauseMs);
}
