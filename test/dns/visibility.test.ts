// Waiting until TXT values are answered by every server that a CA may ask.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectDns } from '../../lib/adapters/dns/connection.ts';
import { silentLog } from '../fakes/log.ts';
import { create, type Setting, startSetting, txt, upsert } from '../route53/harness.ts';

let setting: Setting;
let zone: string;
beforeEach(async () => {
  setting = await startSetting();
  zone = setting.route53.createZone('example.com').id;
});
afterEach(() => setting.stop());

const name = '_acme-challenge.shop.example.com';
const values = [
  { name, value: 'one' },
  { name, value: 'two' },
];
const both = upsert(txt(name, 60, '"foreign"', '"one"', '"two"'));

/** Asks the sandbox's DNS for delegations, and whatever those lead to on its port. */
function askAuthorities(patienceMs?: number) {
  const { dns, clock } = setting;
  const network = { resolver: dns.address, port: dns.port };
  return connectDns({ clock, log: silentLog, timeoutMs: patienceMs, network }).awaitVisible;
}

function askResolvers(resolvers: readonly string[], patienceMs?: number) {
  return connectDns({ resolvers, clock: setting.clock, log: silentLog, timeoutMs: patienceMs }).awaitVisible;
}

/** Resource records the sandbox was asked for. */
const asked = (type: string) =>
  setting.journal.find({ service: 'dns', action: type }).map((call) => call.resource);

describe('authoritative servers', () => {
  test('are found from the closest ancestor that has NS records, and each is asked', async () => {
    await setting.write(zone, both);
    const { failed } = await askAuthorities()(values, setting.signal);
    expect(failed).toEqual(new Map());
    expect(asked('NS')).toEqual([name, 'shop.example.com', 'example.com']);
    expect(asked('TXT')).toEqual([name, name, name, name]);
    expect(setting.clock.slept).toEqual([]);
  });

  test('may answer another value that proves as much', async () => {
    await setting.write(zone, upsert(txt(name, 60, '"one; until=tomorrow"')));
    const isMetBy = (text: string) => text.startsWith('one;');
    const found = await askAuthorities(1_000)([{ name, value: 'one', isMetBy }], setting.signal);
    expect(found.failed).toEqual(new Map());
    const { failed } = await askAuthorities(1_000)(
      [{ name, value: 'two', isMetBy: () => false }],
      setting.signal,
    );
    expect([...failed.keys()]).toEqual([name]);
  });

  test('of one zone are looked up once for all of its names', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `_acme-challenge.n${n}.example.com`);
    await setting.write(zone, ...names.map((each) => create(txt(each, 60, '"v"'))));
    const { failed } = await askAuthorities()(
      names.map((each) => ({ name: each, value: 'v' })),
      setting.signal,
    );
    expect(failed).toEqual(new Map());
    expect(asked('NS').filter((each) => each === 'example.com')).toHaveLength(1);
    expect(asked('A')).toHaveLength(4);
  });

  test('are looked up once, whether names are asked for together or each by itself', async () => {
    const names = Array.from({ length: 5 }, (_, n) => `_acme-challenge.n${n}.example.com`);
    await setting.write(zone, ...names.map((each) => create(txt(each, 60, '"v"'))));
    const awaitVisible = askAuthorities();
    const outcomes = await Promise.all(
      names.map((each) => awaitVisible([{ name: each, value: 'v' }], setting.signal)),
    );
    expect(outcomes.map(({ failed }) => failed.size)).toEqual([0, 0, 0, 0, 0]);
    expect(asked('NS').filter((each) => each === 'example.com')).toHaveLength(1);
    expect(asked('A')).toHaveLength(4);
  });

  test('of a name with a zone of its own are those of that zone', async () => {
    const own = setting.route53.createZone(name).id;
    await setting.write(own, both);
    await askAuthorities()(values, setting.signal);
    expect(asked('NS')).toEqual([name]);
  });

  test('are asked until all of them answer every value', async () => {
    setting.route53.settings.insyncMs = 20_000;
    await setting.write(zone, upsert(txt(name, 60, '"one"')));
    setting.route53.settings.insyncMs = 30_000;
    await setting.write(zone, both);
    const { failed } = await askAuthorities()(values, setting.signal);
    expect(failed).toEqual(new Map());
    const waited = setting.clock.slept.reduce((sum, ms) => sum + ms, 0);
    expect(waited).toBeGreaterThanOrEqual(30_000);
    expect(waited).toBeLessThan(35_000);
    expect(setting.clock.slept.slice(0, 2)).toEqual([500, 750]);
    expect(Math.max(...setting.clock.slept)).toBe(5_000);
  });

  test('that do not answer at an IPv6 address are passed over where IPv4 answers', async () => {
    await setting.write(
      zone,
      both,
      upsert({ Name: 'example.com', Type: 'NS', TTL: 60, ResourceRecords: [{ Value: 'ns.example.com' }] }),
      create({ Name: 'ns.example.com', Type: 'A', TTL: 60, ResourceRecords: [{ Value: '127.0.0.1' }] }),
      create({ Name: 'ns.example.com', Type: 'AAAA', TTL: 60, ResourceRecords: [{ Value: '::1' }] }),
    );
    expect((await askAuthorities()(values, setting.signal)).failed).toEqual(new Map());
  });

  test('that can be reached by no address at all do not count as passed over', async () => {
    await setting.write(
      zone,
      both,
      upsert({ Name: 'example.com', Type: 'NS', TTL: 60, ResourceRecords: [{ Value: 'ns.example.com' }] }),
      create({ Name: 'ns.example.com', Type: 'AAAA', TTL: 60, ResourceRecords: [{ Value: '::1' }] }),
    );
    const { failed } = await askAuthorities(1_000)(values, setting.signal);
    expect(failed.get(name)).toMatchObject({
      code: 'NotVisible',
      message: expect.stringContaining('ns.example.com (::1)'),
    });
  });

  test('that nobody knows fail the name, and only that', async () => {
    const lost = '_acme-challenge.nowhere.test';
    await setting.write(zone, both);
    const { failed } = await askAuthorities(1_000)([...values, { name: lost, value: 'v' }], setting.signal);
    expect([...failed.keys()]).toEqual([lost]);
    expect(failed.get(lost)).toMatchObject({
      code: 'Lookup',
      message: expect.stringContaining('is delegated'),
    });
  });

  test('are looked up again where the first try found none', async () => {
    await setting.write(zone, both);
    setting.faults.set('dns', 'NS', { kind: 'error', code: 'SERVFAIL', status: 0 }, 2);
    expect((await askAuthorities()(values, setting.signal)).failed).toEqual(new Map());
  });
});

