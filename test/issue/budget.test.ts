// The CA's limits, spent before the CA counts: what waits, until when, and what is spared.
import { describe, expect, it } from 'vitest';
import { Bench, dayMs, specOf } from './harness.ts';

const directory = 'https://acme-v02.api.letsencrypt.org/directory';
const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
const hourMs = 3_600_000;

describe('at Let’s Encrypt', () => {
  it('P04 the sixth order for one set of names waits a day and more, even when it is forced', async () => {
    const bench = new Bench([shop], { directory });
    for (let order = 1; order <= 5; order += 1) await bench.run({ certificates: ['shop'], force: true });
    const { report, failures } = await bench.run({ certificates: ['shop'], force: true });
    expect(report.certificates).toMatchObject([
      { decision: 'wait', reason: 'RateLimited', until: new Date('2026-11-23T20:00:00Z') },
    ]);
    expect(failures).toEqual([]);
    expect(bench.ca.count('newOrder')).toBe(5);
    bench.clock.pass(34 * hourMs);
    expect((await bench.run({ certificates: ['shop'], force: true })).report.summary).toMatchObject({
      issued: 1,
    });
  });

  it('what other certificates of the domain have spent counts, whether they are asked for or not', async () => {
    const many = Array.from({ length: 50 }, (_, index) => specOf(`c${index}`, [`c${index}.example.com`]));
    const bench = new Bench([...many, shop], { directory });
    await bench.run({ certificates: many.map(({ name }) => name) });
    const { report } = await bench.run({ certificates: ['shop'] });
    expect(report.certificates).toMatchObject([
      { reason: 'RateLimited', until: new Date('2026-11-22T13:22:00Z') },
    ]);
    expect(report.certificates[0]?.message).toContain('certificates for example.com');
  });

  it('of more orders than an account may make the rest waits, says until when, and is ordered then', async () => {
    const many = Array.from({ length: 12 }, (_, index) =>
      specOf(`c${index}`, [`c${index}.site-${index}.com`]),
    );
    const bench = new Bench(many, { directory });
    // 298 orders of others, just now.
    for (let index = 0; index < 15; index += 1) {
      const times = Array.from({ length: index === 0 ? 18 : 20 }, () => bench.clock.now());
      await bench.store.create(`other${index}`, undefined);
      await bench.store.record(`other${index}`, {
        orders: { directory, registeredDomains: [`other-${index}.com`], times },
      });
    }
    const { report } = await bench.run({ certificates: many.map(({ name }) => name) });
    expect(report.summary).toEqual({ certificates: 12, issued: 2, wait: 10 });
    const waiting = report.certificates.filter(({ decision }) => decision === 'wait');
    for (const { reason, message, until } of waiting) {
      expect(reason).toBe('RateLimited');
      expect(message).toContain('limit on new orders is spent');
      expect(until?.getTime()).toBeGreaterThan(bench.clock.now().getTime());
    }
    expect(bench.sent.flatMap(({ names }) => names).sort()).toEqual(waiting.map(({ name }) => name).sort());
    bench.clock.pass(10 * 36_000);
    expect((await bench.run({ certificates: waiting.map(({ name }) => name) })).report.summary).toMatchObject(
      { issued: 10 },
    );
  });

  it('a renewal is spared the limit of the domain', async () => {
    const many = Array.from({ length: 50 }, (_, index) => specOf(`c${index}`, [`c${index}.example.com`]));
    const bench = new Bench([shop], { directory });
    await bench.run();
    bench.clock.pass(61 * dayMs);
    const crowd = new Bench(many, { directory });
    Object.assign(crowd, { store: bench.store, clock: bench.clock, records: bench.records, ca: bench.ca });
    await crowd.run();
    expect((await bench.run({ certificates: ['shop'] })).report.summary).toMatchObject({ issued: 1 });
  });

  it.each([
    ['that the webhook registered', 'registration', 'wait'],
    ['that discovery found', 'discovery', 'wait'],
    ['that the inventory asks for', undefined, 'order'],
  ] as const)('a new certificate %s finds of the reserve alone: %s, %s', async (_what, source, decision) => {
    const bench = new Bench(source ? [] : [shop], { directory });
    // 45 of the 50 orders for the domain, just now.
    for (const [index, count] of [20, 20, 5].entries()) {
      const times = Array.from({ length: count }, () => bench.clock.now());
      await bench.store.create(`other${index}`, undefined);
      await bench.store.record(`other${index}`, {
        orders: { directory, registeredDomains: ['example.com'], times },
      });
    }
    if (source) await bench.store.create('shop', { ...shop, source });
    const { report } = await bench.run({ certificates: ['shop'], dryRun: true });
    expect(report.certificates).toMatchObject([{ name: 'shop', decision }]);
  });

  it('an order in flight is finished, whatever is spent', async () => {
    const bench = new Bench([shop], { directory });
    for (let order = 1; order <= 4; order += 1) await bench.run({ certificates: ['shop'], force: true });
    bench.ca.failures.next('finalize', new Error('the connection broke'));
    await bench.run({ certificates: ['shop'], force: true });
    bench.clock.pass(16 * 60_000);
    expect((await bench.run()).report.certificates).toMatchObject([{ reason: 'Resume', outcome: 'issued' }]);
    expect(bench.ca.count('newOrder')).toBe(5);
  });
});

it('a CA of which no limits are known is never second-guessed', async () => {
  const bench = new Bench([shop]);
  for (let order = 1; order <= 7; order += 1) await bench.run({ certificates: ['shop'], force: true });
  expect(bench.ca.count('newOrder')).toBe(7);
});
