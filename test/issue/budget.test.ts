// The CA's limits, spent before the CA counts: what waits, until when, and what is spared.
import { describe, expect, it } from 'vitest';
import { dayMs, Harness, specOf } from './harness.ts';

const directory = 'https://acme-v02.api.letsencrypt.org/directory';
const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
const hourMs = 3_600_000;

describe('at Let’s Encrypt', () => {
  it('P04 the sixth order for one set of names waits a day and more, even when it is forced', async () => {
    const harness = new Harness([shop], { directory });
    for (let order = 1; order <= 5; order += 1) await harness.run({ certificates: ['shop'], force: true });
    const { report, failures } = await harness.run({ certificates: ['shop'], force: true });
    expect(report.certificates).toMatchObject([
      { decision: 'wait', reason: 'RateLimited', until: new Date('2026-11-23T20:00:00Z') },
    ]);
    expect(failures).toEqual([]);
    expect(harness.ca.count('newOrder')).toBe(5);
    harness.clock.pass(34 * hourMs);
    expect((await harness.run({ certificates: ['shop'], force: true })).report.summary).toMatchObject({
      issued: 1,
    });
  });

  it('what other certificates of the domain have spent counts, whether they are asked for or not', async () => {
    const many = Array.from({ length: 50 }, (_, index) => specOf(`c${index}`, [`c${index}.example.com`]));
    const harness = new Harness([...many, shop], { directory });
    await harness.run({ certificates: many.map(({ name }) => name) });
    const { report } = await harness.run({ certificates: ['shop'] });
    expect(report.certificates).toMatchObject([
      { reason: 'RateLimited', until: new Date('2026-11-22T13:22:00Z') },
    ]);
    expect(report.certificates[0]?.message).toContain('certificates for example.com');
  });

  it('of more orders than an account may make the rest waits, says until when, and is ordered then', async () => {
    const many = Array.from({ length: 12 }, (_, index) =>
      specOf(`c${index}`, [`c${index}.site-${index}.com`]),
    );
    const harness = new Harness(many, { directory });
    // 298 orders of others, just now.
    for (let index = 0; index < 15; index += 1) {
      const times = Array.from({ length: index === 0 ? 18 : 20 }, () => harness.clock.now());
      await harness.store.create(`other${index}`, undefined);
      await harness.store.record(`other${index}`, {
        orders: { directory, registeredDomains: [`other-${index}.com`], times },
      });
    }
    const { report } = await harness.run({ certificates: many.map(({ name }) => name) });
    expect(report.summary).toEqual({ certificates: 12, issued: 2, wait: 10 });
    const waiting = report.certificates.filter(({ decision }) => decision === 'wait');
    for (const { reason, message, until } of waiting) {
      expect(reason).toBe('RateLimited');
      expect(message).toContain('limit on new orders is spent');
      expect(until?.getTime()).toBeGreaterThan(harness.clock.now().getTime());
    }
    expect(harness.sent.flatMap(({ names }) => names).sort()).toEqual(waiting.map(({ name }) => name).sort());
    harness.clock.pass(10 * 36_000);
    expect(
      (await harness.run({ certificates: waiting.map(({ name }) => name) })).report.summary,
    ).toMatchObject({ issued: 10 });
  });

  it('a renewal is spared the limit of the domain', async () => {
    const many = Array.from({ length: 50 }, (_, index) => specOf(`c${index}`, [`c${index}.example.com`]));
    const harness = new Harness([shop], { directory });
    await harness.run();
    harness.clock.pass(61 * dayMs);
    const crowd = new Harness(many, { directory });
    Object.assign(crowd, {
      store: harness.store,
      clock: harness.clock,
      records: harness.records,
      ca: harness.ca,
    });
    await crowd.run();
    expect((await harness.run({ certificates: ['shop'] })).report.summary).toMatchObject({ issued: 1 });
  });

  it.each([
    ['that the webhook registered', 'registration', 'wait'],
    ['that discovery found', 'discovery', 'wait'],
    ['that the inventory asks for', undefined, 'order'],
  ] as const)('a new certificate %s finds of the reserve alone: %s, %s', async (_what, source, decision) => {
    const harness = new Harness(source ? [] : [shop], { directory });
    // 45 of the 50 orders for the domain, just now.
    for (const [index, count] of [20, 20, 5].entries()) {
      const times = Array.from({ length: count }, () => harness.clock.now());
      await harness.store.create(`other${index}`, undefined);
      await harness.store.record(`other${index}`, {
        orders: { directory, registeredDomains: ['example.com'], times },
      });
    }
    if (source) await harness.store.create('shop', { ...shop, source });
    const { report } = await harness.run({ certificates: ['shop'], dryRun: true });
    expect(report.certificates).toMatchObject([{ name: 'shop', decision }]);
  });

  it('an order in flight is finished, whatever is spent', async () => {
    const harness = new Harness([shop], { directory });
    for (let order = 1; order <= 4; order += 1) await harness.run({ certificates: ['shop'], force: true });
    harness.ca.failures.next('finalize', new Error('the connection broke'));
    await harness.run({ certificates: ['shop'], force: true });
    harness.clock.pass(16 * 60_000);
    expect((await harness.run()).report.certificates).toMatchObject([
      { reason: 'Resume', outcome: 'issued' },
    ]);
    expect(harness.ca.count('newOrder')).toBe(5);
  });
});

it('a CA of which no limits are known is never second-guessed', async () => {
  const harness = new Harness([shop]);
  for (let order = 1; order <= 7; order += 1) await harness.run({ certificates: ['shop'], force: true });
  expect(harness.ca.count('newOrder')).toBe(7);
});
