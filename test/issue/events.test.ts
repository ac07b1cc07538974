// What `issue` tells on the event bus.
import { expect, it } from 'vitest';
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
