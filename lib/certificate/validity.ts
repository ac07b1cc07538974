// Whether a certificate is valid at an instant.

import type { X509Certificate } from 'node:crypto';
import type { CertificateFacts } from './x509.ts';

type Validity = Pick<CertificateFacts, 'notBefore' | 'notAfter'>;

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

/** Both ends of a certificate. A date that cannot be read is one that is never valid. */
export function validityOf({ validFromDate: notBefore, validToDate: notAfter }: X509Certificate): Validity {
  return { notBefore, notAfter };
}
