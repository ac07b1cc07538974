// Names that two sources of specifications ask for at one time: whoever was there first gets the certificate,
// and nobody else.
import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { targetOf } from '../minting/targets.ts';
import { Bench, dayMs, specOf } from './harness.ts';

const sent: StoredSpec = { ...specOf('sent', ['a.example.com', 'shop.example.com']), source: 'registration' };
const found = (namespace: string, ...domains: readonly string[]): StoredSpec => ({
  ...specOf(`found-${namespace}`, domains),
  targets: [targetOf({ cluster: 'edge', namespace, secret: 'tls', restart: 'none' })],
  source: 'discovery',
});

/** Registered in this order, as lists and requests that crossed let it happen. */
async function open(...specs: readonly StoredSpec[]): Promise<Bench> {
  const bench = new Bench([]);
  const places = ['shop', 'team'].map((namespace) => ({ cluster: 'edge', namespace }));
  const discovery: Inventory['discovery'] = {
    places,
    zones: ['example.com'],
    annotation: 'certrelay.dev/tls',
    hints: false,
    issuer: 'default',
    key: 'ecdsa-p256',
    adopt: false,
  };
  bench.inventory = { ...bench.inventory, discovery };
  for (const spec of specs) await bench.store.create(spec.name, spec);
  return bench;
}

describe('a name that two sources ask for', () => {
  const second = found('shop', 'shop.example.com');

  it.each<[string, Parameters<Bench['run']>[0]]>([
    ['in a pass over everything', {}],
    ['by a message of the queue for both', { certificates: ['found-shop', 'sent'] }],
    ['by a message of the queue for the second alone', { certificates: ['found-shop'] }],
    ['by force', { certificates: ['found-shop', 'sent'], force: true }],
  ])('is not ordered for the second, %s, and the report names the owner', async (_, request) => {
    const bench = await open(sent, second);
    const { report } = await bench.run(request);
    expect(report.certificates.find(({ name }) => name === 'found-shop')).toMatchObject({
      decision: 'wait',
      reason: 'NameTaken',
      message: expect.stringContaining(
        'shop.example.com belongs to certificate sent of the webhook: take the name out',
      ),
    });
    expect(await bench.current('found-shop')).toBeUndefined();
    expect(bench.state('found-shop').error).toBe('NameTaken');
    const told = bench.log.lines.filter(({ event }) => event === 'name taken');
    expect(told).toMatchObject([{ level: 'error', fields: { certificate: 'found-shop' } }]);
    await bench.run();
    expect(await bench.current('sent')).toBeDefined();
    expect(bench.ca.count('newOrder')).toBe(1);
    expect(bench.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('is ordered for the second once the first one is gone', async () => {
    const bench = await open(sent, second);
    await bench.run();
    bench.store.kept.delete('sent');
    expect((await bench.run()).report.certificates).toMatchObject([
      { name: 'found-shop', outcome: 'issued' },
    ]);
    expect(bench.state('found-shop').error).toBeUndefined();
  });

  it('goes to one of two that no list shows yet', async () => {
    const bench = await open(sent, second);
    bench.store.list = async () => [];
    const { report } = await bench.run({ certificates: ['sent', 'found-shop'] });
    expect(report.certificates.map(({ reason, outcome }) => outcome ?? reason).toSorted()).toEqual([
      'NameTaken',
      'issued',
    ]);
  });

  it('is withheld from a wildcard that stands for it, not from a name below a wildcard', async () => {
    const bench = await open(found('shop', 'a.b.example.com'), found('team', '*.b.example.com'));
    await bench.store.create('below', { ...specOf('below', ['c.b.example.com']), source: 'registration' });
    expect((await bench.run()).report.certificates).toMatchObject(
      [
        {
          name: 'found-team',
          reason: 'NameTaken',
          message: expect.stringContaining('stands for a.b.example.com'),
        },
        { name: 'below', outcome: 'issued' },
        { name: 'found-shop', outcome: 'issued' },
      ].toSorted((one, other) => one.name.localeCompare(other.name)),
    );
  });

  it('is found where the names of the first are too many for tags', async () => {
    const many = Array.from({ length: 60 }, (_, index) => `name-with-some-length-${index}.example.com`);
    const bench = await open({ ...sent, domains: [...many, 'shop.example.com'] }, second);
    await bench.run({ certificates: ['sent'] });
    const { report } = await bench.run({ certificates: ['found-shop'] });
    expect(report.certificates).toMatchObject([{ reason: 'NameTaken' }]);
  });
});

describe('what two sources share already', () => {
  const second = found('shop', 'shop.example.com');

  /** Both were issued, one after the other, by a version that let them. @param since When the second was
   *  registered. */
  async function shared(since: (firstRun: Date) => Date): Promise<Bench> {
    const bench = await open(sent);
    await bench.run();
    const issued = bench.store.kept.get('sent');
    if (!issued) throw new Error('the first is not there');
    bench.store.kept.delete('sent');
    await bench.store.create('found-shop', second);
    await bench.run({ certificates: ['found-shop'] });
    const other = bench.store.kept.get('found-shop');
    const { firstRun } = bench.installation.record ?? {};
    if (!other || !firstRun) throw new Error('nothing was recorded');
    bench.store.kept.set('found-shop', { ...other, createdAt: since(firstRun) });
    bench.store.kept.set('sent', issued);
    bench.clock.pass(61 * dayMs);
    return bench;
  }

  it('is renewed for both where both were there before this version', async () => {
    const bench = await shared((firstRun) => new Date(firstRun.getTime() - 1));
    expect((await bench.run()).report.certificates).toMatchObject([
      { outcome: 'issued' },
      { outcome: 'issued' },
    ]);
  });

  it('is renewed for the first alone where the second came by a list that lagged behind', async () => {
    const bench = await shared((firstRun) => new Date(firstRun.getTime() + 1));
    const { report } = await bench.run();
    expect(
      report.certificates.map(({ name, reason, outcome }) => `${name} ${outcome ?? reason}`).toSorted(),
    ).toEqual(['found-shop NameTaken', 'sent issued']);
  });
});

it('nothing is listed or read for an order that could meet no other source', async () => {
  const bench = new Bench([specOf('own', ['own.example.com'])]);
  await bench.store.create('sent', sent);
  await bench.run({ certificates: ['own', 'sent'] });
  expect(bench.store.count('list')).toBe(0);
});
