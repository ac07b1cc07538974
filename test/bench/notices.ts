// Measures how soon people know of a trouble, and how often they are told of one that many certificates have.
import { encodeState } from '../../lib/state/codec/tags.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import { prefix, type Sandbox } from '../sandbox/sandbox.ts';
import type { Figure } from './figure.ts';
import { invoke, startQuietSandbox } from './quiet-sandbox.ts';

const many = 200;
/** How often `status` may be called until it has told. */
const mostPasses = 4;
const hourMs = 3_600_000;
/** As the schedules call. */
const schedule = { schedule: true };
const refusal = { kind: 'error', code: 'userActionRequired', status: 403 } as const;
const channels = ['slack', 'webhook', 'email'] as const;
const held = { name: 'held', domains: ['www.elsewhere.net'] };
const names = Array.from({ length: many }, (_, index) => `c${index}`);

/** One certificate that DNS holds back; then 200 whose CA wants something of its account for hours. */
export async function benchNotices(): Promise<readonly Figure[]> {
  const sandbox = await startNotifying();
  try {
    await invoke(sandbox, 'status', schedule);
    const figures = await measureFirst(sandbox);
    return [...figures, ...(await measureMany(sandbox))];
  } finally {
    await sandbox.stop();
  }
}

async function startNotifying(): Promise<Sandbox> {
  const secrets = { slack: `${prefix}/notify/slack`, webhook: `${prefix}/notify/ops` };
  const sandbox = await startQuietSandbox({
    notifications: [
      { slack: { secret: secrets.slack } },
      { webhook: { secret: secrets.webhook } },
      { email: true },
    ],
    certificates: [held],
  });
  const { receivers, dns } = sandbox;
  await sandbox.keepSecrets({
    [secrets.slack]: receivers.urls.slack,
    [secrets.webhook]: receivers.signingKey,
  });
  const ns = { name: 'elsewhere.net.', type: 'NS' as const, data: 'ns1.elsewhere.net' };
  dns.serve(() => [fixedZone('elsewhere.net.', [ns])]);
  return sandbox;
}

async function measureFirst(sandbox: Sandbox): Promise<readonly Figure[]> {
  await invoke(sandbox, 'issue', schedule);
  const startedAt = performance.now();
  let passes = 0;
  while (least(countTold(sandbox)) < 1 && passes < mostPasses) {
    passes += 1;
    await invoke(sandbox, 'status', schedule);
    await sandbox.queues.notify.untilEmpty();
  }
  return [
    {
      what: 'from a failing pass to the notice: intervals of status',
      unit: 'count',
      target: { exactly: 1 },
      measured: least(countTold(sandbox)) === 1 ? passes : Number.NaN,
      note: 'a pass that DNS holds back, and three channels',
    },
    {
      what: '  own time, from the run of status to the last channel',
      unit: 'ms',
      target: 5_000,
      measured: performance.now() - startedAt,
    },
  ];
}

async function measureMany(sandbox: Sandbox): Promise<readonly Figure[]> {
  const specs = names.map((name) => ({ name, domains: [`${name}.example.com`] }));
  await sandbox.setCertificates([held, ...specs]);
  sandbox.faults.set('acme', 'newOrder', refusal, 10_000);
  await issueUntil(sandbox, (tags) => tags.get('certrelay:problem') !== undefined);
  age(sandbox);
  const degraded = await tell(sandbox);
  sandbox.faults.clear();
  await issueUntil(sandbox, (tags) => tags.get('certrelay:problem') === '');
  const recovered = await tell(sandbox);
  const what = `${many} certificates of one CA that degrade together: notices a channel`;
  return [
    { what, unit: 'count', target: { exactly: 1 }, measured: degraded },
    { what: '  and at recovery', unit: 'count', target: { exactly: 1 }, measured: recovered },
  ];
}

/** Passes until the tags of all certificates say so: a slow machine may need more than one. */
async function issueUntil(
  sandbox: Sandbox,
  isDone: (tags: ReadonlyMap<string, string>) => boolean,
): Promise<void> {
  const areDone = () =>
    names.every((name) => {
      const secret = sandbox.secretsManager.vault.find(`${prefix}/certificates/${name}`);
      return secret !== undefined && isDone(secret.tags);
    });
  for (let pass = 0; pass < mostPasses && !areDone(); pass += 1) await invoke(sandbox, 'issue', schedule);
}

/** The trouble began two hours ago, and the back-off has just ended. */
function age({ secretsManager }: Sandbox): void {
  for (const name of names) {
    const secret = secretsManager.vault.mustFind(`${prefix}/certificates/${name}`);
    const [, since = '', rest = ''] =
      /^([\dT:.-]+Z)(.*)$/s.exec(secret.tags.get('certrelay:problem') ?? '') ?? [];
    const began = new Date(Date.parse(since) - 2 * hourMs).toISOString();
    const ended = encodeState({ nextAttempt: new Date() });
    secret.setTags([['certrelay:problem', `${began}${rest}`], ...Object.entries(ended)]);
  }
}

/** One run of `status`; the notices that the busiest channel got of it. */
async function tell(sandbox: Sandbox): Promise<number> {
  const before = countTold(sandbox);
  await invoke(sandbox, 'status', schedule);
  await sandbox.queues.notify.untilEmpty();
  const after = countTold(sandbox);
  const told = channels.map((channel) => after[channel] - before[channel]);
  return Math.min(...told) === 0 ? 0 : Math.max(...told);
}

function countTold({ receivers, sns }: Sandbox): Readonly<Record<(typeof channels)[number], number>> {
  const { slack, webhook } = receivers.accepted;
  return { slack: slack.length, webhook: webhook.length, email: sns.published.length };
}

function least(told: Readonly<Record<string, number>>): number {
  return Math.min(...Object.values(told));
}
