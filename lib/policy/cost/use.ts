// Estimates what an installation uses of AWS in a month: its passes, and its work.
import type { MonthlyUse } from './bill.ts';
import { stackUse } from './stack.ts';

/** What there is. */
export interface InstallationSize {
  /** AWS secrets of certificates. */
  readonly certificates: number;
  /** Other AWS secrets of Certrelay: accounts, the installation's record, signing secrets. */
  readonly otherSecrets: number;
  /** Values that one pass of `deploy` reads: one for each cluster that a certificate goes to. */
  readonly deliveredValues: number;
  /** Clusters that `deploy` hands over to an invocation each. */
  readonly clusters: number;
  /** Time between two scheduled calls, in milliseconds; no entry for a function without a schedule. */
  readonly intervals: Readonly<Partial<Record<'issue' | 'deploy' | 'probe' | 'status' | 'discover', number>>>;
  /** Whether events go to a bus. */
  readonly hasEventBus: boolean;
  /** Whether certificates are encrypted with a KMS key of one's own: counted as if all were. */
  readonly hasOwnKey: boolean;
}

/** What it does in a month. */
export interface MonthlyWork {
  readonly orders: number;
  /** Batches in which these are ordered: each waits for its TXT values. */
  readonly orderBatches: number;
  readonly deliveries: number;
  readonly zoneChanges: number;
}

/** A month of a bill, in milliseconds: 30 days. */
export const monthMs = 30 * 86_400_000;

/** Entries of a page of ListSecrets. */
const pageSize = 100;
/** Calls of Secrets Manager for one order (claim, tags, version, labels), one delivery (its record), and a
 *  pass beside its pages. */
const callsOf = { order: 12, delivery: 2, pass: 4 } as const;
/** Seconds of an invocation: starting and closing; a page; a value, of which 16 are read at once; a batch of
 *  orders, most of which is waiting for DNS; a delivery, most of which is waiting for pods. */
const secondsOf = { pass: 1, page: 0.05, value: 0.03 / 16, batch: 90, delivery: 10 } as const;
/** Kilobytes of log. */
const kilobytesOf = { pass: 2, order: 4, delivery: 3 } as const;
const kilobytesOfGb = 1_000_000;
/** Lambda asks each queue from five places, each for up to 20 seconds, also when nothing is in it. */
const queueRequestsMs = 20_000 / 5;
/** Messages for one order or delivery, each sent, received and deleted. */
const requestsOfMessage = 3;

/** Requests to KMS for one order: two each for its key and its certificate. */
const keyRequestsOfOrder = 4;

/** Estimates a month's use. Mails and calls of people are left out. */
export function estimateUse(size: InstallationSize, work: MonthlyWork): MonthlyUse {
  const passes = (name: keyof InstallationSize['intervals']) => {
    const interval = size.intervals[name];
    return interval === undefined ? 0 : monthMs / interval;
  };
  const names = ['issue', 'deploy', 'probe', 'status', 'discover'] as const;
  const scheduled = names.reduce((sum, name) => sum + passes(name), 0);
  const invocations = scheduled + passes('deploy') * size.clusters;
  const pages = Math.ceil(size.certificates / pageSize) * (invocations - passes('discover'));
  // Once a day each value is compared with its tags.
  const values = size.deliveredValues * passes('deploy') + size.certificates * 30;
  const { order, delivery, pass } = callsOf;
  const seconds =
    invocations * secondsOf.pass +
    pages * secondsOf.page +
    values * secondsOf.value +
    work.orderBatches * secondsOf.batch +
    work.deliveries * secondsOf.delivery;
  const requests = invocations + work.orders + work.deliveries;
  const kilobytes =
    requests * kilobytesOf.pass + work.orders * kilobytesOf.order + work.deliveries * kilobytesOf.delivery;
  return {
    secret: size.certificates + size.otherSecrets,
    secretCall: pages + values + invocations * pass + work.orders * order + work.deliveries * delivery,
    ...(size.hasOwnKey ? { kmsKey: 1, kmsRequest: values + work.orders * keyRequestsOfOrder } : {}),
    lambdaRequest: requests,
    lambdaGbSecond: seconds * stackUse.memoryGb,
    alarmMetric: stackUse.alarmMetrics,
    customMetric: stackUse.customMetrics,
    dashboard: stackUse.dashboards,
    logGb: kilobytes / kilobytesOfGb,
    logGbMonth: kilobytes / kilobytesOfGb,
    event: size.hasEventBus ? work.orders + work.deliveries : 0,
    schedulerCall: scheduled,
    queueRequest:
      (stackUse.queues * monthMs) / queueRequestsMs + (work.orders + work.deliveries) * requestsOfMessage,
    zoneChange: work.zoneChanges,
  };
}
