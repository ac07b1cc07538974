// Notices from a pass's news to what each service accepted.
import { describe, expect, test } from 'vitest';
import { findActions } from '../sandbox/notices/slack-blocks.ts';
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

const minuteMs = 60_000;
const all = [slack, teams, pagerduty, webhook, email];
const names = ['slack', 'teams', 'pagerduty', 'webhook'] as const;

/** A CA that fails, and the certificates that it makes ill. */
function troubles(count: number, make: typeof change) {
  const cause = 'issuer/letsencrypt';
  const certificates = Array.from({ length: count }, (_, index) => make(`shop-${index}`, { cause }));
  const subject = { kind: 'issuer', name: 'letsencrypt' } as const;
  return [
    ...certificates,
    make('letsencrypt', { subject, certificates: count, domains: null, reason: 'CaFailing' }),
  ];
}

test('200 certificates of one CA are one notice on each channel, and one when it is over', async () => {
  const { tell, work, receivers, sns } = await openNotify(all);
  await tell(news(troubles(200, change)));
  expect(await work()).toEqual([]);
  for (const name of names) expect(receivers.accepted[name]).toHaveLength(1);
  expect([...receivers.incidents]).toEqual(['certrelay/certrelay/issuer/letsencrypt']);
  expect(sns.published.map(({ subject }) => subject)).toEqual([
    'certrelay: issuer letsencrypt is Degraded (CaFailing)',
  ]);
  expect(sns.published[0]?.mail).toContain(
    'certificates: 200: shop-0, shop-1, shop-2, shop-3, shop-4, and 195 more',
  );
  await tell(news(troubles(200, recovered)));
  await work();
  for (const name of names) expect(receivers.accepted[name]).toHaveLength(2);
  expect([...receivers.incidents]).toEqual([]);
  expect(sns.published[1]?.subject).toBe('certrelay: issuer letsencrypt is Healthy again');
});

test('what a known trouble makes ill later is told with it, and its end is told by the end of the trouble', async () => {
  const { tell, work, sns, receivers } = await openNotify([email, pagerduty]);
  const cause = 'cluster/prod';
  await tell(news([change('shop', { cause }), change('edge', { cause })]));
  await work();
  expect(sns.published.map(({ subject }) => subject)).toEqual([
    'certrelay: cluster prod is Degraded (OrderFailing)',
  ]);
  expect(sns.published[0]?.mail).toContain(
    '2 more certificates are Degraded because of cluster prod: shop was not',
  );
  expect([...receivers.incidents]).toEqual(['certrelay/certrelay/cluster/prod']);
  await tell(news([recovered('shop', { cause })]));
  await work();
  expect(sns.published).toHaveLength(1);
  await tell(news([recovered('prod', { subject: { kind: 'cluster', name: 'prod' } })]));
  await work();
  expect([...receivers.incidents]).toEqual([]);
});

test('what a pager opened it closes, however many end at once', async () => {
  const { tell, work, receivers } = await openNotify([pagerduty]);
  const names = Array.from({ length: 30 }, (_, index) => `shop-${index}`);
  for (const name of names) await tell(news([change(name)]));
  await work();
  expect(receivers.incidents.size).toBe(30);
  await tell(news(names.map((name) => recovered(name))));
  await work();
  expect([...receivers.incidents]).toEqual([]);
});

test('a pager opens an incident for each of many causes: what it is not told rings nobody later', async () => {
  const { tell, work, receivers } = await openNotify([pagerduty, slack]);
  const names = Array.from({ length: 60 }, (_, index) => `shop-${index}`);
  await tell(news(names.map((name) => change(name))));
  await work();
  expect(receivers.incidents.size).toBe(60);
  expect(JSON.stringify(receivers.accepted.slack[0]?.body)).toContain('and 50 more: call status');
});

