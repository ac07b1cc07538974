// Specifications that are not the file's, held against today's inventory: what an earlier version accepted
// has its time of grace, what stops fitting later has none.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { targetOf } from '../minting/targets.ts';
import { Bench, dayMs, specOf } from './harness.ts';

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
async function open(isOld: boolean, ...specs: readonly StoredSpec[]): Promise<Bench> {
  const bench = new Bench([]);
  bench.signingKey = async () => key;
  bench.inventory = { ...bench.inventory, registration };
  for (const spec of specs) await bench.store.create(spec.name, spec);
  await bench.run({ certificates: specs.map(({ name }) => name) });
  if (!isOld) await bench.run();
  return bench;
}

function allow(bench: Bench, change: Partial<typeof registration>): void {
  bench.inventory = { ...bench.inventory, registration: { ...registration, ...change } };
}

const otherZone = { zones: ['example.org'] };
const line = 'add "- a.example.com" to registration.zones';

describe('what an earlier version accepted and the inventory does not allow', () => {
  it('is noted by the first full pass and said in its report, with the line to add', async () => {
    const bench = await open(true, customer);
    allow(bench, otherZone);
    const { report } = await bench.run();
    const until = new Date(bench.clock.now().getTime() + 90 * dayMs);
    expect(bench.state('customer').graceUntil).toEqual(until);
    expect(report.certificates).toMatchObject([
      { name: 'customer', decision: 'keep', graceUntil: until, misfits: [expect.stringContaining(line)] },
    ]);
    expect(bench.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('is renewed until its time is over, said in each report, and not after it', async () => {
    const bench = await open(true, customer);
    allow(bench, otherZone);
    await bench.run();
    bench.clock.pass(61 * dayMs);
    const { report } = await bench.run();
    expect(report.certificates).toMatchObject([
      { outcome: 'issued', misfits: [expect.stringContaining(line)] },
    ]);
    bench.clock.pass(61 * dayMs);
    const later = (await bench.run()).report;
    expect(later.certificates).toMatchObject([
      { decision: 'wait', reason: 'NotAllowed', message: expect.stringContaining(line) },
    ]);
    expect(later.certificates[0]?.message).toContain('its grace ended at');
    expect(bench.ca.count('newOrder')).toBe(2);
    expect(bench.state('customer').error).toBe('NotAllowed');
  });

  it('is not refused by a pass whose list does not show yet what the one before noted', async () => {
    const bench = await open(true, customer);
    allow(bench, otherZone);
    const list = bench.store.list.bind(bench.store);
    bench.store.list = async () =>
      (await list()).map((entry) => {
        const state = Object.entries(entry.state).filter(([field]) => field !== 'graceUntil');
        return { ...entry, state: Object.fromEntries(state) };
      });
    await bench.run();
    const signed = bench.state('customer').signatures;
    const { report } = await bench.run();
    expect(report.certificates).toMatchObject([{ decision: 'keep' }]);
    expect(bench.state('customer')).toMatchObject({ signatures: signed });
    expect(bench.state('customer').error).toBeUndefined();
  });

  it('keeps its time where the tag of this version’s first run was emptied', async () => {
    const bench = await open(true, customer);
    allow(bench, otherZone);
    await bench.run();
    const { record } = bench.installation;
    if (record) bench.installation.record = { ...record, firstRun: new Date(0) };
    bench.clock.pass(dayMs);
    expect((await bench.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('has until the end of what is stored where that is later than 90 days', async () => {
    const bench = await open(true, customer);
    const notAfter = new Date(bench.clock.now().getTime() + 200 * dayMs);
    await bench.store.record('customer', { notAfter });
    allow(bench, otherZone);
    await bench.run();
    expect(bench.state('customer').graceUntil).toEqual(notAfter);
  });

  it.each([
    ['a restart of a workload', { targets: [{ ...place, restart: [{ kind: 'Deployment', name: 'db' }] }] }],
    ['a namespace', { targets: [{ ...place, namespace: 'kube-system' }] }],
  ] as const)('is noted too where only its value tells of it: %s', async (_, change) => {
    const bench = await open(true, { ...customer, ...change });
    const { report } = await bench.run();
    expect(bench.state('customer').graceUntil).toBeInstanceOf(Date);
    expect(report.certificates[0]?.misfits).toHaveLength(1);
    bench.clock.pass(61 * dayMs);
    expect((await bench.run()).report.certificates).toMatchObject([
      { outcome: 'issued', misfits: [expect.stringContaining('to registration')] },
    ]);
  });

  it('is ordered before the first full pass too, by a message of the queue', async () => {
    const bench = await open(true, customer);
    allow(bench, otherZone);
    bench.clock.pass(61 * dayMs);
    const { report } = await bench.run({ certificates: ['customer'] });
    expect(report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(bench.state('customer').graceUntil).toBeUndefined();
  });

  it('loses nothing where the first pass crashes in its middle, or two run at once', async () => {
    const other = { ...customer, name: 'other', domains: ['b.example.com'] };
    const bench = await open(true, customer, other);
    allow(bench, otherZone);
    bench.store.failures.next('record', new Error('throttled'));
    await bench.run();
    expect(bench.installation.record?.lastPass).toBe('open');
    bench.clock.pass(dayMs / 24);
    await Promise.all([bench.run(), bench.run()]);
    expect(bench.installation.record?.lastPass).toBeInstanceOf(Date);
    expect(bench.state('customer').graceUntil).toBeInstanceOf(Date);
    expect(bench.state('other').graceUntil).toBeInstanceOf(Date);
  });

  it('is not lost where the record of the installation cannot be read', async () => {
    const bench = await open(true, customer);
    await bench.installation.create({ firstRun: bench.clock.now(), isUpgraded: true });
    allow(bench, otherZone);
    bench.installation.failures.next('read', new Error('throttled'));
    await bench.run();
    expect(bench.installation.record?.lastPass).toBe('open');
    await bench.run();
    expect(bench.state('customer').graceUntil).toBeInstanceOf(Date);
  });

  it('is forgotten once the line is added, and has no second time', async () => {
    const bench = await open(true, customer);
    allow(bench, otherZone);
    await bench.run();
    allow(bench, {});
    const { report } = await bench.run();
    expect(report.certificates[0]?.misfits).toBeUndefined();
    expect(bench.state('customer').graceUntil).toBeUndefined();
    allow(bench, otherZone);
    expect((await bench.run()).report.certificates).toMatchObject([{ reason: 'NotAllowed' }]);
  });

  it('has no more time than anything can have had, whatever somebody writes on the tag', async () => {
    const bench = await open(false, customer);
    const firstRun = bench.installation.record?.firstRun.getTime() ?? 0;
    allow(bench, otherZone);
    await bench.store.record('customer', { graceUntil: new Date('2099-01-01T00:00:00Z') });
    await bench.run();
    const believed = bench.state('customer').graceUntil?.getTime() ?? 0;
    expect(believed - firstRun).toBeLessThanOrEqual(398 * dayMs);
    expect(bench.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'tags disagreed' }),
    );
  });
});

describe('what stops fitting later', () => {
  it.each([
    ['its zone is gone', otherZone],
    ['its namespace is gone', { targets: [{ ...place, namespace: 'other' }] }],
  ])('is not renewed once %s, and is again once the inventory allows it', async (_, change) => {
    const bench = await open(false, customer);
    allow(bench, change);
    bench.clock.pass(61 * dayMs);
    for (const request of [{}, { certificates: ['customer'], force: true }]) {
      const { report } = await bench.run(request);
      expect(report.certificates).toMatchObject([{ decision: 'wait', reason: 'NotAllowed' }]);
      expect(report.certificates[0]?.message).toContain('add "- ');
    }
    expect(bench.ca.count('newOrder')).toBe(1);
    expect(bench.state('customer')).toMatchObject({ error: 'NotAllowed' });
    allow(bench, {});
    expect((await bench.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(bench.state('customer').error).toBeUndefined();
  });

  it('is said before it is due, an error once and a warning from then on', async () => {
    const bench = await open(false, customer);
    allow(bench, otherZone);
    await bench.run();
    const { report } = await bench.run();
    expect(report.certificates).toMatchObject([{ decision: 'wait', reason: 'NotAllowed' }]);
    const said = bench.log.lines.filter(({ event }) => event === 'certificate not allowed');
    expect(said.map(({ level }) => level)).toEqual(['error', 'warn']);
  });

  it('is said within a day where only its value tells of it', async () => {
    const bench = await open(false, customer);
    allow(bench, { targets: [{ ...place, namespace: 'other' }] });
    bench.clock.pass(dayMs);
    const { report } = await bench.run();
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
    const bench = await open(false, customer, imported);
    const { registration: _, ...rest } = bench.inventory;
    bench.inventory = { ...rest, certificates: [specOf('own', ['own.example.net'])] };
    const { report } = await bench.run();
    const reasons = Object.fromEntries(report.certificates.map(({ name, reason }) => [name, reason]));
    expect(reasons).toEqual({ customer: 'NotAllowed', imported: 'Current', own: 'Missing' });
    expect(bench.state('customer').graceUntil).toBeUndefined();
  });

  it('does not follow from tags that somebody changed: the value tells', async () => {
    const bench = await open(false, customer);
    await bench.store.record('customer', { domains: ['a.elsewhere.test'] });
    const { report } = await bench.run();
    expect(report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('is said by a dry run, which writes nothing', async () => {
    const bench = await open(false, customer);
    allow(bench, otherZone);
    const records = bench.store.count('record');
    const { report } = await bench.run({ dryRun: true });
    expect(report.certificates).toMatchObject([{ decision: 'wait', reason: 'NotAllowed' }]);
    expect(bench.store.count('record')).toBe(records);
  });

  it('is stated to agents no more, and is again once it is allowed', async () => {
    const bench = await open(false, customer);
    expect(bench.state('customer').signatures?.edge).toBeDefined();
    allow(bench, otherZone);
    await bench.run();
    expect(bench.state('customer').signatures?.edge).toBeUndefined();
    await bench.run();
    expect(bench.state('customer').signatures?.edge).toBeUndefined();
    allow(bench, {});
    await bench.run();
    expect(bench.state('customer').signatures?.edge).toBeDefined();
  });
});

it('reads no value of what fits and is not due, once a full pass has ended', async () => {
  const bench = await open(false, customer);
  const calls = bench.store.calls.length;
  await bench.run();
  expect(bench.store.calls.slice(calls)).toEqual(['list *']);
});

it('what two sources share already is noted for the one that came later, which has its time of grace', async () => {
  const found: StoredSpec = { ...customer, name: 'edge-shop-tls-0a1b2c3d', source: 'discovery' };
  const discovery: NonNullable<Inventory['discovery']> = {
    places: [{ cluster: 'edge', namespace: 'shop' }],
    zones: ['example.com'],
    annotation: 'certrelay.dev/tls',
    hints: false,
    issuer: 'default',
    key: 'ecdsa-p256',
    adopt: false,
  };
  const bench = new Bench([]);
  bench.signingKey = async () => key;
  bench.inventory = { ...bench.inventory, registration };
  await bench.store.create('customer', customer);
  await bench.run({ certificates: ['customer'] });
  await bench.store.create(found.name, found);
  await bench.run({ certificates: [found.name] });
  bench.inventory = { ...bench.inventory, discovery };
  await bench.run({ certificates: [found.name] });
  bench.clock.pass(dayMs);
  const { report } = await bench.run();
  const lines = new Map(report.certificates.map((line) => [line.name, line]));
  expect(lines.get('customer')?.misfits).toBeUndefined();
  expect(lines.get(found.name)?.misfits).toEqual([
    expect.stringContaining('a.example.com belongs to certificate customer of the webhook'),
  ]);
  const until = bench.state(found.name).graceUntil;
  expect(until).toBeInstanceOf(Date);
  await bench.run({ certificates: [found.name] });
  expect(bench.state(found.name).graceUntil).toEqual(until);
  bench.clock.pass(95 * dayMs);
  const later = (await bench.run()).report.certificates.find(({ name }) => name === found.name);
  expect(later).toMatchObject({ decision: 'wait', reason: 'NotAllowed' });
});

it('an order that was under way leaves no TXT value where its certificate is not allowed any more', async () => {
  const bench = await open(false, customer);
  bench.clock.pass(61 * dayMs);
  bench.ca.failures.next('answerChallenge', new Error('the connection broke'));
  bench.records.failures.next('cleanUp', new Error('throttled'));
  await bench.run();
  expect(bench.records.values.size).toBe(1);
  allow(bench, otherZone);
  bench.clock.pass(dayMs);
  await bench.run();
  expect(bench.records.values.size).toBe(0);
  expect(bench.pending('customer')).toBeUndefined();
});
