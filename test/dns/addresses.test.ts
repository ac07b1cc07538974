// Every address of a name, from the servers that have authority for it.
import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFindAddresses } from '../../lib/adapters/dns/addresses.ts';
import { isPublicAddress } from '../../lib/adapters/dns/public-addresses.ts';
import { create, type Setting, startSetting, upsert } from '../route53/harness.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import { startDns } from '../sandbox/dns/server.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';

let setting: Setting;
let zone: string;
beforeEach(async () => {
  setting = await startSetting();
  zone = setting.route53.createZone('example.com').id;
  await setting.write(
    zone,
    create(records('shop.example.com', 'A', '203.0.113.7', '203.0.113.8')),
    create(records('shop.example.com', 'AAAA', '2001:db8::7')),
    create(records('www.example.com', 'CNAME', 'shop.example.com')),
    create(records('away.example.com', 'CNAME', 'away.example.com')),
  );
});
afterEach(() => setting.stop());

function records(Name: string, Type: 'A' | 'AAAA' | 'CNAME', ...values: readonly string[]) {
  return { Name, Type, TTL: 60, ResourceRecords: values.map((Value) => ({ Value })) };
}

/** Has a zone name these servers and no others. */
async function nameServersOf(
  name: string,
  servers: readonly { readonly host: string; readonly type: 'A' | 'AAAA'; readonly address: string }[],
): Promise<void> {
  const ResourceRecords = servers.map(({ host }) => ({ Value: host }));
  await setting.write(
    zone,
    upsert({ Name: name, Type: 'NS', TTL: 60, ResourceRecords }),
    ...servers.map(({ host, type, address }) => create(records(host, type, address))),
  );
}

const all = ['203.0.113.7', '203.0.113.8', '2001:db8::7'];
/** Asks the sandbox's DNS for delegations, and whatever those lead to on its port. */
const askAuthorities = () => {
  const { dns } = setting;
  return createFindAddresses({ network: { resolver: dns.address, port: dns.port } });
};
const asked = (type: string) =>
  setting.journal.find({ service: 'dns', action: type }).map((call) => call.resource);

test.each([
  ['a name', 'shop.example.com', all],
  ['an alias', 'www.example.com', all],
  ['a name that is not there', 'gone.example.com', []],
])('of %s are those of both families', async (_, name, expected) => {
  expect(await askAuthorities()(name, setting.signal)).toEqual(expected);
});

test('are asked of the servers of the zone, which are looked up once for all of its names', async () => {
  const findAddresses = askAuthorities();
  for (const name of ['shop.example.com', 'www.example.com']) await findAddresses(name, setting.signal);
  expect(asked('NS').filter((name) => name === 'example.com')).toHaveLength(1);
  expect(asked('A').filter((name) => name.endsWith('sandbox.example'))).toHaveLength(4);
});

test('are not those that a resolver remembers from yesterday', async () => {
  const apex = { name: 'example.com.', type: 'NS', data: 'ns-1.sandbox.example' } as const;
  const yesterday = { name: 'shop.example.com.', type: 'A', data: '203.0.113.1' } as const;
  const resolver = await startDns({ journal: new Journal(), faults: new Faults() });
  try {
    resolver.serve(() => [fixedZone('example.com.', [apex, yesterday])]);
    const network = { resolver: resolver.address, port: setting.dns.port };
    expect(await createFindAddresses({ network })('shop.example.com', setting.signal)).toEqual(all);
  } finally {
    await resolver.stop();
  }
});

test('are asked of the chosen resolvers alone where there are some', async () => {
  const findAddresses = createFindAddresses({ resolvers: [setting.dns.address] });
  expect(await findAddresses('www.example.com', setting.signal)).toEqual(all);
  expect(asked('NS')).toEqual([]);
});

test.each([
  ['10.0.0.1'],
  ['172.16.0.1'],
  ['192.168.0.1'],
  ['100.64.0.1'],
  ['169.254.169.254'],
  ['fd00:ec2::253'],
  ['fe80::1'],
  ['::ffff:10.0.0.1'],
  ['64:ff9b::a00:1'],
])('are not asked of %s, however the zone names it as its server', async (address) => {
  const type = address.includes(':') ? ('AAAA' as const) : ('A' as const);
  await nameServersOf('example.com', [{ host: 'ns.example.com', type, address }]);
  const refusal = askAuthorities()('shop.example.com', setting.signal);
  await expect(refusal).rejects.toMatchObject({
    code: 'Lookup',
    message: expect.stringMatching(/no public address .* set CERTRELAY_RESOLVERS/),
  });
});

test('are asked of the public servers alone where a zone has private ones, too', async () => {
  const servers = [
    { host: 'ns1.example.com', type: 'A', address: '10.0.0.1' },
    { host: 'ns2.example.com', type: 'A', address: '127.0.0.1' },
  ] as const;
  await nameServersOf('example.com', servers);
  expect(await askAuthorities()('shop.example.com', setting.signal)).toEqual(all);
  const { dns } = setting;
  const network = { resolver: dns.address, port: dns.port, mayAsk: isPublicAddress };
  const asking = createFindAddresses({ network })('shop.example.com', setting.signal);
  await expect(asking).rejects.toMatchObject({ code: 'Lookup' });
});

test('are asked of six servers at most, for ten seconds at most, where 13 are dead', async () => {
  const dead = Array.from({ length: 13 }, (_, n) => `127.0.1.${n + 1}`);
  const asked = new Set<string>();
  const sockets = dead.map((address) => {
    const socket = createSocket('udp4').on('message', () => void asked.add(address));
    socket.bind(setting.dns.port, address);
    return socket;
  });
  try {
    await nameServersOf(
      'example.com',
      dead.map((address, n) => ({ host: `ns${n}.example.com`, type: 'A' as const, address })),
    );
    const startedAt = performance.now();
    const asking = askAuthorities()('shop.example.com', setting.signal);
    await expect(asking).rejects.toMatchObject({ code: 'Lookup' });
    expect(performance.now() - startedAt).toBeLessThan(25_000);
    expect(asked.size).toBe(6);
  } finally {
    for (const socket of sockets) socket.close();
  }
});

test('are not made up where DNS fails: a broken zone, a circle of aliases, the end of the run', async () => {
  setting.faults.set('dns', 'AAAA', { kind: 'error', code: 'SERVFAIL', status: 0 }, 100);
  const findAddresses = askAuthorities();
  await expect(findAddresses('shop.example.com', setting.signal)).rejects.toMatchObject({ code: 'Lookup' });
  await expect(findAddresses('away.example.com', setting.signal)).rejects.toMatchObject({ code: 'NoZone' });
  const reason = new Error('time is up');
  await expect(findAddresses('shop.example.com', AbortSignal.abort(reason))).rejects.toBe(reason);
});
