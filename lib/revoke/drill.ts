// Which CAs a drill may be held with: its certificate is revoked, so nobody may depend on it.
import type { Inventory } from '../certificate/spec.ts';

/** Whether the issuer is one for tests: another issuer rehearses with it, its host says so in its name (staging, test), or it
 *  is on this machine. */
export function isForTests(issuer: string, { issuers }: Pick<Inventory, 'issuers'>): boolean {
  const { hostname } = new URL(issuers[issuer]?.directory ?? 'https://unknown');
  return (
    Object.values(issuers).some(({ rehearsal }) => rehearsal === issuer) ||
    /(^|[.-])(staging|test|pebble)([.-]|$)/.test(hostname) ||
    /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
  );
}
