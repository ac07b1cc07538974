// What a CA issues is looked at before it is stored: what is of no use is a failure, and what would be
// ordered again at once is one too, so that orders follow the back-off and not every pass.
import { describe, expect, it, test } from 'vitest';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { judgeCertificate } from '../../lib/policy/health/certificate.ts';
import type { Desired } from '../../lib/policy/issuance/desired.ts';
import { findDueAgain, findShortLife, isBetter } from '../../lib/policy/issuance/issued.ts';
import { type Minting, mintAuthority, mintChain } from '../minting/certificates.ts';
import { actual, desired } from '../policy/situations.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const secondMs = 1000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const shop = specOf('shop', ['shop.example.com']);

type Otherwise = (now: Date) => Partial<Minting> | Promise<Partial<Minting>>;

const later = (now: Date, ms: number) => new Date(now.getTime() + ms);

/** From an hour ago, as public CAs do, until `ms` from now. */
const ending =
  (ms: number): Otherwise =>
  (now) => ({ notBefore: later(now, -hourMs), notAfter: later(now, ms) });

const beginning =
  (ms: number): Otherwise =>
  (now) => ({ notBefore: later(now, ms), notAfter: later(now, 90 * dayMs) });

/** Below an authority with that validity. */
const below =
  (beginMs: number, endMs: number): Otherwise =>
  async (now) => {
    const issuer = await mintAuthority('Between', {
      notBefore: later(now, beginMs),
      notAfter: later(now, endMs),
    });
    return { issuer, intermediates: 0 };
  };

/** A certificate in use that is due, and a CA that then issues otherwise. */
async function openDue(otherwise: Otherwise, spec: Partial<typeof shop> = {}) {
  const harness = new Harness([{ ...shop, ...spec }]);
  await harness.run();
  const good = harness.store.kept.get('shop')?.stages.get('AWSCURRENT');
  harness.clock.pass(61 * dayMs);
  harness.ca.issuesOtherwise = otherwise;
  const current = () => harness.store.kept.get('shop')?.stages.get('AWSCURRENT');
  return { harness, good, current };
}

/** Passes of a schedule that comes round every six hours. */
async function passTenTimes(harness: Harness) {
  const orders = harness.ca.count('newOrder');
  for (let pass = 0; pass < 10; pass += 1) {
    await harness.run();
    harness.clock.pass(6 * hourMs);
  }
  return harness.ca.count('newOrder') - orders;
}

