// Follows the passes of `issue` through a forecast: what each orders, what must wait for the CA's limits.
import { limitsOf } from '../published-limits.ts';
import { Budgets, historyOf, type NeededBucket, type OrderRequest } from '../rate-limits.ts';
import { advance, type Course, openCourse, requestOf } from './course.ts';
import type { IssuanceTerms } from './published-terms.ts';
import { type ForecastRules, termsAt } from './rules.ts';
import type { ForecastSubject } from './subject.ts';

/** The most orders that one forecast follows: what a function of 512 MB does in some ten seconds. */
export const mostOrders = 500_000;

/** Within this time a message goes on with an order that waits; else the next pass does (SQS). */
const longestMessageMs = 900_000;

/** Is told what happens, in the order of time but for some hours. */
export interface PassObserver {
  /** An order, before its course goes on.
   *  @param needed The limits that count it. */
  readonly onOrder: (course: Course, at: Date, order: CountedOrder) => void;
  /** An order that must wait for a limit, from `at` until `until`. */
  readonly onWait: (course: Course, wait: LimitWait) => void;
  /** A certificate that is not renewed any more, because its time of grace is over. */
  readonly onEnd: (course: Course, at: Date) => void;
}

/** An order, as the CA's limits count it. */
export interface CountedOrder {
  /** What the CA gives. */
  readonly terms: IssuanceTerms;
  readonly request: OrderRequest;
  readonly needed: readonly NeededBucket[];
}

/** An order that must wait. */
export interface LimitWait {
  readonly limit: NeededBucket;
  readonly at: Date;
  readonly until: Date;
}

/** Follows all passes until the end of the forecast. Returns when it stopped, which is earlier only if there
 *  are more orders than it follows. */
export function followPasses(
  subjects: readonly ForecastSubject[],
  rules: ForecastRules,
  observer: PassObserver,
): Date {
  const { now, end, intervalMs } = rules;
  const history = subjects.flatMap((subject) => historyOf(subject, now));
  const budgets = new Budgets(history, limitsOf, now);
  const agenda = new Agenda(rules);
  for (const subject of subjects) {
    const course = openCourse(subject, rules);
    if (course) agenda.add(course, course.due);
  }
  let orders = 0;
  for (let pass = 0; now.getTime() + pass * intervalMs < end.getTime(); pass += 1) {
    const passAt = new Date(now.getTime() + pass * intervalMs);
    if (orders >= mostOrders) return passAt;
    // One that lives shorter than a pass is due again in the same one; it waits for the next.
    for (const course of agenda.take(pass).toSorted(compareUrgency)) {
      const at = course.reservedAt ?? passAt;
      const { graceUntil } = course.subject;
      if (graceUntil && at >= graceUntil) {
        observer.onEnd(course, graceUntil);
        continue;
      }
      const order = countOrder(course, at, { budgets, rules });
      const wait = course.reservedAt ? undefined : reserve(course, at, { order, rules });
      if (wait) {
        observer.onWait(course, wait);
        agenda.add(course, wait.until);
        continue;
      }
      observer.onOrder(course, at, order);
      advance(course, at, order.terms);
      agenda.add(course, course.due, pass + 1);
      orders += 1;
    }
  }
  return end;
}

/** Certificates by the pass that is the next to look at them. */
class Agenda {
  readonly #rules: ForecastRules;
  readonly #passes = new Map<number, Course[]>();

  constructor(rules: ForecastRules) {
    this.#rules = rules;
  }

  add(course: Course, at: Date, earliest = 0): void {
    const { now, end, intervalMs } = this.#rules;
    if (at >= end) return;
    const pass = Math.max(earliest, Math.ceil((at.getTime() - now.getTime()) / intervalMs));
    const courses = this.#passes.get(pass);
    if (courses) courses.push(course);
    else this.#passes.set(pass, [course]);
  }

  take(pass: number): readonly Course[] {
    const courses = this.#passes.get(pass) ?? [];
    this.#passes.delete(pass);
    return courses;
  }
}

function countOrder(
  course: Course,
  at: Date,
  { budgets, rules }: { readonly budgets: Budgets; readonly rules: ForecastRules },
): CountedOrder {
  const request = requestOf(course, at);
  const needed = budgets.neededBy(request);
  for (const { bucket } of needed) bucket.advance(at);
  const { desired, life } = course;
  return { request, needed, terms: termsAt(desired, { at, before: lifetimeOf(life) }, rules) };
}

/** `undefined` also of tags that somebody has written so that it ends before it begins. */
function lifetimeOf(life: Course['life']): number | undefined {
  const lifetimeMs = life ? life.notAfter.getTime() - life.notBefore.getTime() : 0;
  return lifetimeMs > 0 ? lifetimeMs : undefined;
}

/** Takes the order's part of each limit. `undefined` if it may go at once, else what it waits for. */
function reserve(
  course: Course,
  at: Date,
  { order: { request, needed }, rules }: { readonly order: CountedOrder; readonly rules: ForecastRules },
): LimitWait | undefined {
  const waits = needed.map((limit) => ({ limit, waitMs: limit.bucket.waitMs(request.urgent) }));
  const longest = waits.toSorted((one, other) => other.waitMs - one.waitMs)[0];
  for (const { bucket } of needed) bucket.spend();
  if (!longest || longest.waitMs === 0) return undefined;
  const until = at.getTime() + longest.waitMs;
  // A message comes back as each token does, if that is soon; else the first pass after it orders.
  const isSoon = longest.limit.bucket.limit.refillMs <= longestMessageMs;
  const passes = Math.ceil((until - rules.now.getTime()) / rules.intervalMs);
  course.reservedAt = new Date(isSoon ? until : rules.now.getTime() + passes * rules.intervalMs);
  return { limit: longest.limit, at, until: course.reservedAt };
}

/** As the plan of a pass: those without a certificate first, then those that end next. */
function compareUrgency(one: Course, other: Course): number {
  const ends = (one.life?.notAfter.getTime() ?? 0) - (other.life?.notAfter.getTime() ?? 0);
  return ends || (one.subject.name < other.subject.name ? -1 : 1);
}