test('a pager that takes so many at a time is told the rest later, and nothing twice', async () => {
  const { tell, work, receivers, faults, clock } = await openNotify([pagerduty]);
  const { pagerduty: taken } = receivers.accepted;
  let most = 40;
  const tooMany = { kind: 'error', code: 'x', status: 429 } as const;
  faults.set('notices', 'pagerduty', tooMany, 2, () => taken.length === most);
  const names = Array.from({ length: 100 }, (_, index) => `shop-${index}`);
  await tell(news(names.map((name) => recovered(name))));
  for (; most <= 120; most += 40) {
    await work();
    expect(taken).toHaveLength(Math.min(most, 100));
    clock.pass(5 * minuteMs);
  }
  expect(new Set(taken.map(({ body }) => body.dedup_key)).size).toBe(100);
});

test('a pager that is too slow for one call is told the rest by the next', async () => {
  const { tell, work, receivers, faults, clock, queue } = await openNotify([pagerduty]);
  const { pagerduty: taken } = receivers.accepted;
  const time = new AbortController();
  const hang = () => {
    time.abort(new Error('time is up'));
    return true;
  };
  faults.set('notices', 'pagerduty', { kind: 'hang' }, 1, () => taken.length === 2 && hang());
  await tell(news(['shop', 'edge', 'depot'].map((name) => recovered(name))));
  await work(time.signal);
  expect(queue.waiting).toMatchObject([{ tries: 1, notice: { entries: [{ subject: { name: 'depot' } }] } }]);
  clock.pass(5_000);
  await work();
  expect(taken.map(({ body }) => body.dedup_key)).toEqual(
    ['shop', 'edge', 'depot'].map((name) => `certrelay/certrelay/certificate/${name}`),
  );
});

test('of two ends of one incident the later counts, whichever a pager is told first', async () => {
  const { tell, work, receivers, clock, installation } = await openNotify([pagerduty]);
  const later = (minutes: number) => new Date(clock.now().getTime() + minutes * minuteMs);
  await tell(news([recovered('shop')], { at: later(6) }));
  await work();
  await tell(news([recovered('shop'), recovered('depot')], { at: later(1) }));
  await work();
  expect(installation.record?.toldIncidents).toHaveLength(2);
  await tell(news([change('shop')], { at: later(4) }));
  await work();
  expect([...receivers.incidents]).toEqual([]);
});

test('what a pager could not be told before its end opens no incident, and what begins anew does', async () => {
  const { tell, work, receivers, faults, clock, installation, log } = await openNotify([pagerduty]);
  const later = (minutes: number) => new Date(clock.now().getTime() + minutes * minuteMs);
  faults.set('notices', 'pagerduty', { kind: 'error', code: 'x', status: 503, message: 'down' }, 1);
  await tell(news([change('shop'), change('depot')]));
  await work();
  expect([...receivers.incidents]).toEqual([]);
  await tell(news([recovered('shop')], { at: later(1) }));
  await work();
  expect(installation.record?.toldIncidents).toHaveLength(1);
  clock.pass(minuteMs);
  await work();
  expect([...receivers.incidents], 'shop is over').toEqual(['certrelay/certrelay/certificate/depot']);
  await tell(news([change('shop')], { at: later(5) }));
  await work();
  expect(receivers.incidents.size).toBe(2);
  await tell(news([recovered('shop')], { at: later(6) }));
  await work();
  expect(installation.record?.toldIncidents, 'each once').toHaveLength(2);
  await tell(news([change('shop')], { at: later(4) }));
  await work();
  expect([...receivers.incidents]).toEqual(['certrelay/certrelay/certificate/depot']);
  expect(log.events()).toContain('notice dropped');
});

test('an end that a pager is told late does not close what has begun anew meanwhile', async () => {
  const { tell, work, receivers, faults, clock } = await openNotify([pagerduty]);
  const later = (minutes: number) => new Date(clock.now().getTime() + minutes * minuteMs);
  await tell(news([change('shop'), change('depot')]));
  await work();
  faults.set('notices', 'pagerduty', { kind: 'error', code: 'x', status: 503, message: 'down' }, 1);
  await tell(news([recovered('shop'), recovered('depot')], { at: later(1) }));
  await work();
  await tell(news([change('shop')], { at: later(2) }));
  await work();
  clock.pass(5 * minuteMs);
  await work();
  expect([...receivers.incidents]).toEqual(['certrelay/certrelay/certificate/shop']);
  await tell(news([recovered('shop')], { at: later(3) }));
  await work();
  expect([...receivers.incidents]).toEqual([]);
});

