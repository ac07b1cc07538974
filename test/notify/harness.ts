// What the tests of notices start from: the real story and adapters, over receivers as strict as the
// services.
import { onTestFinished } from 'vitest';
import { connectChannels } from '../../lib/adapters/notices/channels.ts';
import type { NoticeChannel } from '../../lib/certificate/notice-spec.ts';
import { channelName } from '../../lib/certificate/notice-spec.ts';
import { deliver, handOn } from '../../lib/notify/notify.ts';
import { ring } from '../../lib/notify/ring.ts';
import type { HealthChange } from '../../lib/policy/health/change.ts';
import type { PassNews } from '../../lib/policy/notices/grouping.ts';
import type { QueuedDelivery } from '../../lib/ports/notices.ts';
import { QueueError } from '../../lib/ports/queues.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { parseNotifyEvent } from '../../lib/requests/notify.ts';
import { FakeClock } from '../fakes/clock.ts';
import { Failures } from '../fakes/failures.ts';
import { FakeInstallation } from '../fakes/installation.ts';
import { FakeLog } from '../fakes/log.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { startReceivers } from '../sandbox/notices/receivers.ts';
import { accessKeyOf, ownSecretKey } from '../sandbox/principal.ts';
import { startSns } from '../sandbox/sns/server.ts';

export const at = new Date('2026-11-30T08:15:00Z');
/** What notices link to. */
export const dashboard =
  'https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#dashboards/dashboard/certrelay';
const topic = 'arn:aws:sns:eu-central-1:123456789012:alarms';
const never = new AbortController().signal;

export const slack: NoticeChannel = channel('slack');
export const webhook: NoticeChannel = { ...channel('webhook', 'ops') };
export const teams: NoticeChannel = channel('teams');
export const pagerduty: NoticeChannel = channel('pagerduty');
export const email: NoticeChannel = { kind: 'email', events: ['Degraded', 'Recovered', 'Issued'] };

function channel(kind: NoticeChannel['kind'], name: string = kind): NoticeChannel {
  return { kind, secret: `certrelay/notify/${name}`, events: ['Degraded', 'Recovered', 'Issued'] };
}

export function change(name: string, fields: Partial<HealthChange> = {}): HealthChange {
  return {
    subject: { kind: 'certificate', name },
    domains: [`${name}.example.com`],
    health: 'Degraded',
    previousHealth: 'Progressing',
    reason: 'OrderFailing',
    message: `${name} was not issued for a day: the CA says "CAA record forbids it"`,
    since: at,
    cause: null,
    certificates: null,
    version: null,
    notAfter: new Date('2026-12-06T12:00:00Z'),
    expiresInDays: 6.2,
    targets: null,
    command: `npx certrelay plan ${name}`,
    ...fields,
  };
}

export function recovered(name: string, fields: Partial<HealthChange> = {}): HealthChange {
  return change(name, { health: 'Healthy', previousHealth: 'Degraded', reason: 'Recovered', ...fields });
}

export function news(changes: readonly HealthChange[], rest: Partial<PassNews> = {}): PassNews {
  return {
    installation: 'certrelay',
    at,
    changes,
    issued: [],
    omitted: { changes: 0, issued: 0, rows: 0 },
    ...rest,
  };
}

/** The queue as `notify` sees it: what it sends comes back as JSON, when its time has come. */
class FakeDeliveries {
  readonly failures = new Failures();
  waiting: QueuedDelivery[] = [];

  async send(deliveries: readonly QueuedDelivery[]) {
    this.failures.check('send');
    const body = (delivery: QueuedDelivery) => JSON.stringify({ schema: 1, delivery });
    const Records = deliveries.map((delivery, index) => ({
      messageId: String(index),
      eventSource: 'aws:sqs',
      body: body(delivery),
    }));
    const parsed = parseNotifyEvent({ Records });
    if (parsed.kind !== 'batch') throw new Error('no batch');
    for (const message of parsed.messages) {
      if (!('request' in message) || message.request.kind !== 'delivery')
        throw new Error(JSON.stringify(message));
      this.waiting.push(message.request.delivery);
    }
  }
}

export async function openNotify(
  channels: readonly NoticeChannel[],
  options: {
    readonly timeoutMs?: number;
    readonly secrets?: Readonly<Record<string, string>>;
    /** The stack has no dashboard. */
    readonly lacksDashboard?: boolean;
  } = {},
) {
  const [journal, faults] = [new Journal(), new Faults()];
  const receivers = await startReceivers({ journal, faults });
  const sns = await startSns([topic], { journal, faults });
  const secrets: Record<string, string> = {
    'certrelay/notify/slack': receivers.urls.slack,
    'certrelay/notify/teams': receivers.urls.teams,
    'certrelay/notify/pagerduty': receivers.routingKey,
    'certrelay/notify/ops': receivers.signingKey,
    ...options.secrets,
  };
  const clock = new FakeClock(at.toISOString());
  const log = new FakeLog();
  const installation = new FakeInstallation();
  await installation.create({ firstRun: at, isUpgraded: false });
  const queue = new FakeDeliveries();
  const credentials = { accessKeyId: accessKeyOf('notify'), secretAccessKey: ownSecretKey };
  const connected = connectChannels({
    clock,
    readText: async (name) => {
      const text = secrets[name];
      if (text === undefined) throw new StoreError('Failed', `the AWS secret ${name} does not exist`);
      return text;
    },
    topic: { arn: topic, endpoint: sns.url, identify: async () => credentials },
    dashboard: options.lacksDashboard === true ? undefined : dashboard,
    connections: { ca: receivers.ca, timeoutMs: options.timeoutMs ?? 5_000 },
  });
  onTestFinished(async () => {
    await connected.close();
    await receivers.stop();
    await sns.stop();
  });
  // What the inventory says where to post.
  const own = channels.map((one) =>
    one.kind === 'webhook' || one.kind === 'pagerduty' ? { ...one, url: receivers.urls[one.kind] } : one,
  );
  const ports = { post: connected.post, queue, installation, clock, log, random: () => 0 };
  const invocation = { id: 'call-1', channels: own, signal: never, cleanUpSignal: never };
  return {
    receivers,
    sns,
    faults,
    clock,
    log,
    installation,
    queue,
    secrets,
    /** A pass tells its news. */
    tell: (told: PassNews) => handOn(ports, told, invocation),
    /** `notify` works on everything that is due by now; returns what SQS must deliver again. */
    work: async (signal = never) => {
      const due = queue.waiting.filter(
        ({ notBefore }) => notBefore === undefined || notBefore <= clock.now(),
      );
      queue.waiting = queue.waiting.filter((delivery) => !due.includes(delivery));
      return deliver(ports, due, { ...invocation, signal });
    },
    /** Everything that `notify` is given, whether its time has come or not. */
    workAll: async () => {
      const all = queue.waiting;
      queue.waiting = [];
      return deliver(ports, all, invocation);
    },
    ring: () => ring(ports, 'certrelay', invocation),
    names: own.map(channelName),
    queueFails: (times = 1) =>
      queue.failures.next(
        'send',
        ...Array.from({ length: times }, () => new QueueError('QueueFailed', 'no')),
      ),
    /** Everything that people and services can see of a run, without what receivers were sent. */
    seen: () => JSON.stringify([log.lines, installation.record, queue.waiting]),
  };
}
