import { describe, expect, it } from 'vitest';
import type { CertificateState } from '../../../lib/state/state.ts';
import { orderedTargetsKey } from '../../../lib/state/targets.ts';
import { at, ForecastLab, hourMs, letsEncrypt, now, ordersOf, otherCa, target } from './observed.ts';

const nights = [{ days: ['Sat', 'Sun'] as const, fromMinute: 60, toMinute: 180, timeZone: 'Europe/Berlin' }];

describe('renewals of a forecast', () => {
  it('fall on the pass after they are due, again and again', () => {
    const lab = new ForecastLab();
    lab.keep('soon', { days: 59 });
    lab.keep('later', { days: 31 });
    const forecast = lab.forecast(90);
    expect(ordersOf(forecast)).toEqual({
      '2026-12-02': 1,
      '2026-12-30': 1,
      '2027-01-31': 1,
      '2027-02-28': 1,
    });
    expect(forecast.days[0]).toMatchObject({
      day: '2026-12-02',
      certificates: { list: ['soon'], omitted: 0 },
    });
    expect(forecast.summary).toMatchObject({ certificates: 2, renewals: 4, firstOrders: 0, notRenewed: 0 });
  });

  it('go by renewBefore and by the window of the CA', () => {
    const lab = new ForecastLab();
    lab.keep('early', { days: 39, spec: { renewBeforeMs: 50 * 24 * hourMs } });
    const window = { certificateId: 'id', windowOf: 'id', windowStart: at(3), windowEnd: at(4) };
    lab.keep('window', { days: 58, state: window });
    expect(ordersOf(lab.forecast(50))).toEqual({ '2026-12-02': 1, '2026-12-05': 1, '2027-01-11': 1 });
  });

  it('take first orders at once', () => {
    const lab = new ForecastLab();
    lab.keep('new');
    const { summary, days } = lab.forecast(30);
    expect(summary).toMatchObject({ firstOrders: 1, renewals: 0 });
    expect(days[0]?.day).toBe('2026-12-01');
  });

  it('follow what Let’s Encrypt has published, and the call where it says another lifetime', () => {
    const lab = new ForecastLab();
    lab.keep('shop', { days: 59, spec: { issuer: 'letsencrypt' } });
    // 90 days of December last until March; what is ordered from 2027-02-10 on has 64, later 45.
    expect(Object.keys(ordersOf(lab.forecast(160)))).toEqual(['2026-12-02', '2027-01-31', '2027-04-02']);
    const march = new Date('2027-03-01T00:00:00Z');
    const published = lab.forecast(90, { start: march });
    expect(Object.keys(ordersOf(published))).toEqual(['2027-04-02', '2027-05-14']);
    const tried = lab.forecast(90, { start: march, lifetimeMs: 45 * 24 * hourMs });
    expect(Object.keys(ordersOf(tried))).toEqual(['2027-04-02', '2027-05-02']);
    expect(tried.notes[0]).toContain('gives certificates of 45d, as the call says');
  });

  it('are late where the certificate ends first', () => {
    const lab = new ForecastLab();
    lab.keep('gone', { days: 95 });
    const { lateOrders, summary } = lab.forecast(10);
    expect(lateOrders.list).toEqual([{ certificate: 'gone', notAfter: at(-5), orderedAt: now }]);
    expect(summary.lateOrders).toBe(1);
  });
});

it('a certificate that ends before it begins, by its tags, is ordered once and lasts as any other', () => {
  const lab = new ForecastLab();
  lab.keep('lying', { days: 0, state: { notAfter: at(-1) } });
  const { summary, lateOrders } = lab.forecast(60);
  expect(summary.renewals).toBe(1);
  expect(lateOrders.list).toHaveLength(1);
});

