// Notices through the production bundle: its queue, its secrets, its role, and the services it posts to.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectNoticeQueue } from '../../lib/adapters/sqs/notice-queue.ts';
import { change } from '../notify/harness.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const never = new AbortController().signal;
let sandbox: Sandbox;
const lines: string[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({
    notifications: [
      { slack: { secret: `${prefix}/notify/slack` } },
      { webhook: { secret: `${prefix}/notify/ops` } },
      { email: true },
    ],
    onLine: (line) => lines.push(JSON.stringify(line)),
  });
  const { receivers } = sandbox;
  await sandbox.keepSecrets({
    [`${prefix}/notify/slack`]: receivers.urls.slack,
    [`${prefix}/notify/ops`]: receivers.signingKey,
  });
  await sandbox.lambda.invoke('issue', {});
}, 120_000);
afterAll(() => sandbox.stop());

test('news of a pass is at each channel though one cuts the connection, which is told later, alone', async () => {
  const { queues, faults, receivers, sns, sqs, secretsManager } = sandbox;
  faults.set('notices', 'slack', { kind: 'drop' });
  const credentials = { accessKeyId: accessKeyOf('status'), secretAccessKey: 'sandbox' };
  const config = { endpoint: sqs.url, region: 'eu-central-1', credentials };
  const notices = connectNoticeQueue({ url: sqs.urlOf(queues.notify), installation: prefix, config });
  const at = new Date();
  await notices.send({ at, changes: [change('shop', { since: at })] }, 'pass-1', never);
  const told = () => receivers.accepted.webhook.length + sns.published.length;
  await vi.waitFor(() => expect(told()).toBe(2), { timeout: 30_000, interval: 20 });
  await queues.notify.untilEmpty();
  notices.close();
  expect(receivers.accepted.slack).toHaveLength(1);
  expect(receivers.accepted.webhook).toHaveLength(1);
  expect(sns.published).toMatchObject([
    { subject: 'certrelay: certificate shop is Degraded (OrderFailing)' },
  ]);
  const tags = secretsManager.vault.mustFind(`${prefix}/installation`).tags;
  expect(tags.get('certrelay:channels')).toBe('');
  for (const secret of receivers.secrets) expect(lines.join('\n')).not.toContain(secret);
}, 60_000);

test('a person rings every channel and sees how each ended', async () => {
  const { lambda, faults, receivers } = sandbox;
  faults.set('notices', 'webhook', { kind: 'error', code: 'x', status: 410, message: 'gone' });
  const { answer, error } = await lambda.invoke('notify', { test: true });
  expect(error).toBeUndefined();
  expect(answer).toMatchObject({
    ok: false,
    channels: [
      { channel: 'slack', result: 'accepted', message: 'answered 200: ok' },
      { channel: 'webhook ops', result: 'failed', message: 'answered 410: gone' },
      { channel: 'email', result: 'accepted' },
    ],
  });
  expect(JSON.stringify(receivers.accepted.slack.at(-1)?.body)).toContain('a test, nothing is wrong');
  expect((await lambda.invoke('notify', {})).error?.errorMessage).toContain('test');
  expect((await lambda.invoke('notify', { test: true, channel: 'slack' })).error?.errorMessage).toContain(
    'unknown field "channel"',
  );
}, 60_000);

test('a message that nobody can read goes to the dead letters, and is named in the log', async () => {
  const { queues } = sandbox;
  for (const body of [
    'not JSON',
    '{"schema":2,"changes":[]}',
    '{"schema":1,"delivery":{"channel":"slack"}}',
  ]) {
    queues.notify.send(body);
  }
  const refused = () => lines.filter((line) => line.includes('message refused')).length;
  await vi.waitFor(() => expect(refused()).toBe(3), { timeout: 30_000, interval: 20 });
  expect(queues.notify.count().visible).toBe(0);
}, 60_000);
