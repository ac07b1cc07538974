// Nothing that a stranger writes acts in a channel, and nothing that is secret leaves its place.
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isForbidden, refuseForbidden } from '../../lib/adapters/notices/addresses.ts';
import { openPost } from '../../lib/adapters/notices/http.ts';
import { Faults } from '../sandbox/faults.ts';
import { type Answer, serve } from '../sandbox/http-server.ts';
import { Journal } from '../sandbox/journal.ts';
import { findActions } from '../sandbox/notices/slack-blocks.ts';
import { mintServingCertificate } from '../sandbox/tls.ts';
import {
  change,
  dashboard,
  email,
  news,
  openNotify,
  pagerduty,
  recovered,
  slack,
  teams,
  webhook,
} from './harness.ts';

const all = [slack, teams, pagerduty, webhook, email];
const ownLink = `<${dashboard}|Dashboard>`;
const never = new AbortController().signal;

const hostile = [
  '<!channel> <@U123> <https://evil.example|click>',
  '[click](https://evil.example) **bold** <at>everyone</at>',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '\u001b[31mred\u001b[0m\u0007 \u202eright to left\u2066',
  'one\r\nSubject: two\r\n\r\n.\r\n',
  '``` <!here> ``` `',
  '&lt;!channel&gt; &amp; " \' \\ {{ }} %0a {x}',
  'ü'.repeat(5_000),
  '\u{1f4a9}\ud800 lone',
];

