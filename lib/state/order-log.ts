// When and for what a certificate was ordered lately, in one line that tags can hold.

/** Orders of one certificate at one CA. */
export interface OrderLog {
  /** Directory URL they went to. */
  readonly directory: string;
  /** Registered domains of the names. */
  readonly registeredDomains: readonly string[];
  /** Oldest first. */
  readonly times: readonly Date[];
}

/** No known limit looks further back, and more orders than this are counted by other limits first. */
const longestMs = 7 * 24 * 3_600_000;
const most = 20;

/** The line after one more order at `now`. Orders at another directory are forgotten: their limits are others. */
export function addOrder(text: string | undefined, order: Omit<OrderLog, 'times'>, now: Date): string {
  const past = parseOrderLog(text);
  const times = past?.directory === order.directory ? past.times : [];
  const recent = [...times.filter((time) => now.getTime() - time.getTime() < longestMs), now].slice(-most);
  const seconds = recent.map((time) => Math.floor(time.getTime() / 1000)).join(',');
  return [order.directory, order.registeredDomains.join(','), seconds].join(' ');
}

/** What a line says; `undefined` where it is absent or somebody else's. */
export function parseOrderLog(text: string | undefined): OrderLog | undefined {
  const [directory, domains, seconds, ...rest] = (text ?? '').split(' ');
  if (!directory || !domains || !seconds || rest.length > 0) return undefined;
  const times = seconds
    .split(',')
    .map((part) => new Date(/^\d{1,11}$/.test(part) ? Number(part) * 1000 : Number.NaN));
  if (times.some((time) => Number.isNaN(time.getTime()))) return undefined;
  return { directory, registeredDomains: domains.split(','), times };
}