describe('a value that a CNAME delegates', () => {
  const alias = (target: string) =>
    create({ Name: name, Type: 'CNAME', TTL: 60, ResourceRecords: [{ Value: target }] });

  test('is asked of the servers of the zone where it is', async () => {
    const other = setting.route53.createZone('acme.example.net').id;
    const place = '_acme-challenge.shop.acme.example.net';
    await setting.write(zone, alias(place));
    await setting.write(other, upsert(txt(place, 60, '"one"', '"two"')));
    expect((await askAuthorities()(values, setting.signal)).failed).toEqual(new Map());
    expect(asked('TXT')).toEqual([place, place, place, place]);
    expect(asked('NS').at(-1)).toBe('acme.example.net');
  });

  test('is asked of the name itself where a wildcard leads to what is no challenge name', async () => {
    const wildcard = { Name: '*.example.com', Type: 'CNAME' as const, TTL: 60 };
    await setting.write(
      zone,
      create({ ...wildcard, ResourceRecords: [{ Value: 'www.example.com' }] }),
      create({ Name: 'www.example.com', Type: 'A', TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] }),
    );
    const connection = setting.open().dns;
    // As the adapter does: the place is looked up before the value is there.
    expect(await connection.resolveAlias(name, setting.signal)).toBe('www.example.com');
    await setting.write(zone, both);
    expect((await connection.awaitVisible(values, setting.signal)).failed).toEqual(new Map());
  });
});

describe('resolvers that are set', () => {
  test('are asked instead, and for no name servers', async () => {
    await setting.write(zone, both);
    expect((await askResolvers([setting.dns.address])(values, setting.signal)).failed).toEqual(new Map());
    expect(setting.journal.find({ service: 'dns' }).map((call) => call.action)).toEqual(['CNAME', 'TXT']);
  });

  test('fail a name by naming those that lag, after two minutes, and not the names that all answer', async () => {
    const behind = await startSetting();
    try {
      const other = '_acme-challenge.www.example.com';
      const behindZone = behind.route53.createZone('example.com').id;
      await setting.write(zone, both, create(txt(other, 60, '"v"')));
      await behind.write(behindZone, create(txt(other, 60, '"v"')), create(txt(name, 60, '"one"')));
      const resolvers = [setting.dns.address, behind.dns.address];
      const { failed } = await askResolvers(resolvers)(
        [...values, { name: other, value: 'v' }],
        setting.signal,
      );
      expect([...failed.keys()]).toEqual([name]);
      expect(failed.get(name)).toMatchObject({ code: 'NotVisible' });
      expect(failed.get(name)?.message).toContain(behind.dns.address);
      expect(failed.get(name)?.message).not.toContain(setting.dns.address);
      const waited = setting.clock.slept.reduce((sum, ms) => sum + ms, 0);
      expect(waited).toBeGreaterThanOrEqual(120_000);
      expect(waited).toBeLessThan(126_000);
      // The one that has answered is not asked again.
      expect(asked('TXT').filter((each) => each === name)).toHaveLength(1);
    } finally {
      await behind.stop();
    }
  });

  test('are not believed from memory: an answer with a long TTL is asked for again', async () => {
    await setting.write(zone, upsert(txt(name, 86_400, '"one"')));
    setting.route53.settings.insyncMs = 1_000;
    await setting.write(zone, both);
    expect((await askResolvers([setting.dns.address])(values, setting.signal)).failed).toEqual(new Map());
    expect(asked('TXT').length).toBeGreaterThan(1);
  });
});

describe('the end of the run', () => {
  test.each([
    'while a server is asked',
    'while waiting',
  ])('%s gives the names that were not seen', async (moment) => {
    const run = new AbortController();
    const end = () => run.abort(new Error('out of time'));
    if (moment === 'while waiting')
      setting.clock.sleep = async () => {
        end();
        throw run.signal.reason;
      };
    else {
      setting.faults.set('dns', 'TXT', { kind: 'drop' });
      setting.journal.before((call) => {
        if (call.action === 'TXT') end();
      });
    }
    const { failed } = await askResolvers([setting.dns.address])(values, run.signal);
    expect([...failed.keys()]).toEqual([name]);
    expect(failed.get(name)?.cause).toBe(run.signal.reason);
    // A question that was not cancelled would have been sent a second time by now.
    expect(asked('TXT')).toHaveLength(1);
  });
});
