// Specifications that are not the file's, held against today's inventory: what an earlier version accepted
// has its time of grace, what stops fitting later has none.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { discoveryOf } from '../minting/discovery.ts';
import { targetOf } from '../minting/targets.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const place = targetOf({ cluster: 'edge', namespace: 'shop', secret: 'tls' });
const customer: StoredSpec = {
  ...specOf('customer', ['a.example.com']),
  targets: [place],
  source: 'registration',
};
const registration: NonNullable<Inventory['registration']> = {
  zones: ['example.com'],
  issuer: 'default',
  key: 'ecdsa-p256',
  targets: [place],
};

/** An installation in which `specs` were registered and issued, by an earlier version where `isOld`. */
async function open(isOld: boolean, ...specs: readonly StoredSpec[]): Promise<Harness> {
  const harness = new Harness([]);
  harness.signingKey = async () => key;
  harness.inventory = { ...harness.inventory, registration };
  for (const spec of specs) await harness.store.create(spec.name, spec);
  await harness.run({ certificates: specs.map(({ name }) => name) });
  if (!isOld) await harness.run();
  return harness;
}

function allow(harness: Harness, change: Partial<typeof registration>): void {
  harness.inventory = { ...harness.inventory, registration: { ...registration, ...change } };
}

const otherZone = { zones: ['example.org'] };
const line = 'add "- a.example.com" to registration.zones';

describe('what an earlier version accepted and the inventory does not allow', () => {
  it('is noted by the first full pass and said in its report, with the line to add', async () => {
    const harness = await open(true, customer);
    allow(harness, otherZone);
    const { report } = await harness.run();
    const until = new Date(harness.clock.now().getTime() + 90 * dayMs);
    expect(harness.state('customer').graceUntil).toEqual(until);
    expect(report.certificates).toMatchObject([
      { name: 'customer', decision: 'keep', graceUntil: until, misfits: [expect.stringContaining(line)] },
    ]);
    expect(harness.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('is renewed until its time is over, said in each report, and not after it', async () => {
    const harness = await open(true, customer);
    allow(harness, otherZone);
    await harness.run();
    harness.clock.pass(61 * dayMs);
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([
      { outcome: 'issued', misfits: [expect.stringContaining(line)] },
    ]);
    harness.clock.pass(61 * dayMs);
    const later = (await harness.run()).report;
    expect(later.certificates).toMatchObject([
      { decision: 'wait', reason: 'NotAllowed', message: expect.stringContaining(line) },
    ]);
    expect(later.certificates[0]?.message).toContain('its grace ended at');
    expect(harness.ca.count('newOrder')).toBe(2);
    expect(harness.state('customer').error).toBe('NotAllowed');
  });

  it('is not refused by a pass whose list does not show yet what the one before noted', async () => {
    const harness = await open(true, customer);
    allow(harness, otherZone);
    const list = harness.store.list.bind(harness.store);
    harness.store.list = async () =>
      (await list()).map((entry) => {
        const state = Object.entries(entry.state).filter(([field]) => field !== 'graceUntil');
        return { ...entry, state: Object.fromEntries(state) };
      });
    await harness.run();
    const signed = harness.state('customer').signatures;
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ decision: 'keep' }]);
    expect(harness.state('customer')).toMatchObject({ signatures: signed });
    expect(harness.state('customer').error).toBeUndefined();
  });

  it('keeps its time where the tag of this version’s first run was emptied', async () => {
    const harness = await open(true, customer);
    allow(harness, otherZone);
    await harness.run();
    const { record } = harness.installation;
    if (record) harness.installation.record = { ...record, firstRun: new Date(0) };
    harness.clock.pass(dayMs);
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('has until the end of what is stored where that is later than 90 days', async () => {
    const harness = await open(true, customer);
    const notAfter = new Date(harness.clock.now().getTime() + 200 * dayMs);
    await harness.store.record('customer', { notAfter });
    allow(harness, otherZone);
    await harness.run();
    expect(harness.state('customer').graceUntil).toEqual(notAfter);
  });

  it.each([
    ['a restart of a workload', { targets: [{ ...place, restart: [{ kind: 'Deployment', name: 'db' }] }] }],
    ['a namespace', { targets: [{ ...place, namespace: 'kube-system' }] }],
  ] as const)('is noted too where only its value tells of it: %s', async (_, change) => {
    const harness = await open(true, { ...customer, ...change });
    const { report } = await harness.run();
    expect(harness.state('customer').graceUntil).toBeInstanceOf(Date);
    expect(report.certificates[0]?.misfits).toHaveLength(1);
    harness.clock.pass(61 * dayMs);
    expect((await harness.run()).report.certificates).toMatchObject([
      { outcome: 'issued', misfits: [expect.stringContaining('to registration')] },
    ]);
  });

  it('is ordered before the first full pass too, by a message of the queue', async () => {
    const harness = await open(true, customer);
    allow(harness, otherZone);
    harness.clock.pass(61 * dayMs);
    const { report } = await harness.run({ certificates: ['customer'] });
    expect(report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(harness.state('customer').graceUntil).toBeUndefined();
  });

  it('loses nothing where the first pass crashes in its middle, or two run at once', async () => {
    const other = { ...customer, name: 'other', domains: ['b.example.com'] };
    const harness = await open(true, customer, other);
    allow(harness, otherZone);
    harness.store.failures.next('record', new Error('throttled'));
    await harness.run();
    expect(harness.installation.record?.lastPass).toBe('open');
    harness.clock.pass(dayMs / 24);
    await Promise.all([harness.run(), harness.run()]);
    expect(harness.installation.record?.lastPass).toBeInstanceOf(Date);
    expect(harness.state('customer').graceUntil).toBeInstanceOf(Date);
    expect(harness.state('other').graceUntil).toBeInstanceOf(Date);
  });

  it('is not lost where the record of the installation cannot be read', async () => {
    const harness = await open(true, customer);
    await harness.installation.create({ firstRun: harness.clock.now(), isUpgraded: true });
    allow(harness, otherZone);
    harness.installation.failures.next('read', new Error('throttled'));
    await harness.run();
    expect(harness.installation.record?.lastPass).toBe('open');
    await harness.run();
    expect(harness.state('customer').graceUntil).toBeInstanceOf(Date);
  });

  it('is forgotten once the line is added, and has no second time', async () => {
    const harness = await open(true, customer);
    allow(harness, otherZone);
    await harness.run();
    allow(harness, {});
    const { report } = await harness.run();
    expect(report.certificates[0]?.misfits).toBeUndefined();
    expect(harness.state('customer').graceUntil).toBeUndefined();
    allow(harness, otherZone);
    expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'NotAllowed' }]);
  });

  it('has no more time than anything can have had, whatever somebody writes on the tag', async () => {
    const harness = await open(false, customer);
    const firstRun = harness.installation.record?.firstRun.getTime() ?? 0;
    allow(harness, otherZone);
    await harness.store.record('customer', { graceUntil: new Date('2099-01-01T00:00:00Z') });
    await harness.run();
    const believed = harness.state('customer').graceUntil?.getTime() ?? 0;
    expect(believed - firstRun).toBeLessThanOrEqual(398 * dayMs);
    expect(harness.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'tags disagreed' }),
    );
  });
});