describe('certificates that are not renewed', () => {
  const trouble = (code: string) => ({ since: at(-1), code, words: `words of ${code}` });
  const states: readonly (readonly [string, CertificateState])[] = [
    ['Paused', { pausedSince: at(-2), pauseReason: 'moving' }],
    ['PausedByCA', { pausedSince: at(-2), pauseReason: 'the CA has paused it: unpause at …' }],
    ['WaitingForDns', { problem: trouble('PreflightFailed') }],
    ['NameTaken', { problem: trouble('NameTaken') }],
    [
      'Failing',
      { failures: 3, error: 'unauthorized', nextAttempt: at(0.5), problem: trouble('unauthorized') },
    ],
  ];

  it.each(states)('are named with the reason %s and their end', (reason, state) => {
    const lab = new ForecastLab();
    lab.keep('shop', { days: 61, state });
    const { notRenewed, summary } = lab.forecast(90);
    expect(summary).toMatchObject({ renewals: 0, notRenewed: 1 });
    expect(notRenewed.list).toEqual([
      expect.objectContaining({ certificate: 'shop', reason, notAfter: at(29), expiresInDays: 29 }),
    ]);
    expect(notRenewed.list[0]?.until).toEqual(reason === 'Failing' ? at(0.5) : null);
  });

  it('are also those that nobody asks for, that are let go, and whose tags do not tell', () => {
    const lab = new ForecastLab();
    const issued: CertificateState = {
      version: 'v1',
      names: 'n',
      issuer: otherCa,
      key: 'ecdsa-p256',
      fingerprint: '0'.repeat(64),
    };
    const state = { ...issued, notBefore: at(-1), notAfter: at(89) };
    lab.add('orphan', state);
    lab.add('leaving', { ...state, source: 'import', retire: { kind: 'retire', at: at(-1), revoke: false } });
    lab.add('written', { ...state, source: 'import' }, 'v2');
    const reasons = lab.forecast(90).notRenewed.list.map(({ certificate, reason }) => [certificate, reason]);
    expect(Object.fromEntries(reasons)).toEqual({
      orphan: 'Abandoned',
      leaving: 'Retiring',
      written: 'Unreadable',
    });
  });

  it('are those whose time of grace ends before, and until then they are renewed', () => {
    const lab = new ForecastLab();
    lab.keep('kept', { days: 50 });
    const [own] = lab.observed;
    if (!own) throw new Error('nothing is kept');
    lab.observed[0] = { ...own, misfits: { found: [], grace: at(20) } };
    const { summary, notRenewed } = lab.forecast(100);
    expect(summary).toMatchObject({ renewals: 1, notRenewed: 1 });
    expect(notRenewed.list[0]).toMatchObject({ reason: 'NotAllowed', since: at(20) });
  });

  it('are not those that wait for a limit of the CA', () => {
    const lab = new ForecastLab();
    lab.keep('shop', { days: 61, state: { failures: 1, error: 'rateLimited', nextAttempt: at(3) } });
    expect(ordersOf(lab.forecast(10))).toEqual({ '2026-12-04': 1 });
  });

  it('are named although they are renewed, where the version in use is frozen', () => {
    const lab = new ForecastLab();
    const freeze = { version: 'v1', target: '*', reason: 'broke checkout' };
    lab.keep('shop', { days: 50, state: { freeze }, spec: { targets: [target('shop-tls')] } });
    const { notRenewed, summary } = lab.forecast(20);
    expect(notRenewed.list).toEqual([
      expect.objectContaining({ reason: 'Frozen', message: 'broke checkout', until: at(10) }),
    ]);
    expect(summary).toMatchObject({ renewals: 1, deliveries: 1 });
  });
});

