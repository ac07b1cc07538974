// When a certificate is due for renewal.

/** What the instant of renewal depends on. */
export interface RenewalFacts {
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the leaf, hex. */
  readonly fingerprint: string;
  /** The user's wish: this long before `notAfter`, in milliseconds. */
  readonly renewBeforeMs?: number | undefined;
  /** The window that the CA suggests (RFC 9773 §4.2). `isFresh`: it has just said so, and no tag could
   *  have changed it. */
  readonly window?:
    | { readonly start: Date; readonly end: Date; readonly isFresh?: boolean | undefined }
    | undefined;
}

const dayMs = 86_400_000;

/** The instant when renewal is due, never before `notBefore` nor after `notAfter`. Inside the CA's window
 *  if it offers one (RFC 9773 §4.2). Else after two thirds of the lifetime, or after half if that is under
 *  10 days. A `renewBefore` that fits the lifetime replaces the fraction; it counts before the window only
 *  if it is earlier. A window that only tags know postpones renewal at most until half of the time is left
 *  that would be left without it. The same certificate always gives the same instant. */
export function renewalTime(facts: RenewalFacts): Date {
  const begin = facts.notBefore.getTime();
  const end = facts.notAfter.getTime();
  const byUser = fitsLifetime(facts) ? end - (facts.renewBeforeMs ?? 0) : undefined;
  const withoutWindow = byUser ?? begin + (end - begin) * fractionOf(end - begin);
  const suggested = drawInWindow(facts);
  const latest = facts.window?.isFresh ? end : end - (end - withoutWindow) / 2;
  const chosen = suggested === undefined ? withoutWindow : Math.min(suggested, byUser ?? suggested, latest);
  return new Date(Math.max(begin, Math.min(end, Math.floor(chosen))));
}

/** Whether only a window on tags postpones a renewal that is due otherwise: then the CA is asked again
 *  first. */
export function isPutOffByTags(facts: RenewalFacts, now: Date): boolean {
  const { window } = facts;
  if (window === undefined || window.isFresh || now < renewalTime(facts)) return false;
  return now < renewalTime({ ...facts, window: { ...window, isFresh: true } });
}

/** Whether `renewBefore` leaves at least a third of the lifetime before renewal. One that does not is
 *  ignored: it would make a certificate due again at once, and spend an order at every pass. */
export function fitsLifetime(facts: Pick<RenewalFacts, 'notBefore' | 'notAfter' | 'renewBeforeMs'>): boolean {
  if (facts.renewBeforeMs === undefined) return false;
  const lifetime = facts.notAfter.getTime() - facts.notBefore.getTime();
  return facts.renewBeforeMs > 0 && facts.renewBeforeMs * 3 <= lifetime * 2;
}

function fractionOf(lifetimeMs: number): number {
  return lifetimeMs < 10 * dayMs ? 1 / 2 : 2 / 3;
}

/** A point of the window, chosen by the fingerprint: many certificates spread over it, and one never
 *  moves. `undefined` for a window that ends before it starts, or starts after the certificate ends. If it
 *  ends later, the part before counts. */
function drawInWindow({ window, fingerprint, notAfter }: RenewalFacts): number | undefined {
  if (window === undefined || window.end <= window.start || window.start >= notAfter) return undefined;
  const share = Number.parseInt(fingerprint.slice(0, 12), 16) / 16 ** 12;
  const end = Math.min(window.end.getTime(), notAfter.getTime());
  return window.start.getTime() + Math.floor((end - window.start.getTime()) * share);
}
