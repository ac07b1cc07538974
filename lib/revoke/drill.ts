// Decides whether a revocation drill may use a CA: only one for tests, because the certificate is revoked.
import type { Inventory } from '../certificate/spec.ts';

/** Whether the issuer's CA is for tests: another issuer names it as `rehearsal`, its host name contains
 *  `staging`, `test` or `pebble`, or it runs on this machine.
 *  @param issuer Key of `Inventory.issuers`. */
export function isForTests(issuer: string, { issuers }: Pick<Inventory, 'issuers'>): boolean {
  const { hostname } = new URL(issuers[issuer]?.directory ?? 'https://unknown');
  return (
    Object.values(issuers).some(({ rehearsal }) => rehearsal === issuer) ||
    /(^|[.-])(staging|test|pebble)([.-]|$)/.test(hostname) ||
    /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
  );
}
