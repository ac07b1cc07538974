// The adapter for the event bus, over the sandbox's EventBridge.
import { expect, onTestFinished, test } from 'vitest';
import { connectEventBus } from '../../lib/adapters/eventbridge/event-bus.ts';
import {
  type Announcement,
  announceDelivered,
  announceHealth,
} from '../../lib/policy/events/announcement.ts';
import { startEventBridge } from '../sandbox/eventbridge/server.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';

const never = new AbortController().signal;
const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:certrelay/certificates/shop-AbCdEf';
const delivered = {
  certificate: 'shop',
  arn,
  domains: ['shop.example.com'],
  version: 'version-1',
  fingerprint: 'ab'.repeat(32),
  notAfter: new Date('2027-02-20T10:00:00Z'),
  at: new Date('2026-11-22T10:00:00Z'),
  targets: ['lab/shop/shop-tls', 'acm/us-east-1/shop'],
  served: 'served',
} as const;
const arrival = announceDelivered(delivered);

/** A change of a cluster's health. */
function changeOf(name: string, message = `cluster ${name} does not answer`): Announcement {
  return announceHealth({
    subject: { kind: 'cluster', name },
    domains: null,
    health: 'Degraded',
    previousHealth: 'Healthy',
    reason: 'Unreachable',
    message,
    since: new Date('2026-11-22T10:00:00Z'),
    cause: null,
    certificates: 3,
    version: null,
    notAfter: null,
    expiresInDays: null,
    targets: null,
    command: null,
  });
}

async function open(bus = 'deliveries') {
  const [journal, faults] = [new Journal(), new Faults()];
  const service = await startEventBridge({ buses: ['deliveries'], journal, faults });
  onTestFinished(() => service.stop());
  const credentials = { accessKeyId: accessKeyOf('deploy'), secretAccessKey: 'any' };
  const config = { endpoint: service.url, region: 'eu-central-1', credentials };
  const eventBus = connectEventBus({ bus, installation: 'certrelay', config });
  onTestFinished(() => eventBus.close());
  return { eventBus, service, faults, journal };
}

test('an event says whose it is and which version arrived where, with instants as text', async () => {
  const { eventBus, service, journal } = await open();
  expect(await eventBus.put([arrival], never)).toEqual(['put']);
  expect(service.events).toMatchObject([
    {
      bus: 'deliveries',
      source: 'certrelay',
      'detail-type': 'Certificate Delivered',
      resources: [arn],
      detail: {
        schema: 1,
        installation: 'certrelay',
        certificate: 'shop',
        version: 'version-1',
        fingerprint: 'ab'.repeat(32),
        notAfter: '2027-02-20T10:00:00.000Z',
        targets: ['lab/shop/shop-tls', 'acm/us-east-1/shop'],
        served: 'served',
        health: null,
      },
    },
  ]);
  expect(journal.calls).toMatchObject([
    { action: 'PutEvents', resource: 'arn:aws:events:eu-central-1:123456789012:event-bus/deliveries' },
  ]);
});

test('many events go ten in a call, large ones fewer, and each has its result', async () => {
  const { eventBus, service, journal } = await open();
  const targets = Array.from({ length: 3_000 }, (_, index) => `lab/${'n'.repeat(63)}/secret-${index}`);
  const large = announceDelivered({ ...delivered, targets });
  const names = Array.from({ length: 21 }, (_, index) => `cluster-${index}`);
  const results = await eventBus.put([...names.map((name) => changeOf(name)), large, large], never);
  expect(results).toEqual(Array(23).fill('put'));
  expect(journal.calls).toHaveLength(4);
  expect(service.events).toHaveLength(23);
});

test('an entry that is refused is a failure of that event alone, and one that was throttled is put again', async () => {
  const { eventBus, service } = await open();
  service.failing = { code: 'InvalidArgument', entries: [1] };
  const [first, second, third] = await eventBus.put(
    ['a', 'b', 'c'].map((name) => changeOf(name)),
    never,
  );
  expect([first, third]).toEqual(['put', 'put']);
  expect(second).toMatchObject({
    code: 'EventFailed',
    message: 'the event was not put on the bus deliveries (InvalidArgument)',
  });
  service.failing = { code: 'ThrottlingException', entries: [0], calls: 1 };
  expect(
    await eventBus.put(
      ['d', 'e'].map((name) => changeOf(name)),
      never,
    ),
  ).toEqual(['put', 'put']);
  expect(service.events.map(({ detail }) => 'name' in detail && detail.name)).toEqual(['a', 'c', 'e', 'd']);
});

test('a denial names the action and what gives it', async () => {
  const { eventBus, faults } = await open();
  faults.set('events', 'PutEvents', { kind: 'error', code: 'AccessDeniedException', status: 400 });
  expect(await eventBus.put([arrival], never)).toMatchObject([
    {
      code: 'EventFailed',
      message: expect.stringMatching(/events:PutEvents on the bus deliveries: .*parameter eventBus/),
    },
  ]);
});

test('an event for a bus that there is not is lost without a word', async () => {
  const { eventBus, service } = await open('elsewhere');
  expect(await eventBus.put([arrival], never)).toEqual(['put']);
  expect(service.events).toEqual([]);
});

test('an answer that is lost is asked for again; an aborted signal ends it', async () => {
  const { eventBus, faults, service } = await open();
  faults.set('events', 'PutEvents', { kind: 'lose' });
  expect(await eventBus.put([arrival], never)).toEqual(['put']);
  expect(service.events).toHaveLength(2);
  const reason = new Error('time is up');
  await expect(eventBus.put([arrival], AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('a bus that does not answer is not asked for each event', async () => {
  const eventBus = connectEventBus({
    bus: 'deliveries',
    installation: 'certrelay',
    // Nothing listens there.
    config: {
      endpoint: 'http://127.0.0.1:9',
      region: 'eu-central-1',
      credentials: { accessKeyId: accessKeyOf('deploy'), secretAccessKey: 'any' },
    },
  });
  onTestFinished(() => eventBus.close());
  const names = Array.from({ length: 20 }, (_, index) => `cluster-${index}`);
  const results = await eventBus.put(
    names.map((name) => changeOf(name)),
    never,
  );
  const messages = results.map((result) => (result === 'put' ? result : result.message));
  expect(messages.slice(0, 10)).toEqual(Array(10).fill(expect.stringContaining('(ECONNREFUSED)')));
  expect(messages.slice(10)).toEqual(Array(10).fill(expect.stringContaining('(it did not answer)')));
});