describe('deliveries of a forecast', () => {
  it('wait for the next window, to the minute', () => {
    const lab = new ForecastLab();
    lab.keep('shop', { days: 59, spec: { targets: [target('shop-tls', nights), target('other-tls')] } });
    const { waitingDeliveries, summary, days } = lab.forecast(14);
    expect(summary).toMatchObject({ deliveries: 2, waitingDeliveries: 1 });
    expect(waitingDeliveries.list).toEqual([
      {
        certificate: 'shop',
        target: 'prod/web/shop-tls',
        from: at(1),
        until: new Date('2026-12-05T00:00:00Z'),
        isUrgent: false,
      },
    ]);
    expect(days.map(({ day, deliveries }) => [day, deliveries])).toEqual([
      ['2026-12-02', 1],
      ['2026-12-05', 1],
    ]);
  });

  it('come before the window where the certificate that is there ends soon', () => {
    const lab = new ForecastLab();
    const targets = [target('shop-tls', nights)];
    lab.keep('shop', { days: 88.5, spec: { targets } });
    const { list } = lab.forecast(14).waitingDeliveries;
    // A day and a half is left as it is ordered; a quarter of that is waited for.
    expect(list).toEqual([
      expect.objectContaining({ isUrgent: true, until: new Date(at(1.125).getTime() + 1) }),
    ]);
  });

  it('are those that are still open today, unless a newer version takes their place', () => {
    const lab = new ForecastLab();
    const targets = [target('shop-tls', nights)];
    const open = (days: number) => {
      const holds = [{ version: 'v0', notAfter: at(25) }];
      return { days, spec: { targets }, state: { deployed: phases('none', holds) } };
    };
    const phases = (phase: 'none', holds: readonly { version: string; notAfter: Date }[]) => ({
      version: 'v1',
      targets: orderedTargetsKey(targets),
      phases: [phase],
      holds,
    });
    lab.keep('open', open(1));
    lab.keep('replaced', open(59));
    const { summary, waitingDeliveries } = lab.forecast(10);
    expect(summary).toMatchObject({ deliveries: 2, supersededDeliveries: 1 });
    expect(waitingDeliveries.list.map(({ certificate, from }) => [certificate, from])).toEqual([
      ['open', now],
      ['replaced', at(1)],
    ]);
  });

  it('do not wait where nothing is there yet', () => {
    const lab = new ForecastLab();
    lab.keep('new', { spec: { targets: [target('new-tls', nights)] } });
    expect(lab.forecast(10).summary).toMatchObject({ deliveries: 1, waitingDeliveries: 0 });
  });
});

describe('limits of a forecast', () => {
  it('let the first orders through that they have room for, and say until when the others wait', () => {
    const lab = new ForecastLab();
    for (let index = 0; index < 60; index += 1) lab.keep(`new-${index}`, { spec: { issuer: 'letsencrypt' } });
    const { issuers, waitingOrders, summary, days } = lab.forecast(10);
    // 50 certificates a week for example.com, of which a tenth is kept for what is urgent; first orders of
    // the inventory are.
    expect(summary).toMatchObject({ firstOrders: 60, waitingOrders: 10 });
    expect(days[0]).toMatchObject({ firstOrders: 51 });
    expect(waitingOrders.list[0]).toEqual({
      certificate: 'new-54',
      limit: 'certificates for example.com',
      from: now,
      // One more each 202 minutes, and a pass each six hours.
      until: at(0.25),
    });
    expect(issuers).toEqual([
      expect.objectContaining({
        directory: letsEncrypt,
        issuers: ['letsencrypt'],
        hasKnownLimits: true,
        orders: 60,
        exempt: 0,
        busiest: { from: now, orders: 50 },
      }),
    ]);
    expect(issuers[0]?.limits[0]).toMatchObject({
      what: 'certificates for example.com',
      most: 50,
      used: 50,
      waiting: 10,
    });
  });

  it('do not count renewals, and remember the orders of last week', () => {
    const lab = new ForecastLab();
    const orders = { directory: letsEncrypt, registeredDomains: ['example.com'], times: [at(-0.01)] };
    for (let index = 0; index < 60; index += 1)
      lab.keep(`old-${index}`, {
        days: 59,
        spec: { issuer: 'letsencrypt' },
        state: index < 49 ? { orders } : {},
      });
    lab.keep('new-1', { spec: { issuer: 'letsencrypt' } });
    lab.keep('new-2', { spec: { issuer: 'letsencrypt' } });
    const { issuers, waitingOrders } = lab.forecast(3);
    expect(issuers[0]).toMatchObject({ orders: 62, exempt: 60, busiest: { orders: 60 } });
    expect(waitingOrders.list.map(({ certificate }) => certificate)).toEqual(['new-2']);
  });

  it('are not known of other CAs, which is said', () => {
    const lab = new ForecastLab();
    for (let index = 0; index < 400; index += 1) lab.keep(`new-${index}`);
    const { issuers, notes } = lab.forecast(1);
    expect(issuers).toEqual([expect.objectContaining({ hasKnownLimits: false, orders: 400, limits: [] })]);
    expect(notes).toContain(`the limits of ${otherCa} are not known: only its answers tell`);
  });
});

