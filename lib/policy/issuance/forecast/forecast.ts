// The forecast: what will be ordered, delivered and paid, from today's state alone.
import { isSecretTarget } from '../../../certificate/spec.ts';
import { type Bill, billMonth } from '../../cost/bill.ts';
import { pricesReadAt } from '../../cost/prices.ts';
import { estimateUse, type InstallationSize, monthMs } from '../../cost/use.ts';
import { daysUntil } from '../../health/margin.ts';
import { describeNotes } from './forecast-notes.ts';
import type { IssuerForecast } from './issuer-tally.ts';
import { ForecastLedger, type LateOrder, type WaitingDelivery, type WaitingOrder } from './ledger.ts';
import type { ObstacleReason, RenewalObstacle } from './obstacles.ts';
import { followPasses } from './passes.ts';
import type { ForecastRules } from './rules.ts';
import { describeSubject, type ForecastSubject, type ObservedCertificate } from './subject.ts';
import { type ForecastDay, Shortener, type ShortList } from './tally.ts';

/** A certificate that is not renewed, or whose targets do not get the version in use. Texts may come from
 *  strangers. */
export interface NotRenewed {
  readonly certificate: string;
  readonly reason: ObstacleReason;
  /** One line. */
  readonly message: string;
  readonly since: Date | null;
  /** When it may go on by itself; `null`: nobody knows, or a person must act. */
  readonly until: Date | null;
  /** The end of the version in use; `null`: none is stored, or tags do not tell. */
  readonly notAfter: Date | null;
  readonly expiresInDays: number | null;
}

/** What will happen. Lists have their first entries, and the number of the others. */
export interface Forecast {
  readonly at: Date;
  /** What is told: from then, until before then. */
  readonly from: Date;
  readonly until: Date;
  /** Hours between two passes of `issue`: an order comes so much later than it is due, at most. */
  readonly issueEveryHours: number;
  /** What was assumed, and what is not known, in sentences. */
  readonly notes: readonly string[];
  readonly summary: {
    readonly certificates: number;
    readonly renewals: number;
    readonly firstOrders: number;
    readonly deliveries: number;
    /** Deliveries that wait for a window. */
    readonly waitingDeliveries: number;
    /** Deliveries that do not come, because a newer version is there before their window. */
    readonly supersededDeliveries: number;
    /** Orders that wait for a limit of their CA. */
    readonly waitingOrders: number;
    /** Certificates that end before they are ordered. */
    readonly lateOrders: number;
    readonly notRenewed: number;
    readonly values: number;
    readonly zoneChanges: number;
    /** Orders for which nothing changes in DNS: a validation serves, or its records are lasting. */
    readonly ordersWithoutChange: number;
  };
  /** The days on which something happens, in UTC. */
  readonly days: readonly ForecastDay[];
  /** Those with the most orders, three at most. */
  readonly busiestDays: readonly { readonly day: string; readonly orders: number }[];
  /** The soonest end first. */
  readonly notRenewed: ShortList<NotRenewed>;
  readonly lateOrders: ShortList<LateOrder>;
  readonly waitingOrders: ShortList<WaitingOrder>;
  readonly waitingDeliveries: ShortList<WaitingDelivery>;
  readonly issuers: readonly IssuerForecast[];
  /** A month of 30 days, as the time of the forecast is on average. */
  readonly cost: Bill & { readonly days: number; readonly pricesReadAt: string };
}

/** What there is around the certificates. */
export interface ForecastSurroundings extends Pick<InstallationSize, 'intervals' | 'hasEventBus'> {
  readonly region: string | undefined;
}

const mostNotRenewed = 200;
const mostBusy = 3;
const hourMs = 3_600_000;

/** Forecasts orders, deliveries and cost. The same observations give the same forecast.
 *  @param observed Every certificate that the inventory lists or that has an AWS secret of ours, once. */
