// Shows the life of a certificate as a bar: what is over, what is left, and when it is renewed.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import { renewalWindow, type WindowTags } from '../policy/health/margin.ts';
import { Html, html } from './html.ts';
import { describeDays } from './words.ts';

/** The bar with the days left in words; `undefined` if nothing is stored.
 *  @param tags What the certificate's tags say of its validity and of the CA's window. */
export function renderLife(
  { notAfter, renewsAt, expiresInDays = 0, health }: CertificateHealth,
  tags: WindowTags & { readonly notBefore?: Date | undefined },
  now: Date,
): Html | undefined {
  if (!notAfter) return undefined;
  const words = describeDays(expiresInDays);
  const begin = tags.notBefore;
  if (!begin || !renewsAt || begin >= notAfter) return html`${words}`;
  const at = (instant: Date) => {
    const share = (instant.getTime() - begin.getTime()) / (notAfter.getTime() - begin.getTime());
    return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
  };
  const { from, until } = renewalWindow({ notAfter, renewsAt }, tags);
  const [over, start, end] = [at(now), at(from), at(until)];
  const day = (instant: Date) => instant.toISOString().slice(0, 10);
  const label = `${words}; valid ${day(begin)} to ${day(notAfter)}, renewed between ${day(from)} and ${day(until)}`;
  const left = new Html(`style="left:${over}%"`);
  const window = new Html(`style="left:${start}%;width:${Math.max(1.5, end - start).toFixed(1)}%"`);
  return html`${words}<span class="bar" role="img" aria-label="${label}" title="${label}"><i class="${health}" ${left}></i><b ${window}></b></span>`;
}
