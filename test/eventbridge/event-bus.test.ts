// The adapter for the event bus, over the sandbox's EventBridge.
import { expect, onTestFinished, test } from 'vitest';
import { connectEventBus } from '../../lib/adapters/eventbridge/event-bus.ts';
import { startEventBridge } from '../sandbox/eventbridge/server.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';

const never = new AbortController().signal;
const delivered = {
  certificate: 'shop',
  version: 'version-1',
  fingerprint: 'ab'.repeat(32),
  notAfter: new Date('2027-02-20T10:00:00Z'),
  targets: ['lab/shop/shop-tls', 'acm/us-east-1/shop'],
  served: 'served',
} as const;

async function open(bus = 'deliveries') {
  const [journal, faults] = [new Journal(), new Faults()];
  const service = await startEventBridge({ buses: ['deliveries'], journal, faults });
  onTestFinished(() => service.stop());
  const credentials = { accessKeyId: accessKeyOf('deploy'), secretAccessKey: 'any' };
  const config = { endpoint: service.url, region: 'eu-central-1', credentials };
  const eventBus = connectEventBus({ bus, config });
  onTestFinished(() => eventBus.close());
  return { eventBus, service, faults, journal };
}

test('an event says which version arrived where, with instants as text', async () => {
  const { eventBus, service, journal } = await open();
  await eventBus.announce(delivered, never);
  const detail = { ...delivered, notAfter: '2027-02-20T10:00:00.000Z' };
  expect(service.events).toEqual([
    { bus: 'deliveries', source: 'certrelay', 'detail-type': 'Certificate Delivered', detail },
  ]);
  expect(journal.calls).toMatchObject([
    { action: 'PutEvents', resource: 'arn:aws:events:eu-central-1:123456789012:event-bus/deliveries' },
  ]);
});

test('an entry that is refused in a call that succeeds is an error', async () => {
  const { eventBus, service } = await open();
  service.failing = 'InternalFailure';
  await expect(eventBus.announce(delivered, never)).rejects.toMatchObject({
    code: 'EventFailed',
    message: 'the event was not put on the bus deliveries (InternalFailure); it is not sent again',
  });
});

test('a denial names the action and what gives it', async () => {
  const { eventBus, faults } = await open();
  faults.set('events', 'PutEvents', { kind: 'error', code: 'AccessDeniedException', status: 400 });
  await expect(eventBus.announce(delivered, never)).rejects.toMatchObject({
    code: 'EventFailed',
    message: expect.stringMatching(/events:PutEvents on the bus deliveries: .*parameter eventBus/),
  });
});

test('an event that is too large is refused, and one for a bus that there is not is lost without a word', async () => {
  const { eventBus } = await open();
  const targets = Array.from({ length: 4_000 }, (_, index) => `lab/${'n'.repeat(63)}/secret-${index}`);
  await expect(eventBus.announce({ ...delivered, targets }, never)).rejects.toThrow(
    /\(ValidationException\)/,
  );
  const { eventBus: other, service } = await open('elsewhere');
  await other.announce(delivered, never);
  expect(service.events).toEqual([]);
});

test('an answer that is lost is asked for again; an aborted signal ends it', async () => {
  const { eventBus, faults, service } = await open();
  faults.set('events', 'PutEvents', { kind: 'lose' });
  await eventBus.announce(delivered, never);
  expect(service.events).toHaveLength(2);
  const reason = new Error('time is up');
  await expect(eventBus.announce(delivered, AbortSignal.abort(reason))).rejects.toBe(reason);
});
