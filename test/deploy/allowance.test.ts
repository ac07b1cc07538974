// What the webhook or discovery registered, held against today's inventory: what it does not allow is neither
// delivered nor taken away, and what has its time of grace is delivered as before.
import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import type { InstallationRecord } from '../../lib/ports/installation.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { discoveryOf } from '../minting/discovery.ts';
import { targetOf } from '../minting/targets.ts';
import { bindingOf, codesOf, type HarnessOptions, openHarness, targetsOf } from './harness.ts';

const place = targetOf({ secret: 'tls' });
const registered: StoredSpec = {
  name: 'customer',
  domains: ['a.example.com'],
  issuer: 'default',
  key: 'ecdsa-p256',
  targets: [place],
  source: 'registration',
};
const found: StoredSpec = {
  ...registered,
  name: 'lab-shop-tls-0a1b2c3d',
  targets: [{ ...place, restart: 'none' }],
  source: 'discovery',
};
const registration: NonNullable<Inventory['registration']> = {
  zones: ['example.com'],
  issuer: 'default',
  key: 'ecdsa-p256',
  targets: [place],
};
const discovery = discoveryOf();
const firstRun = new Date('2026-11-01T00:00:00Z');
const past: InstallationRecord = { firstRun, isUpgraded: true, lastPass: firstRun };

/** A certificate that was delivered while it was allowed, and has a new version since. */
async function open(
  spec: StoredSpec,
  record: InstallationRecord | Error | 'none' = past,
  more: Partial<HarnessOptions> = {},
) {
  const harness = await openHarness({
    targets: [targetOf()],
    installation: {
      read: async () => {
        if (record instanceof Error) throw record;
        return record === 'none' ? undefined : record;
      },
    },
    ...more,
  });
  harness.lab.create(bindingOf('shop', 'certrelay-prune'));
  harness.addWorkload('Deployment', 'db');
  harness.allow({ registration, discovery });
  await harness.issueStored(spec, 'old');
  await harness.deploy();
  const version = () => harness.secret('tls')?.metadata.annotations?.['certrelay.dev/version'];
  expect(version()).toBe('old');
  await harness.issueStored(spec, 'new');
  const deploy = async () => {
    const report = await harness.deploy();
    const [own] = report.certificates.filter(({ name }) => name === spec.name);
    return { report, own, target: targetsOf(report).find(({ certificate }) => certificate === spec.name) };
  };
  return { harness, version, deploy };
}

const zones = ['example.org'];
const others = { ...place, namespace: 'other' };
const tenant = { wildcards: false, apex: false, zones };
type Sections = Pick<Inventory, 'registration' | 'discovery'>;

describe('is not delivered, and stays as it is', () => {
  it.each<[string, StoredSpec, Sections, string]>([
    [
      'webhook: outside the zones',
      registered,
      { registration: { ...registration, zones } },
      '- a.example.com',
    ],
    [
      'webhook: in a namespace that is gone',
      registered,
      { registration: { ...registration, targets: [others] } },
      '- { cluster: lab, namespace: shop }',
    ],
    [
      'webhook: with a restart',
      { ...registered, targets: [{ ...place, restart: [{ kind: 'Deployment', name: 'db' }] }] },
      { registration },
      'restarts: [auto, Deployment/db]',
    ],
    ['webhook: whose section is gone', registered, { discovery }, 'registration: {'],
    ['discovery: outside the zones', found, { discovery: { ...discovery, zones } }, '- a.example.com'],
    [
      'discovery: outside the place',
      found,
      { discovery: { ...discovery, places: [{ cluster: 'lab', namespace: 'shop', tenant }] } },
      '- a.example.com',
    ],
    [
      'discovery: in a place that is gone',
      found,
      { discovery: { ...discovery, places: [{ cluster: 'lab', namespace: 'other' }] } },
      '- lab/shop',
    ],
    ['discovery: whose section is gone', found, { registration }, 'discovery: {'],
  ])('%s', async (_, spec, sections, line) => {
    const { harness, version, deploy } = await open({ ...spec, targets: [place] }, past, { prune: true });
    await harness.issueStored(spec, 'newest');
    harness.allow(sections);
    harness.calls();
    const records = harness.store.count('record');
    const { report, target } = await deploy();
    expect(target).toMatchObject({ outcome: 'refused', message: expect.stringContaining(`add "${line}`) });
    expect(codesOf(report)).toEqual(['NotAllowed']);
    expect(report.pruned).toEqual([]);
    expect(version()).toBe('old');
    expect(harness.store.count('record')).toBe(records);
    expect(harness.calls().filter((call) => !call.startsWith('list ') && !call.startsWith('get '))).toEqual(
      [],
    );
    harness.allow({
      registration: { ...registration, restarts: ['auto', { kind: 'Deployment', name: 'db' }] },
      discovery,
    });
    expect((await deploy()).target).toMatchObject({ outcome: 'delivered' });
    expect(version()).toBe('newest');
  });

  it('nor are its other targets, with one error for all, and those of the file are delivered', async () => {
    const targets = [place, { ...place, secret: 'second' }, { ...place, namespace: 'other' }];
    const { harness, deploy } = await open({ ...registered, targets: [place] });
    await harness.issueStored({ ...registered, targets }, 'newest');
    await harness.issue('shop', 'version-2');
    const { report, own } = await deploy();
    expect(own?.targets.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused']);
    expect(codesOf(report)).toEqual(['NotAllowed']);
    expect(harness.secret()?.metadata.annotations?.['certrelay.dev/version']).toBe('version-2');
    expect(harness.secret('second')).toBeUndefined();
  });
});

describe('is delivered as before, and named with the line to add', () => {
  it.each([
    ['in its time of grace', past, '2026-12-24T00:00:00Z'],
    ['before the first full pass has noted anything', { ...past, lastPass: 'open' as const }, undefined],
    ['before the first full pass', 'none' as const, undefined],
    ['where the role may not ask whether it was noted', new StoreError('Denied', 'denied'), undefined],
  ])('%s', async (_, record, until) => {
    const { harness, version, deploy } = await open(registered, record);
    if (until) await harness.store.record('customer', { graceUntil: new Date(until) });
    harness.allow({ registration: { ...registration, zones } });
    const { own, report } = await deploy();
    expect(own).toMatchObject({
      decision: 'delivered',
      misfits: [expect.stringContaining('add "- a.example.com" to registration.zones')],
      ...(until ? { graceUntil: new Date(until) } : {}),
    });
    expect(report.failures.size).toBe(0);
    expect(version()).toBe('new');
    expect(harness.log.events()).toContain('certificate kept in grace');
  });

  it('until that is over, and as long as it can have been at most where somebody wrote the tag', async () => {
    const { harness, deploy } = await open(registered);
    await harness.store.record('customer', { graceUntil: new Date('2099-01-01T00:00:00Z') });
    harness.allow({ registration: { ...registration, zones } });
    expect((await deploy()).own?.decision).toBe('delivered');
    await harness.store.record('customer', { graceUntil: harness.clock.now() });
    expect((await deploy()).own).toMatchObject({
      decision: 'refused',
      targets: [{ message: expect.stringContaining('its grace ended at') }],
    });
  });
});

it('what cannot be told now is tried again, and not delivered on a guess', async () => {
  const { harness, version, deploy } = await open(registered, new StoreError('Throttled', 'slow down'));
  harness.allow({ registration: { ...registration, zones } });
  const { report } = await deploy();
  expect(codesOf(report)).toEqual(['Throttled']);
  expect(version()).toBe('old');
});
