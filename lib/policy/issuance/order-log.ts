// The log of recent orders of a certificate: when, where and for which domains.
import type { OrderLog } from '../../state/orders.ts';

/** How long an order stays in the log, in milliseconds (no known limit looks further back), and the most
 *  orders in it. */
const longestMs = 7 * 24 * 3_600_000;
const most = 20;

/** The log after one more order at `now`. Drops orders at other directories: their limits are separate. */
export function addOrder(past: OrderLog | undefined, order: Omit<OrderLog, 'times'>, now: Date): OrderLog {
  const times = past?.directory === order.directory ? past.times : [];
  const recent = [...times.filter((time) => now.getTime() - time.getTime() < longestMs), now].slice(-most);
  return { ...order, times: recent };
}