describe('changes in DNS of a forecast', () => {
  it('are two for each zone and pass, and none while a validation serves', () => {
    const lab = new ForecastLab();
    for (const name of ['a', 'b', 'c']) lab.keep(name, { spec: { issuer: 'letsencrypt' } });
    expect(lab.forecast(30).summary).toMatchObject({ values: 3, zoneChanges: 2, ordersWithoutChange: 0 });
    const short = { lifetimeMs: 6 * 24 * hourMs };
    // Renewed each three days: with a reuse of 30 days, less the 21 hours at its end, once in ten orders.
    expect(lab.forecast(30, short).summary).toMatchObject({
      values: 6,
      zoneChanges: 4,
      ordersWithoutChange: 24,
    });
    const never = lab.forecast(30, { ...short, reuseMs: 0 }).summary;
    expect(never).toMatchObject({ values: 30, ordersWithoutChange: 0 });
  });

  it('are none where the records of an issuer are lasting', () => {
    const lab = new ForecastLab();
    lab.issuers.default = {
      directory: otherCa,
      contact: [],
      agreeToTerms: true,
      challenge: 'dns-persist-01',
    };
    lab.keep('shop', { days: 70 });
    expect(lab.forecast(5).summary).toMatchObject({ renewals: 1, values: 0, zoneChanges: 0 });
  });
});

describe('the cost of a forecast', () => {
  it('is a month of the installation, by service', () => {
    const lab = new ForecastLab();
    for (let index = 0; index < 100; index += 1)
      lab.keep(`c${index}`, { days: index % 60, spec: { targets: [target(`c${index}-tls`)] } });
    const { cost } = lab.forecast(90);
    // 100 certificates and what belongs to none, at 40 cents; each is read once an hour and once a day.
    expect(cost.lines.find(({ unit }) => unit === 'secret months')).toMatchObject({ quantity: 105, usd: 42 });
    const calls = cost.lines.find(({ unit }) => unit === 'API calls');
    expect(calls?.quantity).toBeGreaterThan(103_000);
    expect(calls?.quantity).toBeLessThan(107_000);
    expect(cost.services[0]).toMatchObject({ service: 'Secrets Manager' });
    expect(cost.usdWithFreeTier).toBeLessThan(cost.usd);
    expect(cost.lines.find(({ service }) => service === 'Route 53')).toMatchObject({ usd: 0 });
  });

  it('has the KMS key of the inventory, and its requests', () => {
    const lab = new ForecastLab();
    for (let index = 0; index < 100; index += 1)
      lab.keep(`c${index}`, { days: index % 60, spec: { targets: [target(`c${index}-tls`)] } });
    const keyLines = () => lab.forecast(90).cost.lines.filter(({ service }) => service === 'KMS');
    expect(keyLines()).toEqual([]);
    lab.sections = {
      kmsKey: 'arn:aws:kms:eu-central-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef',
    };
    const [key, requests] = keyLines();
    expect(key).toMatchObject({ unit: 'key months', quantity: 1, usd: 1 });
    // Each certificate is read once an hour and once a day; a few orders write more.
    expect(requests?.quantity).toBeGreaterThan(75_000);
    expect(requests?.quantity).toBeLessThan(76_000);
  });
});