describe('the certificate in use stays, and the failure backs off, where the CA issues', () => {
  it.each<[what: string, otherwise: Otherwise, message: RegExp]>([
    ['a leaf that has ended', ending(0), /not valid now \(the certificate expired at/],
    ['a leaf that ends in 59 minutes', ending(59 * minuteMs), /ends too soon .* in 58 minutes.* for an hour/],
    ['a leaf that begins in an hour', beginning(hourMs), /is valid only from/],
    ['a leaf that begins just past the skew', beginning(5 * minuteMs + secondMs), /is valid only from/],
    ['below an authority that has ended', below(-dayMs, -secondMs), /the certificate of Between expired/],
    ['below an authority that begins later', below(dayMs, 9 * dayMs), /Between is valid only from/],
    ['below an authority that ends in minutes', below(-dayMs, 59 * minuteMs), /ends too soon/],
  ])('%s', async (_, otherwise, message) => {
    const { harness, good, current } = await openDue(otherwise);
    const { report, failures } = await harness.run();
    expect(report.certificates).toMatchObject([
      {
        outcome: 'failed',
        message: expect.stringMatching(message),
        until: later(harness.clock.now(), minuteMs),
      },
    ]);
    expect(failures).toHaveLength(1);
    expect(current()).toBe(good);
    expect(harness.state('shop')).toMatchObject({ failures: 1, error: 'BadCertificate' });
    expect(harness.pending('shop')).toBeUndefined();
    expect((await harness.run({ dryRun: true })).report.certificates).toMatchObject([
      { reason: 'BackingOff' },
    ]);
  });

  it('such things for ten passes: orders are few, and the certificate in use is never exchanged', async () => {
    const { harness, good, current } = await openDue(ending(-hourMs / 2));
    // At the 1st and 2nd pass, the 3rd is after 100 minutes, then once a day.
    expect(await passTenTimes(harness)).toBe(5);
    expect(current()).toBe(good);
  });
});

describe('a certificate is stored, and no failure', () => {
  it.each<[what: string, otherwise: Otherwise]>([
    ['that begins with the skew', beginning(5 * minuteMs)],
    ['below an authority that begins with the skew', below(5 * minuteMs, 100 * dayMs)],
    ['below an authority that lasts for an hour', below(-dayMs, hourMs)],
  ])('%s', async (_, otherwise) => {
    const { harness, good, current } = await openDue(otherwise);
    const { report, failures } = await harness.run();
    expect(failures).toEqual([]);
    expect(report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(current()).not.toBe(good);
  });
});

test.each<[left: number, interval: number | undefined, isLongEnough: boolean]>([
  [59 * minuteMs, undefined, false],
  [hourMs - secondMs, undefined, false],
  [hourMs, undefined, true],
  [hourMs - secondMs, 5 * minuteMs, false],
  [hourMs, 5 * minuteMs, true],
  [12 * hourMs - secondMs, 6 * hourMs, false],
  [12 * hourMs, 6 * hourMs, true],
  [12 * hourMs + secondMs, 6 * hourMs, true],
])('%i ms left, with a pass every %s ms: long enough is %s', (left, interval, isLongEnough) => {
  const now = new Date('2026-11-22T10:00:00Z');
  expect(findShortLife(later(now, left), now, interval) === undefined).toBe(isLongEnough);
});

test('the interval of the schedule reaches the check', async () => {
  const { harness, good, current } = await openDue(ending(12 * hourMs - secondMs));
  const { failures } = await harness.run({}, { issueIntervalMs: 6 * hourMs });
  expect(failures[0]?.message).toContain('two intervals of the schedule');
  expect(current()).toBe(good);
});

describe('what would be ordered again at once', () => {
  /** Two thirds of it are over, and it ends in `days`. */
  const shortened =
    (days: number): Otherwise =>
    (now) => ({ notBefore: later(now, -2 * days * dayMs), notAfter: later(now, days * dayMs) });

  it('is stored where it ends later than the one in use, and is a failure that says what to do', async () => {
    // In use: ends in 29 days.
    const { harness, good, current } = await openDue(shortened(30));
    harness.signingKey = async () => {
      throw new Error('nothing goes to an agent here');
    };
    const { report, failures } = await harness.run();
    const until = later(harness.clock.now(), minuteMs);
    expect(failures[0]?.message).toMatch(/was stored, but .*renewBefore/);
    expect(report.summary).toMatchObject({ failed: 1 });
    expect(report.certificates).toMatchObject([{ outcome: 'failed', until, version: current() }]);
    expect(current()).not.toBe(good);
    expect(harness.state('shop')).toMatchObject({
      failures: 1,
      error: 'DueAgain',
      nextAttempt: until,
    });
    expect(harness.pending('shop')).toBeUndefined();
    expect((await harness.run()).report.certificates).toMatchObject([
      { decision: 'wait', reason: 'BackingOff', until, message: expect.stringContaining('DueAgain') },
    ]);
    const [spec] = harness.inventory.certificates;
    const entry = await harness.store.describe('shop');
    const context = {
      now: harness.clock.now(),
      staleAfterMs: hourMs,
      probeFreshMs: 24 * 3_600_000,
      clusters: {},
      clusterTroubles: {},
      agents: new Map(),
      retiresGone: false,
    };
    expect(judgeCertificate({ name: 'shop', entry, spec }, context)).toMatchObject({
      health: 'Progressing',
      reason: 'BackingOff',
      message: expect.stringContaining('it would be ordered again at once'),
    });
  });

  it.each<[what: string, seconds: number, isStored: boolean]>([
    ['a second later than', 1, true],
    ['at the same time as', 0, false],
    ['a second before', -1, false],
  ])('and ends %s the one in use (%i s): stored is %s', async (_, seconds, isStored) => {
    const { harness, good, current } = await openDue((now) => ({
      notBefore: later(now, -90 * dayMs),
      notAfter: later(inUse(), seconds * secondMs),
    }));
    const inUse = () => harness.state('shop').notAfter ?? new Date(0);
    const { failures } = await harness.run();
    expect(failures[0]?.message).toContain(isStored ? 'was stored, but' : 'it was not stored');
    expect(current() !== good).toBe(isStored);
    expect(harness.state('shop').failures).toBe(1);
  });

  it('is stored where the one in use has ended, or none is there', async () => {
    const { harness, good, current } = await openDue(shortened(2));
    harness.clock.pass(30 * dayMs);
    await harness.run();
    expect(current()).not.toBe(good);
    const fresh = new Harness([shop]);
    fresh.ca.issuesOtherwise = shortened(2);
    expect((await fresh.run()).failures).toHaveLength(1);
    expect(readCertificate((await fresh.current('shop'))?.chain ?? '').names).toEqual(shop.domains);
  });

  it('for ten passes: orders are as few as the back-off allows, and each that is stored ends later', async () => {
    const { harness } = await openDue(shortened(30));
    const ends: number[] = [];
    const put = harness.store.put.bind(harness.store);
    harness.store.put = async (...stored) => {
      await put(...stored);
      ends.push(readCertificate(stored[1].chain).notAfter.getTime());
    };
    expect(await passTenTimes(harness)).toBe(5);
    expect(ends).toHaveLength(5);
    expect(ends).toEqual(ends.toSorted((one, other) => one - other));
    expect(harness.state('shop').failures).toBe(5);
  });

  it('by a certificate’s own "renewBefore" is the same', async () => {
    // A renewBefore that fits two thirds of three days, of which the CA has let two go by.
    const { harness } = await openDue(
      (now) => ({ notBefore: later(now, -2 * dayMs), notAfter: later(now, dayMs) }),
      { renewBeforeMs: 2 * dayMs },
    );
    harness.clock.pass(40 * dayMs);
    expect(await passTenTimes(harness)).toBe(5);
  });

  it('by the CA’s own window, of each one that it issues, is the same', async () => {
    const harness = new Harness([shop]);
    await harness.run();
    harness.clock.pass(6 * hourMs);
    harness.ca.renewalInfo = async () => {
      harness.ca.calls.push('renewalInfo');
      const now = harness.clock.now();
      return { start: later(now, -hourMs), end: later(now, -hourMs / 2), retryAfterMs: 6 * hourMs };
    };
    // The first is what the CA may want for once; it is asked of the second at once.
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([
      { outcome: 'failed', message: expect.stringContaining('due since') },
    ]);
    expect(harness.state('shop')).toMatchObject({ failures: 1, error: 'DueAgain' });
    harness.clock.pass(6 * hourMs);
    expect(await passTenTimes(harness)).toBe(4);
  });

  it('is not what a CA wants for once: it is asked of the successor, and that is kept', async () => {
    const harness = new Harness([shop]);
    await harness.run();
    harness.clock.pass(6 * hourMs);
    const now = harness.clock.now();
    const window = { start: later(now, -hourMs), end: later(now, -hourMs / 2), retryAfterMs: 6 * hourMs };
    harness.ca.windows.set(harness.state('shop').certificateId ?? '', window);
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect(harness.ca.count('renewalInfo')).toBe(2);
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('is over once the CA issues as it should', async () => {
    const { harness } = await openDue(shortened(30));
    await harness.run();
    harness.ca.issuesOtherwise = undefined;
    harness.clock.pass(minuteMs);
    expect((await harness.run()).failures).toEqual([]);
    expect(harness.state('shop')).not.toHaveProperty('failures');
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('goes to the next issuer where there is one', async () => {
    const spec = { ...shop, fallbackIssuers: ['other'] };
    const harness = new Harness([spec], { attempts: 1 }, { other: {} });
    harness.ca.issuesOtherwise = shortened(30);
    const { report } = await harness.run();
    expect(report.certificates[0]?.message).toContain('the next attempt goes to issuer other');
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
  });

  it('stays a failure where the run that stored it ends before it can say so', async () => {
    const { harness, current } = await openDue(shortened(30));
    const record = harness.store.record.bind(harness.store);
    const death = Promise.withResolvers<void>();
    let stored = false;
    const put = harness.store.put.bind(harness.store);
    harness.store.put = async (...one) => {
      await put(...one);
      stored = true;
    };
    harness.store.record = async (...one) => {
      if (!stored) return record(...one);
      death.resolve();
      return new Promise(() => {});
    };
    await Promise.race([harness.run(), death.promise]);
    harness.store.record = record;
    harness.clock.pass(15 * minuteMs);
    expect((await harness.run()).report.certificates).toMatchObject([
      { outcome: 'failed', version: current() },
    ]);
    expect(harness.state('shop')).toMatchObject({ failures: 1, error: 'DueAgain' });
  });
});

test.each<[what: string, asked: Partial<Desired>, found: RegExp | undefined]>([
  ['what was asked for', {}, undefined],
  [
    'a key of another type',
    { key: 'rsa-2048' },
    /its key is ecdsa-p256, its specification asks for rsa-2048/,
  ],
  ['under another profile', { profile: 'tlsserver' }, /its specification asks for tlsserver/],
  ['a life of which "renewBefore" leaves nothing', { renewBeforeMs: 60 * dayMs }, /due since/],
  ['a life longer than that by a second', { renewBeforeMs: 60 * dayMs - secondMs }, undefined],
])('%s is ordered again at once: %s', async (_, asked, found) => {
  const now = new Date('2026-11-22T10:00:00Z');
  const times = { notBefore: later(now, -30 * dayMs), notAfter: later(now, 60 * dayMs) };
  const facts = readCertificate((await mintChain({ domains: desired.domains, ...times })).chain);
  const due = findDueAgain(
    facts,
    { issuer: desired.directory, domains: facts.names },
    { ...desired, ...asked },
    now,
  );
  expect(due ?? 'kept').toMatch(found ?? /^kept$/);
});

test.each([
  ['one that is revoked, or is to be', true, -1, true],
  ['one that may stay', false, -1, false],
])('a version is better than the one in use, here %s, if that may not stay or ends sooner', (_, isGivenUp, days, better) => {
  expect(isBetter(later(actual.notAfter, days * dayMs), actual, isGivenUp)).toBe(better);
});
