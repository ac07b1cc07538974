// Challenges that a CNAME hands to a zone of ours.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { create, type Setting, startSetting, txt } from './harness.ts';

let setting: Setting;
let acme: string;
beforeEach(async () => {
  setting = await startSetting();
  acme = setting.route53.createZone('acme.example.com').id;
});
afterEach(() => setting.stop());

const shop = '_acme-challenge.shop.customer.com';
const target = '_acme-challenge.shop-customer-com.acme.example.com';
const toShop = [{ name: shop, value: 'ours' }];
const acmeZone = { delegationZone: 'acme.example.com' };

/** Present for one name: the error, or nothing. */
async function tryPresent(name: string, options: Parameters<Setting['open']>[0] = acmeZone) {
  const { records } = setting.open(options).route53;
  const { failed } = await records.present([{ name, value: 'ours' }], setting.signal);
  return failed.get(name);
}

describe('a CNAME into a zone of ours', () => {
  test('takes the value of a name that no zone of ours holds, and gives it back though the CNAME is gone by then', async () => {
    const customer = setting.serveElsewhere('customer.com', ['ns1.customer.com'], { [shop]: `${target}.` });
    const { records } = setting.open().route53;
    expect((await records.present(toShop, setting.signal)).failed).toEqual(new Map());
    expect(setting.texts('acme.example.com')).toEqual([`${target}. 60 "ours"`]);
    customer.aliases.clear();
    expect((await records.cleanUp(toShop, setting.signal)).failed).toEqual(new Map());
    expect(setting.texts('acme.example.com')).toEqual([]);
    expect(setting.journal.find({ service: 'dns' }).map(({ resource }) => resource)).toEqual([shop, target]);
  });

  test('is followed through eight aliases, over zones of ours and of others', async () => {
    const names = Array.from({ length: 8 }, (_, n) => `_acme-challenge.hop${n}.customer.com`);
    const aliases = names.map((name, n) => [name, n === 7 ? `${target}.` : `${names[n + 1]}.`]);
    setting.serveElsewhere('customer.com', ['ns1.customer.com'], Object.fromEntries(aliases));
    expect(await tryPresent(names[0] ?? '')).toBeUndefined();
    expect(setting.texts('acme.example.com')).toEqual([`${target}. 60 "ours"`]);
  });

  test('may be shared by names: their values are written in one change and each taken away alone', async () => {
    const other = '_acme-challenge.www.customer.com';
    setting.serveElsewhere('customer.com', ['ns1.customer.com'], {
      [shop]: `${target}.`,
      [other]: `${target.toUpperCase()}.`,
    });
    const { records } = setting.open().route53;
    await records.present([...toShop, { name: other, value: 'other' }], setting.signal);
    expect(setting.texts('acme.example.com')).toEqual([`${target}. 60 "ours" "other"`]);
    expect(setting.count('ChangeResourceRecordSets')).toBe(1);
    await records.cleanUp(toShop, setting.signal);
    expect(setting.texts('acme.example.com')).toEqual([`${target}. 60 "other"`]);
  });

  test('that AWS refuses to write fails every name that leads there', async () => {
    const other = '_acme-challenge.www.customer.com';
    setting.serveElsewhere('customer.com', ['ns1.customer.com'], { [shop]: target, [other]: target });
    setting.faults.set('route53', 'ChangeResourceRecordSets', {
      kind: 'error',
      code: 'AccessDenied',
      status: 403,
    });
    const values = [shop, other].map((name) => ({ name, value: 'v' }));
    const { failed } = await setting.open().route53.records.present(values, setting.signal);
    expect([...failed].map(([name, error]) => [name, Object(error).code])).toEqual([
      [shop, 'Denied'],
      [other, 'Denied'],
    ]);
  });
});

