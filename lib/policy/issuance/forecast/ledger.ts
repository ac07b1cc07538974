// Writes down what happens in a forecast: by day, by CA, by zone, and what waits.
import { batchSize } from '../prediction.ts';
import { type Course, hasLastingRecords, needsProof } from './course.ts';
import { type IssuerForecast, IssuerTally } from './issuer-tally.ts';
import type { CountedOrder, LimitWait, PassObserver } from './passes.ts';
import type { ForecastRules } from './rules.ts';
import type { ForecastSubject } from './subject.ts';
import { DayTally, Shortener } from './tally.ts';
import { DeliveryTimes, type ForecastDelivery, type ForecastTarget } from './targets.ts';

/** A target that gets a version later than it is there. */
export interface WaitingDelivery {
  readonly certificate: string;
  readonly target: string;
  /** When the version is there. */
  readonly from: Date;
  /** When the target gets it; `null`: none of its windows opens within 15 days, and nothing urges. */
  readonly until: Date | null;
  /** Whether it comes outside of its windows, because the certificate that is there ends soon. */
  readonly isUrgent: boolean;
}

/** An order that waits for a limit of its CA. */
export interface WaitingOrder {
  readonly certificate: string;
  /** `new orders`, `certificates for example.com`. */
  readonly limit: string;
  readonly from: Date;
  readonly until: Date;
}

/** A certificate that ends before it is ordered. */
export interface LateOrder {
  readonly certificate: string;
  readonly notAfter: Date;
  readonly orderedAt: Date;
}

/** How far a target is. */
interface TargetStand {
  /** Whether it has ever got a version, and the end of what it holds. */
  readonly isThere: boolean;
  readonly until: Date | undefined;
  /** The version that it gets next. */
  readonly pending?:
    | { readonly delivery: ForecastDelivery; readonly sentAt: Date; readonly notAfter: Date }
    | undefined;
}

/** Names of one day, and entries of one list. */
const mostNames = 10;
const mostEntries = 100;

/** Writes everything down. */
export class ForecastLedger implements PassObserver {
  readonly days: DayTally;
  readonly waitingDeliveries = new Shortener<WaitingDelivery>(mostEntries);
  readonly waitingOrders = new Shortener<WaitingOrder>(mostEntries);
  readonly late = new Shortener<LateOrder>(mostEntries);
  /** Ends of renewals by the end of a time of grace, by certificate. */
  readonly ended = new Map<string, Date>();
  /** Deliveries that a newer version takes the place of, because they wait too long. */
  superseded = 0;
  /** Batches of orders, and orders that the CA asks no new proof for. */
  batches = 0;
  reused = 0;
  readonly #rules: ForecastRules;
  readonly #times = new DeliveryTimes();
  /** By certificate, one for each target. */
  readonly #stands = new Map<string, readonly TargetStand[]>();
  readonly #issuers = new Map<string, IssuerTally>();
  /** Orders and zones of the current instant, by directory. */
  #pass = { at: 0, orders: new Map<string, number>(), zones: new Set<string>() };

  constructor(rules: ForecastRules) {
    this.#rules = rules;
    this.days = new DayTally(rules.start, rules.end, mostNames);
  }

