// Every address of a name, from the servers that have authority for it.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFindAddresses } from '../../lib/dns/addresses.ts';
import { create, type Setting, startSetting } from '../route53/setting.ts';
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

test('are not made up where DNS fails: a broken zone, a circle of aliases, the end of the run', async () => {
  setting.faults.set('dns', 'AAAA', { kind: 'error', code: 'SERVFAIL', status: 0 }, 100);
  const findAddresses = askAuthorities();
  await expect(findAddresses('shop.example.com', setting.signal)).rejects.toMatchObject({ code: 'Lookup' });
  await expect(findAddresses('away.example.com', setting.signal)).rejects.toMatchObject({ code: 'NoZone' });
  const reason = new Error('time is up');
  await expect(findAddresses('shop.example.com', AbortSignal.abort(reason))).rejects.toBe(reason);
});
