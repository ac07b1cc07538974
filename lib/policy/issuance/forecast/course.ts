// The course of one certificate through a forecast: from order to order.
import { renewalMs } from '../published-limits.ts';
import type { OrderRequest } from '../rate-limits.ts';
import { renewalTime } from '../renewal-time.ts';
import { reusedUntil } from '../valid-authorizations.ts';
import type { IssuanceTerms } from './published-terms.ts';
import { type ForecastRules, provedUntil } from './rules.ts';
import type { ForecastSubject } from './subject.ts';

/** A certificate that is ordered again and again. */
export interface Course {
  readonly subject: ForecastSubject;
  readonly desired: NonNullable<ForecastSubject['desired']>;
  /** When its next order falls due. */
  due: Date;
  /** Validity of the version in use; absent before the first. */
  life: { readonly notBefore: Date; readonly notAfter: Date } | undefined;
  /** Until when the CA asks for no new proof of its names. */
  provedUntil: Date;
  /** When the CA's limits let the order through that waits for them. */
  reservedAt: Date | undefined;
  /** How many orders were forecast. */
  orders: number;
}

/** The course of a certificate that nothing keeps from being renewed; else `undefined`. */
export function openCourse(subject: ForecastSubject, rules: ForecastRules): Course | undefined {
  const { desired, due, certificate } = subject;
  if (!desired || !due) return undefined;
  return {
    subject,
    desired,
    due,
    life: certificate,
    provedUntil: provedAtFirst(subject, rules),
    reservedAt: undefined,
    orders: 0,
  };
}

/** By what the CA said last of its authorizations, unless the call says how long it reuses them. */
function provedAtFirst({ state, desired }: ForecastSubject, { now, start, reuseMs }: ForecastRules): Date {
  const known = state.authorizations;
  if (!known || known.profile !== desired?.profile) return new Date(0);
  if (reuseMs !== undefined && start <= now) return provedUntil(known.readAt, reuseMs);
  return reusedUntil(known);
}

/** Share of its lifetime that a certificate's renewal window goes on after the renewal was due, at a CA whose
 *  limits are known: Let's Encrypt's window is a hundredth wide on each side. */
const windowShare = 0.01;

/** The order as the CA's limits count it. */
export function requestOf(course: Course, at: Date): OrderRequest {
  const { subject, desired, life, due } = course;
  const { name, names, registeredDomains, certificate, isOfFile } = subject;
  const isFirst = course.orders === 0;
  const window = isFirst ? certificate?.window : undefined;
  const ageMs = life ? at.getTime() - life.notBefore.getTime() : Number.POSITIVE_INFINITY;
  const lifetimeMs = life ? life.notAfter.getTime() - life.notBefore.getTime() : 0;
  const isSame = !isFirst || (certificate?.names === names && certificate.issuer === desired.directory);
  const isInWindow = isFirst
    ? window !== undefined && window.start <= at && at <= window.end
    : at.getTime() - due.getTime() <= lifetimeMs * windowShare;
  return {
    name,
    directory: desired.directory,
    registeredDomains,
    names,
    replaces: life !== undefined && isInWindow,
    renewal: life !== undefined && isSame && ageMs < renewalMs,
    urgent: life ? ageMs > lifetimeMs * 0.75 : isOfFile,
  };
}

/** Whether the order must prove its names: not while a validation serves. */
export function needsProof(course: Course, at: Date): boolean {
  return at >= course.provedUntil;
}

/** Whether nothing changes in DNS for its orders, because its records are lasting. */
export function hasLastingRecords({ desired: { issuer } }: Course, { inventory }: ForecastRules): boolean {
  const spec = Object.hasOwn(inventory.issuers, issuer) ? inventory.issuers[issuer] : undefined;
  return spec?.challenge === 'dns-persist-01';
}

/** How long an order takes, most of it until every server of DNS knows its TXT values. A certificate begins
 *  so long after its pass: what is renewed at a whole number of passes comes a pass later each time. */
const orderMs = 90_000;

/** Ends an order: the version that it gives, and when that is renewed. */
export function advance(course: Course, at: Date, { lifetimeMs, reuseMs }: IssuanceTerms): void {
  if (needsProof(course, at)) course.provedUntil = provedUntil(at, reuseMs);
  const notBefore = new Date(at.getTime() + orderMs);
  const next = { notBefore, notAfter: new Date(notBefore.getTime() + lifetimeMs) };
  course.life = next;
  course.due = renewalTime({ ...next, fingerprint: '', renewBeforeMs: course.desired.renewBeforeMs });
  course.reservedAt = undefined;
  course.orders += 1;
}