  /** Writes down which targets have not got the version in use yet. */
  open({ name, certificate, frozen, targets }: ForecastSubject): void {
    if (!certificate) return;
    const { notBefore: begin, notAfter } = certificate;
    const version = { begin, notAfter, at: this.#rules.now };
    const stands = targets.map((target): TargetStand => {
      const isOpen = target.isOpen && !frozen;
      const held = { isThere: target.isThere, until: target.isOpen ? target.holdsUntil : notAfter };
      return isOpen ? this.#send(target, held, version) : held;
    });
    this.#stands.set(name, stands);
  }

  /** Writes down the deliveries that no later order supersedes. To be called once, at the end. */
  close(subjects: readonly ForecastSubject[]): void {
    for (const { name, targets } of subjects)
      for (const [index, target] of targets.entries()) this.#arrive(name, target, this.#standOf(name, index));
  }

  onOrder(course: Course, at: Date, { request, needed, terms }: CountedOrder): void {
    const { subject, desired, life } = course;
    this.#deliverAll(course, at, terms.lifetimeMs);
    if (!this.days.covers(at)) return;
    const { name } = subject;
    this.days.name(at, name);
    this.days.add(at, life ? 'renewals' : 'firstOrders');
    if (life && at >= life.notAfter)
      this.late.add({ certificate: name, notAfter: life.notAfter, orderedAt: at });
    this.#proveNames(course, at);
    this.#tallyOf(desired.directory).order(desired.issuer, at, {
      needed,
      isExempt: request.replaces || request.renewal,
    });
  }

  onWait({ subject, desired }: Course, { limit, at, until }: LimitWait): void {
    if (!this.days.covers(at)) return;
    this.waitingOrders.add({ certificate: subject.name, limit: limit.what, from: at, until });
    this.#tallyOf(desired.directory).wait(limit, at);
  }

  onEnd({ subject: { name } }: Course, at: Date): void {
    this.ended.set(name, at);
  }

  /** What was counted of each CA. */
  issuers(): readonly IssuerForecast[] {
    return [...this.#issuers.values()].map((tally) => tally.get());
  }

  #tallyOf(directory: string): IssuerTally {
    const tally = this.#issuers.get(directory) ?? new IssuerTally(directory);
    this.#issuers.set(directory, tally);
    return tally;
  }

  /** What has not arrived by now never does: the targets get the newer version instead. */
  #deliverAll({ subject, life }: Course, at: Date, lifetimeMs: number): void {
    const version = { begin: at, at, notAfter: new Date(at.getTime() + lifetimeMs) };
    const stands = subject.targets.map((target, index) => {
      const stand = this.#standOf(subject.name, index);
      const { pending } = stand;
      const hasArrived = pending?.delivery.at !== undefined && pending.delivery.at <= at;
      if (pending && !hasArrived && this.days.covers(pending.sentAt)) this.superseded += 1;
      const held = hasArrived ? this.#arrive(subject.name, target, stand) : stand;
      return this.#send(target, { isThere: held.isThere, until: held.until ?? life?.notAfter }, version);
    });
    this.#stands.set(subject.name, stands);
  }

  #standOf(certificate: string, index: number): TargetStand {
    return this.#stands.get(certificate)?.[index] ?? { isThere: false, until: undefined };
  }

  #send(
    { windows }: ForecastTarget,
    { isThere, until }: Pick<TargetStand, 'isThere' | 'until'>,
    { begin, at, notAfter }: { readonly begin: Date; readonly at: Date; readonly notAfter: Date },
  ): TargetStand {
    const delivery = this.#times.find({ windows, isThere }, until, { begin, at });
    return { isThere, until, pending: { delivery, sentAt: at, notAfter } };
  }

  #arrive(certificate: string, { target = '' }: ForecastTarget, stand: TargetStand): TargetStand {
    const { pending } = stand;
    if (!pending) return stand;
    const { delivery, sentAt, notAfter } = pending;
    const { at, waits, isUrgent } = delivery;
    if (at) this.days.add(at, 'deliveries');
    if (waits && this.days.covers(sentAt))
      this.waitingDeliveries.add({ certificate, target, from: sentAt, until: at ?? null, isUrgent });
    return { isThere: true, until: notAfter };
  }

  #proveNames(course: Course, at: Date): void {
    const { subject, desired } = course;
    if (at.getTime() !== this.#pass.at)
      this.#pass = { at: at.getTime(), orders: new Map(), zones: new Set() };
    const { orders, zones } = this.#pass;
    const count = orders.get(desired.directory) ?? 0;
    orders.set(desired.directory, count + 1);
    if (count % batchSize === 0) this.batches += 1;
    if (!needsProof(course, at) || hasLastingRecords(course, this.#rules)) {
      this.reused += 1;
      return;
    }
    this.days.add(at, 'values', subject.values ?? 1);
    for (const zone of subject.registeredDomains) {
      const key = `${desired.directory} ${Math.floor(count / batchSize)} ${zone}`;
      if (zones.has(key)) continue;
      zones.add(key);
      this.days.add(at, 'zoneChanges', 2);
    }
  }
}