export function forecastIssuance(
  observed: readonly ObservedCertificate[],
  rules: ForecastRules,
  surroundings: ForecastSurroundings,
): Forecast {
  const { now, start, inventory, intervalMs } = rules;
  const subjects = observed.map((one) => describeSubject(one, inventory, now));
  const ledger = new ForecastLedger(rules);
  for (const subject of subjects) ledger.open(subject);
  const until = followPasses(subjects, rules, ledger);
  ledger.close(subjects);
  const { totals } = ledger.days;
  const notRenewed = listNotRenewed(subjects, ledger.ended, now);
  const days = ledger.days.list();
  const issuers = ledger.issuers();
  return {
    at: now,
    from: start,
    until,
    issueEveryHours: intervalMs / hourMs,
    notes: describeNotes({ subjects, issuers, until }, rules),
    summary: {
      certificates: observed.length,
      renewals: totals.renewals,
      firstOrders: totals.firstOrders,
      deliveries: totals.deliveries,
      waitingDeliveries: ledger.waitingDeliveries.count,
      supersededDeliveries: ledger.superseded,
      waitingOrders: ledger.waitingOrders.count,
      lateOrders: ledger.late.count,
      notRenewed: notRenewed.count,
      values: totals.values,
      zoneChanges: totals.zoneChanges,
      ordersWithoutChange: ledger.reused,
    },
    days,
    busiestDays: findBusiestDays(days),
    notRenewed: notRenewed.get(),
    lateOrders: ledger.late.get(),
    waitingOrders: ledger.waitingOrders.get(),
    waitingDeliveries: ledger.waitingDeliveries.get(),
    issuers,
    cost: { ...estimateCost(subjects, ledger, { rules, surroundings, until }), days: 30, pricesReadAt },
  };
}

function listNotRenewed(
  subjects: readonly ForecastSubject[],
  ended: ReadonlyMap<string, Date>,
  now: Date,
): Shortener<NotRenewed> {
  const found = subjects.flatMap((subject) => {
    const obstacle = subject.obstacle ?? describeEnd(ended.get(subject.name)) ?? subject.frozen;
    return obstacle ? [describeNotRenewed(subject, obstacle, now)] : [];
  });
  const end = ({ notAfter }: NotRenewed) => notAfter?.getTime() ?? Number.MAX_SAFE_INTEGER;
  const list = new Shortener<NotRenewed>(mostNotRenewed);
  for (const one of found.toSorted((first, other) => end(first) - end(other))) list.add(one);
  return list;
}

function describeEnd(since: Date | undefined): RenewalObstacle | undefined {
  if (!since) return undefined;
  const message = 'the inventory does not allow it, and its time of grace ends';
  return { reason: 'NotAllowed', message, since };
}

function describeNotRenewed(
  { name, certificate }: ForecastSubject,
  { reason, message, since, until }: RenewalObstacle,
  now: Date,
): NotRenewed {
  const notAfter = certificate?.notAfter;
  return {
    certificate: name,
    reason,
    message,
    since: since ?? null,
    until: until ?? null,
    notAfter: notAfter ?? null,
    expiresInDays: notAfter ? daysUntil(notAfter, now) : null,
  };
}

function findBusiestDays(days: readonly ForecastDay[]): Forecast['busiestDays'] {
  return days
    .map(({ day, renewals, firstOrders }) => ({ day, orders: renewals + firstOrders }))
    .filter(({ orders }) => orders > 0)
    .toSorted((one, other) => other.orders - one.orders)
    .slice(0, mostBusy);
}

function estimateCost(
  subjects: readonly ForecastSubject[],
  { days: { totals }, batches }: ForecastLedger,
  {
    rules: { start, inventory },
    surroundings: { region, ...others },
    until,
  }: {
    readonly rules: ForecastRules;
    readonly surroundings: ForecastSurroundings;
    readonly until: Date;
  },
): Bill {
  const perMonth = monthMs / Math.max(1, until.getTime() - start.getTime());
  const clusters = Object.keys(inventory.clusters).length;
  const delivered = inventory.certificates.reduce(
    (sum, { targets }) => sum + new Set(targets.filter(isSecretTarget).map(({ cluster }) => cluster)).size,
    0,
  );
  const registered = subjects.filter(({ isOfFile, targets }) => !isOfFile && targets.length > 0).length;
  const size = {
    certificates: subjects.length,
    // The accounts' keys, the record of the installation, the signing secrets of webhook and statements.
    otherSecrets: Object.keys(inventory.issuers).length + 3,
    deliveredValues: delivered + registered * Math.max(1, clusters),
    clusters,
    hasOwnKey: inventory.kmsKey !== undefined,
    ...others,
  };
  const work = {
    orders: (totals.renewals + totals.firstOrders) * perMonth,
    orderBatches: batches * perMonth,
    deliveries: totals.deliveries * perMonth,
    zoneChanges: totals.zoneChanges * perMonth,
  };
  return billMonth(estimateUse(size, work), region);
}