test.each(hostile)('text of a stranger shows as text in every channel (%#)', async (text) => {
  const { tell, work, receivers, sns, log } = await openNotify(all);
  const fields = { reason: text, message: text, domains: [text, text], command: text };
  const changes = [
    change('shop', fields),
    change(text, { subject: { kind: 'cluster', name: text }, cause: null }),
  ];
  const ill = change(text, { cause: `cluster/${text}`, message: text });
  await tell(
    news([...changes, ill, recovered(text, fields)], {
      issued: [{ certificate: text, domains: [text], issuer: text, version: text, notAfter: new Date() }],
    }),
  );
  await work();
  expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  expect(receivers.accepted.slack).toHaveLength(3);
  const acts = receivers.accepted.slack.flatMap(({ body }) => findActions(body));
  expect(acts).toEqual(Array.from({ length: 3 }, () => ownLink));
  const mails = sns.published.map(({ mail, subject }) => `${subject}\n${mail}`).join('\n');
  expect(mails.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  // One line of ours for each: a stranger begins none.
  expect(mails).not.toMatch(/^Subject: two/m);
});

test('news of any size fits into what each service takes', async () => {
  const { tell, work, receivers, sns, log } = await openNotify(all);
  const long = {
    message: '<&>'.repeat(900),
    reason: 'R'.repeat(300),
    domains: Array.from({ length: 100 }, (_, i) => `${'n'.repeat(60)}.${i}.example.com`),
  };
  const changes = Array.from({ length: 300 }, (_, index) =>
    change(`${'c'.repeat(50)}-${index}`, { ...long, command: 'x'.repeat(900) }),
  );
  const rows = changes.map((one) => ({ ...one, message: '<&>'.repeat(60) }));
  const summary = { Degraded: 300, Suspended: 0, Progressing: 0, Healthy: 9_700 };
  const digest = { channels: ['slack', 'teams', 'webhook ops', 'email'], summary, rows };
  const omitted = { changes: 4_000, issued: 0, rows: 9_000 };
  await tell(
    news(
      [
        ...changes,
        ...changes.map((one) => ({
          ...one,
          health: 'Healthy' as const,
          previousHealth: 'Degraded' as const,
        })),
      ],
      { digest, omitted },
    ),
  );
  await work();
  expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  expect(receivers.accepted.slack).toHaveLength(3);
  expect(receivers.accepted.teams).toHaveLength(3);
  expect(receivers.accepted.webhook).toHaveLength(3);
  expect(sns.published).toHaveLength(3);
  expect(sns.published[0]?.mail).toContain('and 4290 more: call status to see all');
  // What a service has no room for is counted there.
  for (const { body } of receivers.accepted.slack) {
    const [, count = '0'] = /and (\d+) more: call status to see all/.exec(JSON.stringify(body)) ?? [];
    expect(Number(count)).toBeGreaterThan(4_290);
  }
});

test('any text at all is accepted by every service', async () => {
  const { tell, work, receivers, log } = await openNotify(all);
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.string({ unit: 'grapheme', maxLength: 80 }),
      async (message, name) => {
        await tell(news([change(name, { message, reason: name, domains: [name], command: message })]));
        await work();
        expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
        expect(
          receivers.accepted.slack.flatMap(({ body }) => findActions(body)).filter((one) => one !== ownLink),
        ).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});

describe('the secret of a channel', () => {
  test('is in no log line, no record and no message, whatever services answer', async () => {
    const { tell, work, ring, faults, receivers, seen, names } = await openNotify([
      slack,
      teams,
      pagerduty,
      webhook,
    ]);
    for (const name of ['slack', 'teams', 'pagerduty', 'webhook']) {
      for (const status of [404, 503]) {
        faults.set('notices', name, { kind: 'error', code: 'echo', status });
        await tell(news([change('shop')]));
        await work();
      }
      faults.set('notices', name, { kind: 'error', code: 'echo', status: 404 });
    }
    const report = JSON.stringify(await ring());
    expect(names).toHaveLength(4);
    for (const secret of receivers.secrets) {
      expect(report).not.toContain(secret);
      expect(seen()).not.toContain(secret);
    }
    expect(report).toContain('answered 404');
  });

  test.each([
    ['no URL at all', 'xoxb-not-a-url-but-secret'],
    ['http', 'http://hooks.slack.com/services/T0/B0/SECRETSECRET'],
    ['a host that is not there', 'https://nowhere.invalid/services/SECRETSECRET'],
    ['a port where nobody listens', 'https://127.0.0.1:9/services/SECRETSECRET'],
    ['a link-local address', 'https://169.254.169.254/latest/SECRETSECRET'],
    ['the same as a number', 'https://2852039166/latest/SECRETSECRET'],
    ['the same by IPv6', 'https://[::ffff:169.254.169.254]/SECRETSECRET'],
    ['user and password', 'https://user:SECRETSECRET@127.0.0.1:9/x'],
  ])('that is %s is told by the name of its AWS secret or the kind of failure', async (_, url) => {
    const { tell, work, ring, seen, installation } = await openNotify([slack], {
      secrets: { 'certrelay/notify/slack': url },
    });
    await tell(news([change('shop')]));
    await work();
    const report = JSON.stringify(await ring());
    expect(installation.record?.failingChannels).toHaveLength(1);
    for (const text of [report, seen()])
      expect(text).not.toMatch(/SECRETSECRET|xoxb|nowhere\.invalid|127\.0\.0\.1:9/);
    expect(report).toMatch(/certrelay\/notify\/slack must be|in DNS|refuses connections|link-local/);
  });

  test('that is missing is said with its name, and found when a person has made it', async () => {
    const { tell, work, clock, secrets, receivers, log } = await openNotify([slack]);
    const url = secrets['certrelay/notify/slack'] ?? '';
    delete secrets['certrelay/notify/slack'];
    await tell(news([change('shop')]));
    await work();
    expect(log.lines.at(-1)).toMatchObject({
      event: 'notice postponed',
      fields: { problem: 'the AWS secret certrelay/notify/slack does not exist' },
    });
    secrets['certrelay/notify/slack'] = url;
    clock.pass(5_000);
    await work();
    expect(receivers.accepted.slack).toHaveLength(1);
  });
});

test('nothing is sent to a name that leads to a link-local address, whichever of its addresses it is', async () => {
  for (const address of [
    '169.254.169.254',
    '169.254.170.2',
    'fe80::1',
    'fd00:ec2::254',
    '::ffff:169.254.1.1',
    '64:ff9b::a9fe:a9fe',
    '0.0.0.0',
    '::',
  ]) {
    expect(isForbidden(address), address).toBe(true);
  }
  for (const address of [
    '127.0.0.1',
    '10.0.0.1',
    '192.0.2.1',
    '169.253.255.255',
    '2001:db8::1',
    'fd00:1::1',
    'no address',
  ]) {
    expect(isForbidden(address), address).toBe(false);
  }
});

test('a name is asked for all its addresses before anything is sent, also if only one of them is forbidden', async () => {
  const { receivers } = await openNotify([slack]);
  const found = [{ address: '127.0.0.1', family: 4 }];
  const { port, pathname } = new URL(receivers.urls.slack);
  const lookup = refuseForbidden((_, __, callback) => callback(null, found));
  const url = `https://localhost:${port}${pathname}`;
  const body = JSON.stringify({ text: 'a', blocks: [{ type: 'divider' }] });
  const open = openPost({ ca: receivers.ca, lookup });
  expect(await open.post({ url, body }, never)).toMatchObject({ status: 200 });
  await open.close();
  found.push({ address: '169.254.169.254', family: 4 });
  const again = openPost({ ca: receivers.ca, lookup });
  expect(await again.post({ url, body }, never)).toEqual({
    kind: 'failed',
    words: 'its host has a link-local address, to which nothing is sent',
  });
  expect(receivers.accepted.slack).toHaveLength(1);
  await again.close();
});

test('an answer without end is cut, and one that drips is given up', async () => {
  const { receivers, faults } = await openNotify([slack]);
  const { post, close } = openPost({ ca: receivers.ca, timeoutMs: 2_000 });
  faults.set('notices', 'slack', { kind: 'error', code: 'x', status: 500, message: 'y'.repeat(3_000_000) });
  const answer = await post({ url: receivers.urls.slack, body: '{}' }, never);
  expect(answer).toMatchObject({ status: 500, text: expect.stringMatching(/^y+…$/) });
  faults.set('notices', 'slack', { kind: 'delay', ms: 30_000 });
  expect(await post({ url: receivers.urls.slack, body: '{}' }, never)).toMatchObject({
    kind: 'failed',
    words: 'no answer within 2 s',
  });
  const reason = new Error('the time is over');
  await expect(post({ url: receivers.urls.slack, body: '{}' }, AbortSignal.abort(reason))).rejects.toBe(
    reason,
  );
  await close();
});

test.each([
  200, 202, 500,
])('an answer of %i whose body never ends says what its status says', async (status) => {
  const tls = await mintServingCertificate('dripping');
  const answer: Answer = {
    status,
    async *stream(signal) {
      yield 'tak';
      await once(signal, 'abort');
    },
  };
  const refuse = () => answer;
  const part = { service: 'notices', describe: () => undefined, handle: refuse, refuse } as const;
  const server = await serve(part, { journal: new Journal(), faults: new Faults() }, tls);
  const { post, close } = openPost({ ca: tls.ca, timeoutMs: 2_000 });
  onTestFinished(async () => {
    await close();
    await server.stop();
  });
  const url = `https://localhost:${server.port}/`;
  expect(await post({ url, body: '{}' }, never)).toMatchObject({ status, text: 'tak' });
});
