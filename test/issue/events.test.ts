// What `issue` tells on the event bus.
import { expect, it } from 'vitest';
import { announceIssued, announceRegistered } from '../../lib/policy/events/announcement.ts';
import { describeEvent } from '../../lib/policy/events/detail.ts';
import { EventError } from '../../lib/ports/events.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { FakeEventBus } from '../fakes/event-bus.ts';
import { Harness, specOf } from './harness.ts';

function open() {
  const harness = new Harness([specOf('shop', ['shop.example.com', 'www.shop.example.com'])]);
  const bus = new FakeEventBus();
  harness.putEvents = bus.put;
  return { harness, bus };
}

it('a certificate that is issued is told once, with its names and its end', async () => {
  const { harness, bus } = open();
  await harness.run({ dryRun: true });
  expect(bus.events).toEqual([]);
  await harness.run();
  await harness.run();
  const { version, notAfter } = harness.state('shop');
  expect(bus.events).toMatchObject([
    {
      type: 'Certificate Issued',
      arn: harness.store.arnOf('shop'),
      certificate: 'shop',
      domains: ['shop.example.com', 'www.shop.example.com'],
      version,
      notAfter: notAfter?.toISOString(),
      since: harness.clock.now().toISOString(),
      health: null,
      targets: null,
    },
  ]);
});

it('a run that ends between the event and its record is told of again, with the same id', async () => {
  const { harness, bus } = open();
  bus.afterPut = () => harness.store.failures.next('record', new StoreError('Failed', 'killed'));
  await harness.run();
  expect(harness.log.events()).toContain('state not recorded');
  bus.afterPut = () => undefined;
  await harness.run({ certificates: ['shop'] });
  expect(bus.types()).toEqual(['Certificate Issued', 'Certificate Issued']);
  expect(new Set(bus.events.map(({ id }) => id)).size).toBe(1);
  await harness.run({ certificates: ['shop'] });
  expect(bus.events).toHaveLength(2);
});

it('a bus that takes nothing is a warning, and the certificate is recorded', async () => {
  const { harness, bus } = open();
  bus.isClosed = true;
  const { failures } = await harness.run();
  expect(failures).toEqual([]);
  expect(harness.state('shop')).toMatchObject({ version: expect.any(String) });
  expect(harness.log.lines).toContainEqual({
    level: 'warn',
    event: 'event not put',
    fields: expect.objectContaining({
      certificate: 'shop',
      event: 'Certificate Issued',
      problem: 'the bus is closed',
    }),
  });
});

it('an event that the bus did not take is owed, put by the next pass with the id of then, and owed no longer', async () => {
  const { harness, bus } = open();
  bus.isClosed = true;
  await harness.run();
  const at = harness.clock.now();
  const { version, notAfter } = harness.state('shop');
  expect(harness.state('shop').owedEvents).toEqual([{ kind: 'issued', at, version, notAfter }]);
  const revoked = { kind: 'revoked', at, version: 'v0', notAfter: at, reason: 'superseded' } as const;
  const owed = [...(harness.state('shop').owedEvents ?? []), revoked];
  await harness.store.record('shop', { owedEvents: owed });
  harness.clock.pass(60_000);
  await harness.run();
  expect(harness.state('shop').owedEvents, 'the bus is still closed').toHaveLength(2);
  bus.isClosed = false;
  await harness.run({ dryRun: true });
  expect(bus.events).toEqual([]);
  await harness.run();
  expect(bus.events).toMatchObject([
    { type: 'Certificate Issued', version, since: at.toISOString() },
    { type: 'Certificate Revoked', version: 'v0', reason: 'superseded' },
  ]);
  expect(harness.state('shop').owedEvents).toBeUndefined();
  const writes = harness.store.count('record');
  await harness.run();
  expect([bus.events.length, harness.store.count('record')]).toEqual([2, writes]);

  // The id is that of an event which was put at once.
  const other = open();
  await other.harness.run();
  const [first] = other.bus.events;
  const same = announceIssued({ certificate: 'shop', version: first?.version ?? '', notAfter: at, at });
  expect(describeEvent(same, 'certrelay').id).toBe(first?.id);
});