test('of one batch a pager is told the oldest first', async () => {
  const { tell, work, receivers, queue } = await openNotify([pagerduty]);
  await tell(news([change('shop')]));
  await tell(news([recovered('shop')], { at: new Date(Date.UTC(2026, 10, 30, 9)) }));
  queue.waiting.reverse();
  await work();
  expect(receivers.accepted.pagerduty).toHaveLength(2);
  expect([...receivers.incidents]).toEqual([]);
});

test('a notice says what, since when, days left and the next command, in each channel', async () => {
  const { tell, work, receivers, sns } = await openNotify(all);
  await tell(news([change('shop')]));
  await work();
  const told = [
    ...names.map((name) => JSON.stringify(receivers.accepted[name][0]?.body)),
    sns.published[0]?.mail,
  ];
  for (const text of told) {
    for (const part of [
      'certificate shop',
      'OrderFailing',
      'the CA says',
      'shop.example.com',
      '6.2',
      'npx certrelay plan shop',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/2026-11-30[ T]08:15/);
  }
  expect(receivers.accepted.webhook[0]?.body).toMatchObject({
    type: 'health.degraded',
    timestamp: '2026-11-30T08:15:00.000Z',
    data: {
      schema: 1,
      installation: 'certrelay',
      event: 'Degraded',
      entries: [{ subject: { name: 'shop' } }],
    },
  });
});

/** Where each channel has its link. */
function linksOf({ receivers, sns }: Pick<Awaited<ReturnType<typeof openNotify>>, 'receivers' | 'sns'>) {
  const { slack, teams, webhook, pagerduty } = receivers.accepted;
  return {
    slack: slack.flatMap(({ body }) => findActions(body)),
    teams: teams.flatMap(({ body }) => JSON.stringify(body).match(/"actions":.*?]/) ?? []),
    webhook: webhook.map(({ body }) => Reflect.get(Object(body.data), 'dashboard')),
    pagerduty: pagerduty.map(({ body }) => body.client_url),
    mail: sns.published.map(({ mail }) => mail.trimEnd().split('\n').at(-1)),
  };
}

test('every notice links to the dashboard, a digest and a test too', async () => {
  const opened = await openNotify(all);
  const summary = { Degraded: 1, Suspended: 0, Progressing: 0, Healthy: 2 };
  const digest = { channels: opened.names, summary, rows: [change('shop')] };
  await opened.tell(news([change('shop'), recovered('edge')], { digest }));
  await opened.work();
  await opened.ring();
  const four = <T>(one: T) => Array.from({ length: 4 }, () => one);
  const { pagerduty: pages, ...links } = linksOf(opened);
  expect(links).toEqual({
    slack: four(`<${dashboard}|Dashboard>`),
    teams: four(`"actions":[{"type":"Action.OpenUrl","title":"Dashboard","url":"${dashboard}"}]`),
    webhook: four(dashboard),
    mail: four(`dashboard: ${dashboard}`),
  });
  expect(new Set(pages)).toEqual(new Set([dashboard]));
});

test('without a dashboard notices have no link', async () => {
  const opened = await openNotify(all, { lacksDashboard: true });
  await opened.tell(news([change('shop')]));
  await opened.work();
  const { mail, ...links } = linksOf(opened);
  expect(links).toEqual({ slack: [], teams: [], webhook: [null], pagerduty: [undefined] });
  expect(mail.join()).not.toContain('dashboard');
});

test('each channel gets only the events that it asks for', async () => {
  const issued = { ...email, events: ['Issued'] } as const;
  const { tell, work, receivers, sns } = await openNotify([{ ...slack, events: ['Degraded'] }, issued]);
  const certificate = {
    certificate: 'shop',
    domains: ['shop.example.com'],
    issuer: 'letsencrypt',
    version: 'v1',
    notAfter: new Date('2027-02-28T00:00:00Z'),
  };
  await tell(
    news(
      [
        change('shop'),
        recovered('edge'),
        change('new', { health: 'Progressing', previousHealth: 'Healthy' }),
      ],
      { issued: [certificate] },
    ),
  );
  await work();
  expect(receivers.accepted.slack).toHaveLength(1);
  expect(JSON.stringify(receivers.accepted.slack)).not.toMatch(/edge|new/);
  expect(sns.published.map(({ subject }) => subject)).toEqual(['certrelay: certificate shop was issued']);
});

