// Names that two sources of specifications ask for at one time: whoever was there first gets the certificate,
// and nobody else.
import { describe, expect, it } from 'vitest';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { discoveryOf } from '../minting/discovery.ts';
import { targetOf } from '../minting/targets.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const sent: StoredSpec = { ...specOf('sent', ['a.example.com', 'shop.example.com']), source: 'registration' };
const found = (namespace: string, ...domains: readonly string[]): StoredSpec => ({
  ...specOf(`found-${namespace}`, domains),
  targets: [targetOf({ cluster: 'edge', namespace, secret: 'tls', restart: 'none' })],
  source: 'discovery',
});

/** Registered in this order, as lists and requests that crossed let it happen. */
async function open(...specs: readonly StoredSpec[]): Promise<Harness> {
  const harness = new Harness([]);
  const places = ['shop', 'team'].map((namespace) => ({ cluster: 'edge', namespace }));
  const discovery = discoveryOf({ places });
  harness.inventory = { ...harness.inventory, discovery };
  for (const spec of specs) await harness.store.create(spec.name, spec);
  return harness;
}

describe('a name that two sources ask for', () => {
  const second = found('shop', 'shop.example.com');

  it.each<[string, Parameters<Harness['run']>[0]]>([
    ['in a pass over everything', {}],
    ['by a message of the queue for both', { certificates: ['found-shop', 'sent'] }],
    ['by a message of the queue for the second alone', { certificates: ['found-shop'] }],
    ['by force', { certificates: ['found-shop', 'sent'], force: true }],
  ])('is not ordered for the second, %s, and the report names the owner', async (_, request) => {
    const harness = await open(sent, second);
    const { report } = await harness.run(request);
    expect(report.certificates.find(({ name }) => name === 'found-shop')).toMatchObject({
      decision: 'wait',
      reason: 'NameTaken',
      message: expect.stringContaining(
        'shop.example.com belongs to certificate sent of the webhook: take the name out',
      ),
    });
    expect(await harness.current('found-shop')).toBeUndefined();
    expect(harness.state('found-shop').error).toBe('NameTaken');
    const told = harness.log.lines.filter(({ event }) => event === 'name taken');
    expect(told).toMatchObject([{ level: 'error', fields: { certificate: 'found-shop' } }]);
    await harness.run();
    expect(await harness.current('sent')).toBeDefined();
    expect(harness.ca.count('newOrder')).toBe(1);
    expect(harness.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('is ordered for the second once the first one is gone', async () => {
    const harness = await open(sent, second);
    await harness.run();
    harness.store.kept.delete('sent');
    expect((await harness.run()).report.certificates).toMatchObject([
      { name: 'found-shop', outcome: 'issued' },
    ]);
    expect(harness.state('found-shop').error).toBeUndefined();
  });

  it('goes to one of two that no list shows yet', async () => {
    const harness = await open(sent, second);
    harness.store.list = async () => [];
    const { report } = await harness.run({ certificates: ['sent', 'found-shop'] });
    expect(report.certificates.map(({ reason, outcome }) => outcome ?? reason).toSorted()).toEqual([
      'NameTaken',
      'issued',
    ]);
  });

  it('is withheld from a wildcard that stands for it, not from a name below a wildcard', async () => {
    const harness = await open(found('shop', 'a.b.example.com'), found('team', '*.b.example.com'));
    await harness.store.create('below', { ...specOf('below', ['c.b.example.com']), source: 'registration' });
    expect((await harness.run()).report.certificates).toMatchObject(
      [
        {
          name: 'found-team',
          reason: 'NameTaken',
          message: expect.stringContaining('covers a.b.example.com'),
        },
        { name: 'below', outcome: 'issued' },
        { name: 'found-shop', outcome: 'issued' },
      ].toSorted((one, other) => one.name.localeCompare(other.name)),
    );
  });

  it('is found where the names of the first are too many for tags', async () => {
    const many = Array.from({ length: 60 }, (_, index) => `name-with-some-length-${index}.example.com`);
    const harness = await open({ ...sent, domains: [...many, 'shop.example.com'] }, second);
    await harness.run({ certificates: ['sent'] });
    const { report } = await harness.run({ certificates: ['found-shop'] });
    expect(report.certificates).toMatchObject([{ reason: 'NameTaken' }]);
  });
});

describe('what two sources share already', () => {
  const second = found('shop', 'shop.example.com');

  /** Both were issued, one after the other, by a version that let them. @param since When the second was
   *  registered. */
  async function shared(since: (firstRun: Date) => Date): Promise<Harness> {
    const harness = await open(sent);
    await harness.run();
    const issued = harness.store.kept.get('sent');
    if (!issued) throw new Error('the first is not there');
    harness.store.kept.delete('sent');
    await harness.store.create('found-shop', second);
    await harness.run({ certificates: ['found-shop'] });
    const other = harness.store.kept.get('found-shop');
    const { firstRun } = harness.installation.record ?? {};
    if (!other || !firstRun) throw new Error('nothing was recorded');
    harness.store.kept.set('found-shop', { ...other, createdAt: since(firstRun) });
    harness.store.kept.set('sent', issued);
    harness.clock.pass(61 * dayMs);
    return harness;
  }

  it('is renewed for both where both were there before this version', async () => {
    const harness = await shared((firstRun) => new Date(firstRun.getTime() - 1));
    expect((await harness.run()).report.certificates).toMatchObject([
      { outcome: 'issued' },
      { outcome: 'issued' },
    ]);
  });

  it('is renewed for the first alone where the second came by a list that lagged behind', async () => {
    const harness = await shared((firstRun) => new Date(firstRun.getTime() + 1));
    const { report } = await harness.run();
    expect(
      report.certificates.map(({ name, reason, outcome }) => `${name} ${outcome ?? reason}`).toSorted(),
    ).toEqual(['found-shop NameTaken', 'sent issued']);
  });
});

it('nothing is listed or read for an order that could meet no other source', async () => {
  const harness = new Harness([specOf('own', ['own.example.com'])]);
  await harness.store.create('sent', sent);
  await harness.run({ certificates: ['own', 'sent'] });
  expect(harness.store.count('list')).toBe(0);
});
