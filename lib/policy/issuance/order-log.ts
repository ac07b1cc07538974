// When and for what a certificate was ordered lately.
import type { OrderLog } from '../../state/orders.ts';

/** No known limit looks further back, and more orders than this are counted by other limits first. */
const longestMs = 7 * 24 * 3_600_000;
const most = 20;

/** The log after one more order at `now`. Drops orders at other directories: their limits are separate. */
export function addOrder(past: OrderLog | undefined, order: Omit<OrderLog, 'times'>, now: Date): OrderLog {
  const times = past?.directory === order.directory ? past.times : [];
  const recent = [...times.filter((time) => now.getTime() - time.getTime() < longestMs), now].slice(-most);
  return { ...order, times: recent };
}