describe('what stops fitting later', () => {
  it.each([
    ['its zone is gone', otherZone],
    ['its namespace is gone', { targets: [{ ...place, namespace: 'other' }] }],
  ])('is not renewed once %s, and is again once the inventory allows it', async (_, change) => {
    const harness = await open(false, customer);
    allow(harness, change);
    harness.clock.pass(61 * dayMs);
    for (const request of [{}, { certificates: ['customer'], force: true }]) {
      const { report } = await harness.run(request);
      expect(report.certificates).toMatchObject([{ decision: 'wait', reason: 'NotAllowed' }]);
      expect(report.certificates[0]?.message).toContain('add "- ');
    }
    expect(harness.ca.count('newOrder')).toBe(1);
    expect(harness.state('customer')).toMatchObject({ error: 'NotAllowed' });
    allow(harness, {});
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(harness.state('customer').error).toBeUndefined();
  });

  it('is said before it is due, an error once and a warning from then on', async () => {
    const harness = await open(false, customer);
    allow(harness, otherZone);
    await harness.run();
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ decision: 'wait', reason: 'NotAllowed' }]);
    const said = harness.log.lines.filter(({ event }) => event === 'certificate not allowed');
    expect(said.map(({ level }) => level)).toEqual(['error', 'warn']);
  });

  it('is said within a day where only its value tells of it', async () => {
    const harness = await open(false, customer);
    allow(harness, { targets: [{ ...place, namespace: 'other' }] });
    harness.clock.pass(dayMs);
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([
      { reason: 'NotAllowed', message: expect.stringContaining('{ cluster: edge, namespace: shop }') },
    ]);
  });

  it('is everything of a source whose section is gone, and nothing of the file or imported by hand', async () => {
    const imported: StoredSpec = {
      ...customer,
      name: 'imported',
      domains: ['c.elsewhere.test'],
      source: 'import',
    };
    const harness = await open(false, customer, imported);
    const { registration: _, ...rest } = harness.inventory;
    harness.inventory = { ...rest, certificates: [specOf('own', ['own.example.net'])] };
    const { report } = await harness.run();
    const reasons = Object.fromEntries(report.certificates.map(({ name, reason }) => [name, reason]));
    expect(reasons).toEqual({ customer: 'NotAllowed', imported: 'Current', own: 'Missing' });
    expect(harness.state('customer').graceUntil).toBeUndefined();
  });

  it('does not follow from tags that somebody changed: the value tells', async () => {
    const harness = await open(false, customer);
    await harness.store.record('customer', { domains: ['a.elsewhere.test'] });
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('is said by a dry run, which writes nothing', async () => {
    const harness = await open(false, customer);
    allow(harness, otherZone);
    const records = harness.store.count('record');
    const { report } = await harness.run({ dryRun: true });
    expect(report.certificates).toMatchObject([{ decision: 'wait', reason: 'NotAllowed' }]);
    expect(harness.store.count('record')).toBe(records);
  });

  it('is stated to agents no more, and is again once it is allowed', async () => {
    const harness = await open(false, customer);
    expect(harness.state('customer').signatures?.edge).toBeDefined();
    allow(harness, otherZone);
    await harness.run();
    expect(harness.state('customer').signatures?.edge).toBeUndefined();
    await harness.run();
    expect(harness.state('customer').signatures?.edge).toBeUndefined();
    allow(harness, {});
    await harness.run();
    expect(harness.state('customer').signatures?.edge).toBeDefined();
  });
});

