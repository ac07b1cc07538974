// The page of the dashboard and its buttons, with the production bundles, as CloudWatch calls them.
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { encodeCluster } from '../../lib/state/codec/health.ts';
import { buttonOf, textOf } from '../dashboard/harness.ts';
import { clusterName, prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  const target = { cluster: clusterName, namespace: 'edge', secret: 'shop-tls' };
  sandbox = await startSandbox({
    namespaces: ['edge'],
    certificates: [{ name: 'shop', domains: ['shop.example.com'], issuer: 'default', targets: [target] }],
  });
});
afterAll(() => sandbox.stop());

/** What CloudWatch adds to every event. */
const widgetContext = {
  dashboardName: 'certrelay-dev',
  widgetId: 'widget-1',
  accountId: '123456789012',
  locale: 'en',
  timezone: { label: 'UTC', offsetISO: '+00:00', offsetInMinutes: 0 },
  period: 300,
  isAutoPeriod: true,
  timeRange: { mode: 'relative', start: 1, end: 2, relativeStart: 10800000 },
  theme: 'dark',
  linkCharts: true,
  title: 'Certificates',
  forms: { all: {} },
  params: {},
  width: 588,
  height: 369,
};

async function show(event: object): Promise<string> {
  const { answer, error } = await sandbox.lambda.invoke('dashboard', { ...event, widgetContext });
  expect(error).toBeUndefined();
  return String(answer);
}

/** Presses a button of the certificate's page. */
async function press(label: string) {
  const { endpoint, event } = buttonOf(await show({ certificate: 'shop' }), label);
  const name = endpoint.split(':').at(-1) ?? '';
  return sandbox.lambda.invoke(name, { ...Object(event), widgetContext });
}

const summary = async () => /\d+ Degraded .*\d+ Healthy/.exec(textOf(await show({})))?.[0];

it('orders and delivers by buttons, which answer a sentence at once, and pauses', async () => {
  expect(textOf(await show({}))).toMatch(/shop shop\.example\.com Progressing Ordering .*nothing stored/);
  const { queues } = sandbox;
  const { answer } = await press('Order if due');
  expect(answer).toMatch(/^issue has the request for shop and begins within seconds/);
  await queues.issue.untilEmpty();
  await queues.deploy.untilEmpty();
  const page = await show({ certificate: 'shop' });
  expect(textOf(page)).toMatch(/lab\/edge\/shop-tls Healthy up to date/);
  expect(page).toContain('class="certrelay dark"');
  sandbox.kubernetes.list('secrets').forEach(({ metadata }) => {
    if (metadata.name === 'shop-tls') sandbox.kubernetes.remove('secrets', 'edge', 'shop-tls');
  });
  expect((await press('Deliver')).answer).toMatch(/^deploy has the request for shop/);
  await queues.deploy.untilEmpty();
  expect(sandbox.kubernetes.list('secrets').map(({ metadata }) => metadata.name)).toContain('shop-tls');
  expect((await press('Pause')).answer).toBe('shop is paused and not ordered until somebody ends the pause.');
  expect(await summary()).toMatch(/0 Degraded .*1 Suspended/);
  const ending = { certificates: ['shop'], until: '7d', widgetContext };
  expect((await sandbox.lambda.invoke('pause', ending)).answer).toMatch(
    /^shop is paused and not ordered until \d{4}-\S+Z, when the pause ends by itself\.$/,
  );
  expect((await press('End the pause')).answer).toBe('shop is not paused: it is ordered when due.');
  expect(await summary()).toMatch(/1 Healthy/);
});

