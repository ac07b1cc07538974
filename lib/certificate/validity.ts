// Whether a certificate is valid at an instant.

import type { X509Certificate } from 'node:crypto';

interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Clocks differ: a certificate that begins this much later counts as valid, in milliseconds. */
const skewMs = 5 * 60_000;

/** Whether a certificate is valid at `now`. A beginning up to five minutes later is forgiven, an end
 *  never. */
export function isValidAt({ notBefore, notAfter }: Validity, now: Date): boolean {
  return notAfter > now && !beginsLater(notBefore, now);
}

/** Whether an instant is more than five minutes after `now`. */
export function beginsLater(notBefore: Date, now: Date): boolean {
  return notBefore.getTime() > now.getTime() + skewMs;
}

/** Both ends of a certificate. A date that cannot be read is an invalid one (`NaN`), so that the certificate
 *  is never valid: Node gives whatever stood in memory for it, and only its text says so. */
export function validityOf(certificate: X509Certificate): Validity {
  const known = validities.get(certificate);
  if (known) return known;
  const { validFrom, validFromDate, validTo, validToDate } = certificate;
  const validity = {
    notBefore: readDate(validFrom, validFromDate),
    notAfter: readDate(validTo, validToDate),
  };
  validities.set(certificate, validity);
  return validity;
}

// The search for a path asks very often.
const validities = new WeakMap<X509Certificate, Validity>();

function readDate(text: string, date: Date): Date {
  return Number.isNaN(Date.parse(text)) ? new Date(Number.NaN) : date;
}