describe('a channel that does not take it', () => {
  test('delays no other when it hangs, and is tried alone until it takes it', async () => {
    const { tell, work, receivers, faults, clock, installation, queue, log } = await openNotify(
      [slack, webhook],
      {
        timeoutMs: 2_000,
      },
    );
    faults.set('notices', 'slack', { kind: 'delay', ms: 30_000 });
    await tell(news([change('shop')]));
    const began = performance.now();
    expect(await work()).toEqual([]);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(receivers.accepted.webhook).toHaveLength(1);
    expect(queue.waiting).toMatchObject([{ channel: 'slack', tries: 1 }]);
    expect(installation.record?.failingChannels).toMatchObject([
      { channel: 'slack', words: 'no answer within 2 s' },
    ]);
    clock.pass(5_000);
    await work();
    expect(receivers.accepted.webhook).toHaveLength(1);
    expect(JSON.stringify(receivers.accepted.slack.at(-1))).toContain('certificate shop is Degraded');
    expect(installation.record?.failingChannels).toBeUndefined();
    expect(log.events()).toEqual(['notices planned', 'notice sent', 'notice postponed', 'notice sent']);
  });

  test('is tried ten times in three days, and the same words are signed anew under the same id', async () => {
    const { tell, work, receivers, faults, clock, queue, log } = await openNotify([webhook]);
    faults.set('notices', 'webhook', { kind: 'error', code: 'x', status: 503, message: 'down' }, 9);
    await tell(news([change('shop')]));
    const waits: number[] = [];
    for (let tries = 1; tries < 10; tries += 1) {
      await work();
      const [next] = queue.waiting;
      waits.push(((next?.notBefore?.getTime() ?? 0) - clock.now().getTime()) / minuteMs);
      clock.pass((waits.at(-1) ?? 0) * minuteMs);
    }
    expect(waits.map((minutes) => Math.round(minutes * 60))).toEqual([
      5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ]);
    await work();
    expect(receivers.accepted.webhook).toHaveLength(1);
    expect(log.events().filter((event) => event === 'notice postponed')).toHaveLength(9);
    expect(receivers.accepted.webhook[0]?.headers['webhook-id']).toMatch(/^certrelay-[0-9a-f]{32}$/);
    faults.set('notices', 'webhook', { kind: 'error', code: 'x', status: 503 }, 10);
    await tell(news([change('edge')], { at: clock.now() }));
    for (let tries = 0; tries < 10; tries += 1) {
      await work();
      clock.pass(24 * 60 * minuteMs);
    }
    expect(queue.waiting).toEqual([]);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', event: 'notice not sent' });
  });

  test.each([
    ['429', { 'retry-after': '1200' }, 1_200],
    ['429', { 'retry-after': 'Mon, 30 Nov 2026 08:35:00 GMT' }, undefined],
    ['408', undefined, 5],
    ['500', { 'retry-after': '2' }, 5],
    ['503', { 'retry-after': '99999999' }, 86_400],
    ['302', { location: 'https://localhost/elsewhere' }, 5],
  ] as const)('with %s and %o is tried again, after what it asks for', async (status, headers, seconds) => {
    const { tell, work, faults, clock, queue, receivers } = await openNotify([slack, webhook]);
    faults.set('notices', 'slack', {
      kind: 'error',
      code: 'x',
      status: Number(status),
      ...(headers ? { headers } : {}),
    });
    await tell(news([change('shop')]));
    await work();
    expect(receivers.accepted.slack).toEqual([]);
    const [waiting] = queue.waiting;
    const wait = ((waiting?.notBefore?.getTime() ?? 0) - clock.now().getTime()) / 1_000;
    if (seconds === undefined) expect(wait).toBeGreaterThanOrEqual(5);
    else expect(wait).toBe(seconds);
  });

  test.each([
    400, 401, 403, 404, 410, 413,
  ])('with %i is not tried again, and an error says so', async (status) => {
    const { tell, work, faults, log, queue, installation, receivers } = await openNotify([slack, webhook]);
    faults.set('notices', 'slack', { kind: 'error', code: 'x', status, message: 'no_service' });
    await tell(news([change('shop')]));
    await work();
    expect(queue.waiting).toEqual([]);
    expect(receivers.accepted.webhook).toHaveLength(1);
    expect(log.lines.find(({ level }) => level === 'error')).toMatchObject({
      event: 'notice not sent',
      fields: { channel: 'slack', problem: `answered ${status}: no_service` },
    });
    expect(installation.record?.failingChannels).toMatchObject([{ channel: 'slack' }]);
  });

  test('has its message delivered again if the queue does not take it, and nobody is told twice', async () => {
    const { tell, work, faults, queueFails, receivers, queue } = await openNotify([slack, webhook]);
    queueFails();
    await expect(tell(news([change('shop')]))).rejects.toMatchObject({ code: 'QueueFailed' });
    expect([receivers.accepted.slack, receivers.accepted.webhook]).toEqual([[], []]);
    await tell(news([change('shop')]));
    faults.set('notices', 'slack', { kind: 'drop' });
    queueFails();
    expect(await work()).toMatchObject([{ channel: 'slack', tries: 0 }]);
    expect(queue.waiting).toEqual([]);
    expect(receivers.accepted.webhook).toHaveLength(1);
  });

  test('waits in the queue, which brings it back too early, until its time has come', async () => {
    const { tell, work, workAll, faults, clock, queue, receivers } = await openNotify([slack]);
    faults.set('notices', 'slack', {
      kind: 'error',
      code: 'x',
      status: 429,
      headers: { 'retry-after': '3600' },
    });
    await tell(news([change('shop')]));
    await work();
    clock.pass(15 * minuteMs);
    expect(await workAll()).toEqual([]);
    expect(queue.waiting).toMatchObject([{ channel: 'slack', tries: 1 }]);
    expect(receivers.accepted.slack).toEqual([]);
    clock.pass(45 * minuteMs);
    await workAll();
    expect(JSON.stringify(receivers.accepted.slack)).toContain(
      'This comes late: it was so at 2026-11-30 08:15 UTC',
    );
  });
});