it('reads no value of what fits and is not due, once a full pass has ended', async () => {
  const harness = await open(false, customer);
  const calls = harness.store.calls.length;
  await harness.run();
  expect(harness.store.calls.slice(calls)).toEqual(['list *']);
});

it('what two sources share already is noted for the one that came later, which has its time of grace', async () => {
  const found: StoredSpec = { ...customer, name: 'edge-shop-tls-0a1b2c3d', source: 'discovery' };
  const discovery = discoveryOf({ places: [{ cluster: 'edge', namespace: 'shop' }] });
  const harness = new Harness([]);
  harness.signingKey = async () => key;
  harness.inventory = { ...harness.inventory, registration };
  await harness.store.create('customer', customer);
  await harness.run({ certificates: ['customer'] });
  await harness.store.create(found.name, found);
  await harness.run({ certificates: [found.name] });
  harness.inventory = { ...harness.inventory, discovery };
  await harness.run({ certificates: [found.name] });
  harness.clock.pass(dayMs);
  const { report } = await harness.run();
  const lines = new Map(report.certificates.map((line) => [line.name, line]));
  expect(lines.get('customer')?.misfits).toBeUndefined();
  expect(lines.get(found.name)?.misfits).toEqual([
    expect.stringContaining('a.example.com belongs to certificate customer of the webhook'),
  ]);
  const until = harness.state(found.name).graceUntil;
  expect(until).toBeInstanceOf(Date);
  await harness.run({ certificates: [found.name] });
  expect(harness.state(found.name).graceUntil).toEqual(until);
  harness.clock.pass(95 * dayMs);
  const later = (await harness.run()).report.certificates.find(({ name }) => name === found.name);
  expect(later).toMatchObject({ decision: 'wait', reason: 'NotAllowed' });
});

it('an order that was under way leaves no TXT value where its certificate is not allowed any more', async () => {
  const harness = await open(false, customer);
  harness.clock.pass(61 * dayMs);
  harness.ca.failures.next('answerChallenge', new Error('the connection broke'));
  harness.records.failures.next('cleanUp', new Error('throttled'));
  await harness.run();
  expect(harness.records.values.size).toBe(1);
  allow(harness, otherZone);
  harness.clock.pass(dayMs);
  await harness.run();
  expect(harness.records.values.size).toBe(0);
  expect(harness.pending('customer')).toBeUndefined();
});
