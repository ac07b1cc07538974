// Certificates of one pass beside one that is slow, or whose CA is: it keeps none of them waiting.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DnsError } from '../../lib/ports/dns.ts';
import type { FakeAuthority } from '../fakes/authority.ts';
import { Bench, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
const blog = specOf('blog', ['blog.example.com']);
const slow = specOf('slow', ['slow.example.com']);
const slowName = '_acme-challenge.slow.example.com';

// Those that are ready wait a while for the others: that time passes here as fast as anybody looks.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** Waits until certificates are over and done with: stored, recorded, released, and their TXT values gone. */
async function settled(bench: Bench, ...names: readonly string[]): Promise<void> {
  await vi.waitFor(
    async () => {
      if (vi.isFakeTimers()) await vi.advanceTimersByTimeAsync(500);
      for (const name of names) {
        expect(await bench.current(name), name).toBeDefined();
        expect(bench.pending(name), name).toBeUndefined();
        expect(bench.state(name), name).not.toHaveProperty('order');
        expect([...bench.records.values].filter((text) => text.includes(`.${name}.`))).toEqual([]);
      }
    },
    { timeout: 30_000, interval: 50 },
  );
}

/** Lets a CA hang over one name until the test ends that. */
function hang(ca: FakeAuthority, method: 'newOrder' | 'readAuthorization' | 'finalize'): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wait = async (domains: readonly string[] = []) => {
    if (domains.includes('slow.example.com')) await promise;
  };
  const newOrder = ca.newOrder.bind(ca);
  const readAuthorization = ca.readAuthorization.bind(ca);
  const finalize = ca.finalize.bind(ca);
  const hanging = {
    newOrder: async (...asked: Parameters<typeof newOrder>) => {
      await wait(asked[0].domains);
      return newOrder(...asked);
    },
    readAuthorization: async (url: string) => {
      await wait(ca.orders.get(url.split('/authorization/')[0] ?? '')?.domains);
      return readAuthorization(url);
    },
    finalize: async (...asked: Parameters<typeof finalize>) => {
      await wait(ca.orders.get(asked[0].url)?.domains);
      return finalize(...asked);
    },
  };
  Object.assign(ca, { [method]: hanging[method] });
  return resolve;
}

describe('a certificate', () => {
  it.each([
    [
      'whose TXT value nobody can see yet',
      (bench: Bench, until: Promise<void>) => bench.unseen.set(slowName, until),
    ],
    [
      'whose zone stays PENDING',
      (bench: Bench, until: Promise<void>) => bench.records.slow.set(slowName, until),
    ],
  ])('%s keeps none waiting that was begun with it, and still shares their change', async (_what, delay) => {
    const bench = new Bench([slow, shop, blog]);
    const wait = Promise.withResolvers<void>();
    delay(bench, wait.promise);
    const pass = bench.run();
    await settled(bench, 'shop', 'blog');
    expect(bench.pending('slow')).toBeDefined();
    expect([bench.records.presents, bench.records.cleanUps]).toEqual([1, 1]);
    wait.resolve();
    expect((await pass).report.summary).toEqual({ certificates: 3, issued: 3 });
    expect([bench.records.presents, bench.records.cleanUps]).toEqual([1, 2]);
  });

  it('whose TXT value never shows fails alone', async () => {
    const bench = new Bench([slow, shop]);
    const wait = Promise.withResolvers<void>();
    bench.unseen.set(slowName, wait.promise);
    bench.invisible.set(slowName, new DnsError('NotVisible', 'ns-1 does not answer it'));
    const pass = bench.run();
    await settled(bench, 'shop');
    wait.resolve();
    expect((await pass).report.summary).toEqual({ certificates: 2, issued: 1, failed: 1 });
    expect(bench.state('slow')).toMatchObject({ error: 'NotVisible', failures: 1 });
    expect(bench.records.values.size).toBe(0);
  });

  it.each([
    'newOrder',
    'readAuthorization',
    'finalize',
  ] as const)('whose CA hangs at %s keeps none of the same CA waiting for long', async (method) => {
    const bench = new Bench([slow, shop, blog]);
    const answer = hang(bench.ca, method);
    const pass = bench.run();
    await settled(bench, 'shop', 'blog');
    expect(bench.pending('slow')).toBeDefined();
    answer();
    expect((await pass).report.summary).toEqual({ certificates: 3, issued: 3 });
    expect(bench.records.values.size).toBe(0);
  });

  it('that takes its time does not keep the next wave from beginning', async () => {
    const many = Array.from({ length: 300 }, (_, n) => specOf(`n${n}`, [`n${n}.example.com`]));
    // It is the first of them.
    const bench = new Bench([{ ...slow, name: 'a-slow' }, ...many]);
    const wait = Promise.withResolvers<void>();
    bench.unseen.set(slowName, wait.promise);
    const pass = bench.run();
    await vi.waitFor(
      async () => {
        await vi.advanceTimersByTimeAsync(500);
        expect(many.filter(({ name }) => bench.state(name).version === undefined)).toEqual([]);
      },
      { timeout: 30_000, interval: 50 },
    );
    expect(bench.log.events().filter((event) => event === 'order batch started')).toHaveLength(2);
    wait.resolve();
    expect((await pass).report.summary).toEqual({ certificates: 301, issued: 301 });
  });
});

describe('a CA that hangs', () => {
  it.each([
    'newOrder',
    'readAuthorization',
    'finalize',
  ] as const)('at %s keeps no order of another waiting, not even for a while', async (method) => {
    const bench = new Bench([{ ...slow, issuer: 'other' }, shop, blog], {}, { other: {} });
    const other = bench.cas.get('other');
    if (!other) throw new Error('there is no other CA');
    const answer = hang(other, method);
    const pass = bench.run();
    vi.useRealTimers();
    await settled(bench, 'shop', 'blog');
    expect(bench.records.cleanUps).toBe(1);
    answer();
    expect((await pass).report.summary).toEqual({ certificates: 3, issued: 3 });
  });

  it('keeps no orphan of another certificate from being cleaned up', async () => {
    const bench = new Bench([shop]);
    const crashed = new AbortController();
    bench.ca.answerChallenge = async () => {
      crashed.abort(new Error('killed'));
      throw crashed.signal.reason;
    };
    bench.records.failures.next('cleanUp', new Error('killed'));
    await bench.run({}, { signal: crashed.signal });
    expect(bench.records.values.size).toBe(2);
    bench.clock.pass(16 * 60_000);
    bench.exchange(slow);
    const answer = hang(bench.ca, 'newOrder');
    const pass = bench.run();
    await vi.waitFor(() => expect(bench.records.values.size).toBe(0));
    expect(bench.pending('shop')).toBeUndefined();
    answer();
    await pass;
  });
});