it('what deploy owes, and puts, while an order is under way stays so', async () => {
  const { harness } = open();
  await harness.run();
  const at = harness.clock.now();
  const fingerprint = 'ab'.repeat(32);
  const delivered = (version: string) => {
    return { kind: 'delivered', at, version, notAfter: at, fingerprint, isRepeat: false } as const;
  };
  await harness.store.record('shop', { owedEvents: [delivered('v1')] });
  harness.putEvents = async (announcements) => {
    await harness.store.record('shop', { owedEvents: [delivered('v2')] });
    return announcements.map(() => new EventError('EventFailed', 'the bus is closed'));
  };
  await harness.run({ certificates: ['shop'], force: true });
  expect(harness.state('shop').owedEvents).toMatchObject([delivered('v2'), { kind: 'issued' }]);
});

it('a bus that takes one of two owed events is owed the other', async () => {
  const { harness, bus } = open();
  await harness.run();
  const at = harness.clock.now();
  const owed = ['v1', 'v2'].map((version) => ({ kind: 'issued', at, version, notAfter: at }) as const);
  await harness.store.record('shop', { owedEvents: owed });
  harness.putEvents = async (announcements) => [
    new EventError('EventFailed', 'slow down'),
    ...(await bus.put(announcements.slice(1))),
  ];
  await harness.run();
  expect(harness.state('shop').owedEvents).toEqual(owed.slice(0, 1));
});

it('a registration whose sender was killed before it was told is told by a pass over everything, once', async () => {
  const bus = new FakeEventBus();
  const harness = new Harness([]);
  harness.putEvents = bus.put;
  const domains = ['a.example.com'];
  const spec = { name: 'a', domains, issuer: 'default', key: 'ecdsa-p256', targets: [] } as const;
  await harness.store.create('a', { ...spec, source: 'registration' });
  await harness.run({ certificates: ['a'], dryRun: true });
  expect(bus.types()).toEqual([]);
  await harness.run();
  expect(bus.types()).toEqual(['Certificate Registered', 'Certificate Issued']);
  const arn = harness.store.arnOf('a');
  const at = harness.clock.now();
  const told = announceRegistered({ certificate: 'a', arn, domains, at, by: 'registration' });
  expect(bus.events[0]?.id, 'as `register` would have').toBe(describeEvent(told, 'certrelay').id);
  await harness.run();
  expect(bus.events).toHaveLength(2);
});

it('a registration that a person has paused is told of by nobody again, however often a pass comes', async () => {
  const bus = new FakeEventBus();
  const harness = new Harness([]);
  harness.putEvents = bus.put;
  const spec = { name: 'a', domains: ['a.example.com'], issuer: 'default', key: 'ecdsa-p256' } as const;
  await harness.store.create('a', { ...spec, targets: [], source: 'registration' });
  await harness.store.record('a', { pausedSince: harness.clock.now() });
  await harness.run();
  await harness.run();
  expect(bus.types()).toEqual([]);
});

it('what somebody else owes since the list is kept', async () => {
  const { harness, bus } = open();
  await harness.run();
  const at = harness.clock.now();
  const owed = ['v1', 'v2'].map((version) => ({ kind: 'issued', at, version, notAfter: at }) as const);
  await harness.store.record('shop', { owedEvents: owed.slice(0, 1) });
  bus.afterPut = () => void harness.store.record('shop', { owedEvents: owed });
  await harness.run();
  expect(harness.state('shop').owedEvents).toEqual(owed.slice(1));
});

it('what is owed of a certificate that is let go is told before its AWS secret is gone', async () => {
  const { harness, bus } = open();
  await harness.run();
  const at = harness.clock.now();
  const owed = { kind: 'revoked', at, version: 'v1', notAfter: at, reason: 'superseded' } as const;
  await harness.store.record('shop', { owedEvents: [owed], retire: { kind: 'retire', at, revoke: false } });
  harness.inventory = { ...harness.inventory, certificates: [] };
  await harness.run();
  expect(bus.types()).toContain('Certificate Revoked');
  expect(harness.state('shop').owedEvents).toBeUndefined();
});