it('puts on a queue what can succeed, once: no unknown name, and no forced order that comes again', async () => {
  const { lambda, queues, authority } = sandbox;
  const unknown = await lambda.invoke('issue', { certificates: ['shopp'], enqueue: true });
  expect(unknown.error?.errorMessage).toMatch(/^shopp: Unknown: .*did you mean "shop"\?/);
  const both = await lambda.invoke('deploy', { dryRun: true, enqueue: true });
  expect(both.error?.errorMessage).toContain('"enqueue" answers before there is a report');
  const secret = sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/shop`);
  secret.setTags([
    ['certrelay:askAfter', ''],
    ['certrelay:failures', '1'],
    ['certrelay:nextAttempt', '2099-01-01T00:00:00.000Z'],
    ['certrelay:notAfter', '2026-01-01T00:00:00.000Z'],
  ]);
  const type = 'urn:ietf:params:acme:error:rejectedIdentifier';
  const refused = { kind: 'error', code: type, status: 403 } as const;
  sandbox.faults.set('acme', 'newOrder', refused, Number.POSITIVE_INFINITY);
  const orders = authority.orders().length;
  await lambda.invoke('issue', { certificates: ['shop'], force: true, enqueue: true });
  const hasFailed = () => lambda.logs.some(({ line }) => line.includes('"certificate failed"'));
  await vi.waitFor(() => expect(hasFailed()).toBe(true), { timeout: 30_000 });
  // What is left for later names no force, so that the backoff counts again.
  const forced = () => queues.issue.bodies().filter((body) => body.includes('force'));
  await vi.waitFor(() => expect(forced()).toEqual([]), { timeout: 30_000 });
  const body = JSON.stringify({ certificates: ['shop'], force: true });
  const batch = { Records: [{ messageId: 'm1', body, eventSource: 'aws:sqs' }] };
  expect((await lambda.invoke('issue', batch)).answer).toEqual({ batchItemFailures: [] });
  // A failure that cannot be noted is told by nobody.
  const denied = { kind: 'error', code: 'AccessDeniedException', status: 400 } as const;
  sandbox.faults.set('secretsmanager', 'TagResource', denied, Number.POSITIVE_INFINITY);
  const again = { batchItemFailures: [{ itemIdentifier: 'm1' }] };
  expect((await lambda.invoke('issue', batch)).answer).toEqual(again);
  sandbox.faults.clear();
  expect(authority.orders().length).toBe(orders);
});

it('acknowledges trouble of a cluster by a button, shows that to all, and ends it', async () => {
  const { lambda, secretsManager } = sandbox;
  const since = new Date(Date.now() - 7_200_000);
  await lambda.invoke('status', {});
  const trouble = encodeCluster(clusterName, { since, code: 'Unreachable', words: 'no answer' });
  secretsManager.vault.mustFind(`${prefix}/installation`).setTags([trouble]);
  await lambda.invoke('status', {});
  expect(textOf(await show({}))).toContain('Degraded cluster lab: ClusterFailing');
  const click = async (label: string) => {
    const { event } = buttonOf(await show({}), label);
    return lambda.invoke('status', { ...Object(event), widgetContext });
  };
  expect((await click('Acknowledge for 7 days')).answer).toBe('cluster/lab is acknowledged for 7 days.');
  expect(textOf(await show({}))).toMatch(/Suspended cluster lab: Acknowledged/);
  expect((await click('End the acknowledgement')).answer).toBe('cluster/lab is acknowledged no more.');
  expect(textOf(await show({}))).toContain('Degraded cluster lab: ClusterFailing');
});

it('reads lists and tags, and of values only what status remembers, which has no secret', () => {
  const calls = sandbox.journal.calls.filter(({ principal }) => principal === 'dashboard');
  const reads = calls.filter(({ action }) => action === 'GetSecretValue');
  expect(new Set(reads.map(({ resource }) => resource.replace(/-\w{6}$/, '')))).toEqual(
    new Set([`arn:aws:secretsmanager:eu-central-1:123456789012:secret:${prefix}/installation`]),
  );
  expect(new Set(calls.map(({ action }) => action))).toEqual(
    new Set(['ListSecrets', 'DescribeSecret', 'GetSecretValue']),
  );
  expect(calls.filter(({ status }) => status === 403)).toEqual([]);
});