test('a channel that is gone from the inventory is dropped, and forgotten where it failed', async () => {
  const { tell, work, queue, installation, receivers } = await openNotify([slack]);
  await installation.recordChannels([{ channel: 'webhook old', since: new Date(0), words: 'it was down' }]);
  await tell(news([change('shop')]));
  queue.waiting = queue.waiting.flatMap((delivery) => [{ ...delivery, channel: 'webhook old' }, delivery]);
  expect(await work()).toEqual([]);
  expect(receivers.accepted.slack).toHaveLength(1);
  expect(installation.record?.failingChannels).toBeUndefined();
});

test('another invocation that records at the same time does not undo what was found out', async () => {
  const { tell, work, installation, faults } = await openNotify([slack, webhook]);
  faults.set('notices', 'slack', { kind: 'error', code: 'x', status: 404 });
  const write = installation.recordChannels.bind(installation);
  let writes = 0;
  installation.recordChannels = async (channels) => {
    writes += 1;
    // The other one has read before us, and writes after us.
    await write(writes === 1 ? [{ channel: 'webhook ops', since: new Date(0), words: 'down' }] : channels);
  };
  await tell(news([change('shop')]));
  await work();
  expect(installation.record?.failingChannels).toMatchObject([{ channel: 'slack' }]);
});

test('a channel that takes one notice and not another at the same time works', async () => {
  const { tell, work, installation, faults, queue } = await openNotify([slack], { timeoutMs: 1_500 });
  await tell(news([change('shop'), recovered('edge')]));
  // It fails after the other was taken.
  faults.set('notices', 'slack', { kind: 'delay', ms: 30_000 });
  await work();
  expect(queue.waiting).toHaveLength(1);
  expect(installation.record?.failingChannels).toBeUndefined();
});

test('what cannot be recorded does not send a notice twice', async () => {
  const { tell, work, installation, log } = await openNotify([slack]);
  installation.failures.next('read', new Error('AWS is down'));
  await tell(news([change('shop')]));
  expect(await work()).toEqual([]);
  expect(log.events()).toContain('channel not recorded');
});