describe('what cannot be followed is refused with what to do', () => {
  const record = `create the record "${shop}. CNAME ${target}."`;
  const cases: readonly [string, Readonly<Record<string, string>>, string, readonly string[]][] = [
    ['no CNAME and no zone', {}, 'NoZone', [`holds ${shop}`, record]],
    [
      'a CNAME to a zone that is not ours',
      { [shop]: '_acme-challenge.shop.customer.net' },
      'NoZone',
      [`${shop} is an alias for _acme-challenge.shop.customer.net, which no public hosted zone`, record],
    ],
    [
      'a CNAME to a name that is not written',
      { [shop]: 'shop.acme.example.com' },
      'NoZone',
      ['shop.acme.example.com, which does not begin with _acme-challenge.', record],
    ],
    [
      'a circle',
      { [shop]: 'b.customer.com', 'b.customer.com': 'c.customer.com', 'c.customer.com': 'b.customer.com' },
      'NoZone',
      ['lead in a circle', `${shop} → b.customer.com → c.customer.com → b.customer.com`],
    ],
    ['itself', { [shop]: shop }, 'NoZone', [`${shop} → ${shop}`]],
    [
      'nine aliases',
      Object.fromEntries(
        Array.from({ length: 9 }, (_, n) => [
          n === 0 ? shop : `h${n}.customer.com`,
          `h${n + 1}.customer.com`,
        ]),
      ),
      'NoZone',
      ['more than 8', 'h8.customer.com → h9.customer.com'],
    ],
  ];
  test.each(cases)('%s', async (_title, aliases, code, words) => {
    setting.serveElsewhere('customer.com', ['ns1.customer.com'], aliases);
    setting.serveElsewhere('customer.net', ['ns1.customer.net']);
    const error = await tryPresent(shop);
    expect(error).toMatchObject({ code });
    for (const word of words) expect(error?.message).toContain(word);
    // Nothing was written anywhere, so nothing is left.
    const { failed } = await setting.open(acmeZone).route53.records.cleanUp(toShop, setting.signal);
    expect(failed).toEqual(new Map());
    expect(setting.count('ChangeResourceRecordSets')).toBe(0);
  });

  test('without a zone for it in the inventory, both things that a person can do', async () => {
    setting.serveElsewhere('customer.co.uk', ['ns1.customer.co.uk']);
    const error = await tryPresent('_acme-challenge.shop.customer.co.uk', {});
    expect(error?.message).toContain('create one for customer.co.uk in Route 53 and delegate to it');
    expect(error?.message).toContain('dns.delegationZone');
  });

  test('a name whose DNS does not answer fails alone, and is asked for again', async () => {
    setting.faults.set(
      'dns',
      'CNAME',
      { kind: 'error', code: 'SERVFAIL', status: 0 },
      10,
      (at) => at === shop,
    );
    const mine = '_acme-challenge.acme.example.com';
    const { records } = setting.open().route53;
    const values = [shop, mine].map((name) => ({ name, value: 'v' }));
    const { failed } = await records.present(values, setting.signal);
    expect([...failed].map(([name, error]) => [name, Object(error).code])).toEqual([[shop, 'Lookup']]);
    // What an earlier run wrote may be there all the same.
    expect((await records.cleanUp(values, setting.signal)).failed.get(shop)).toMatchObject({
      code: 'Lookup',
    });
    setting.faults.clear();
    setting.serveElsewhere('customer.com', ['ns1.customer.com'], { [shop]: target });
    expect((await records.present(values, setting.signal)).failed).toEqual(new Map());
  });
});

test('a wildcard CNAME in a zone of ours does not lead a challenge away', async () => {
  const wildcard = { Name: '*.acme.example.com', Type: 'CNAME' as const, TTL: 60 };
  await setting.write(acme, create({ ...wildcard, ResourceRecords: [{ Value: 'www.acme.example.com' }] }));
  const name = '_acme-challenge.acme.example.com';
  await setting.write(acme, create(txt('www.acme.example.com', 60, '"x"')));
  expect(await tryPresent(name)).toBeUndefined();
  expect(setting.texts('acme.example.com')).toContain(`${name}. 60 "ours"`);
});
