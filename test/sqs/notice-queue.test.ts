// The adapter for the notify function's queue, over the sandbox's SQS.
import { expect, onTestFinished, test } from 'vitest';
import { connectNoticeQueue } from '../../lib/adapters/sqs/notice-queue.ts';
import type { HealthChange } from '../../lib/policy/health/change.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { Queue } from '../sandbox/sqs/queue.ts';
import { startSqs } from '../sandbox/sqs/server.ts';

const never = new AbortController().signal;
const at = new Date('2026-11-30T08:00:00Z');

const change = (name: string, fields: Partial<HealthChange> = {}): HealthChange => ({
  subject: { kind: 'certificate', name },
  domains: [`${name}.example.com`],
  health: 'Degraded',
  previousHealth: 'Progressing',
  reason: 'OrderFailing',
  message: `${name} is not issued`,
  since: at,
  cause: null,
  certificates: null,
  version: null,
  notAfter: null,
  expiresInDays: null,
  targets: null,
  command: null,
  ...fields,
});

async function open() {
  const queue = new Queue('notify');
  const service = await startSqs({ queues: [queue], journal: new Journal(), faults: new Faults() });
  onTestFinished(() => service.stop());
  const credentials = { accessKeyId: accessKeyOf('status'), secretAccessKey: 'any' };
  const config = { endpoint: service.url, region: 'eu-central-1', credentials };
  const notices = connectNoticeQueue({ url: service.urlOf(queue), installation: 'lab', config });
  onTestFinished(() => notices.close());
  const bodies = () => queue.bodies().map((body): unknown => JSON.parse(body));
  return { queue, notices, bodies };
}

test('what waits is counted, not what is being worked on', async () => {
  const { queue, notices } = await open();
  expect(await notices.countWaiting(never)).toBe(0);
  for (const name of ['one', 'two']) await notices.send({ at, changes: [change(name)] }, 'pass', never);
  expect(await notices.countWaiting(never)).toBe(2);
  queue.receive(1, 60_000);
  expect(await notices.countWaiting(never)).toBe(1);
});

test('a pass is one message, worst first, with what a cause explains at the end', async () => {
  const { notices, bodies } = await open();
  const changes = [
    change('behind', { cause: 'issuer/letsencrypt' }),
    change('fine', { health: 'Healthy', previousHealth: 'Degraded' }),
    change('later', { expiresInDays: 9 }),
    change('sooner', { expiresInDays: 3.5 }),
  ];
  await notices.send({ at, changes }, 'pass-1', never);
  expect(bodies()).toMatchObject([
    {
      schema: 1,
      installation: 'lab',
      at: '2026-11-30T08:00:00.000Z',
      changes: [
        { subject: { name: 'sooner' } },
        { subject: { name: 'later' } },
        { subject: { name: 'fine' } },
        { subject: { name: 'behind' } },
      ],
      omitted: { changes: 0, issued: 0, rows: 0 },
    },
  ]);
});

test('ten thousand changes with hostile lengths fit into a message of 256 KiB, and the rest is counted', async () => {
  const { notices, queue, bodies } = await open();
  const names = Array.from({ length: 100 }, (_, index) => `${'n'.repeat(60)}.${index}.example.com`);
  const long = { domains: names, targets: names, message: `a\u001b[31m\n${'ü'.repeat(9_000)}` };
  const changes = Array.from({ length: 10_000 }, (_, index) => change(`shop-${index}`, long));
  const digest = {
    channels: ['slack'],
    summary: { Degraded: 10_000, Suspended: 0, Progressing: 0, Healthy: 0 },
    rows: changes,
  };
  await notices.send({ at, changes, digest }, 'pass-1', never);
  const [body = ''] = queue.bodies();
  expect(Buffer.byteLength(body)).toBeLessThan(262_144);
  const message = bodies()[0] as {
    readonly changes: readonly HealthChange[];
    readonly omitted: { readonly changes: number; readonly rows: number };
    readonly digest: { readonly rows: readonly unknown[] };
  };
  expect(message.changes.length).toBeGreaterThan(10);
  expect(message.changes.length + message.omitted.changes).toBe(10_000);
  expect(message.digest.rows.length + message.omitted.rows).toBe(10_000);
  expect(message.changes[0]?.domains?.at(-1)).toBe('and 80 more');
  expect(message.changes[0]?.message).toMatch(/^a \[31m ü+…$/);
});
