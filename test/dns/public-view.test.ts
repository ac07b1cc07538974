// What is made of DNS where the resolver is the machine's own: it may answer for a private network, or fail
// by itself.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectDns } from '../../lib/adapters/dns/connection.ts';
import { judgePreflight } from '../../lib/policy/dns/preflight.ts';
import { silentLog } from '../fakes/log.ts';
import { type Setting, startSetting } from '../route53/harness.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await startSetting();
  setting.route53.createZone('example.com');
});
afterEach(() => setting.stop());

const name = 'shop.example.com';
const ca = { identities: ['ca.example'], accountUrl: 'https://ca.example/acct/1' };

describe('a resolver that nobody has chosen', () => {
  /** The machine's own: the double, asked as such. */
  function connectUnchosen() {
    const network = { resolver: setting.dns.address, port: setting.dns.port };
    const dns = connectDns({ clock: setting.clock, log: silentLog, network });
    const { route53 } = setting.open();
    const preflight = dns.createPreflight(route53.findZone);
    return async (domain: string) => judgePreflight(await preflight([domain], 'all', setting.signal), ca);
  }
  const ofPrivateZone = ['ns-0.awsdns-00.com', 'ns-512.awsdns-00.net'];

  test.each([
    ['the servers of a private hosted zone', ofPrivateZone, '192.0.2.1', false],
    ['servers with an address inside', ['ns1.corp.example'], '10.1.2.3', false],
    ['servers with no address', ['ns1.corp.example'], undefined, false],
    ['servers that everybody can ask', ['ns1.corp.example'], '192.0.2.1', true],
  ])('that names %s for the zone blocks: %s', async (_title, servers, address, blocks) => {
    setting.route53.createZone('example.org', { delegated: false });
    setting.serveElsewhere('example.org', servers);
    if (address) serveAddresses(servers, address);
    const findings = await connectUnchosen()('shop.example.org');
    expect(findings).toMatchObject([{ blocks, record: 'example.org. NS' }]);
    if (!blocks) expect(findings[0]?.message).toContain('CERTRELAY_RESOLVERS');
  });

  test('that knows the zone above from a private network only does not block', async () => {
    setting.route53.createZone('shop.example.org', { delegated: false });
    setting.serveElsewhere('example.org', ofPrivateZone);
    const findings = await connectUnchosen()('a.shop.example.org');
    expect(findings).toMatchObject([{ blocks: false, record: 'shop.example.org. NS' }]);
  });

  test.each([
    ['alone does not block: the own servers of the zone answer', 2, []],
    ['as the own servers of the zone do blocks', 1_000, [{ blocks: true, record: `${name}. CAA` }]],
  ])('that says SERVFAIL of CAA %s', async (_title, times, findings) => {
    serveAddresses(
      [1, 2, 3, 4].map((n) => `ns-${n}.sandbox.example`),
      '127.0.0.1',
    );
    const servfail = { kind: 'error', code: 'SERVFAIL', status: 0 } as const;
    setting.faults.set('dns', 'CAA', servfail, times, (at) => at === name);
    expect(await connectUnchosen()(name)).toMatchObject(findings);
  });

  function serveAddresses(hosts: readonly string[], data: string): void {
    setting.dns.serve(() =>
      hosts.map((host) => fixedZone(`${host}.`, [{ name: `${host}.`, type: 'A', data }])),
    );
  }
});
