// Certificates of one pass beside one that is slow, or whose CA is: it keeps none of them waiting.
import { describe, expect, it, vi } from 'vitest';
import { DnsError } from '../../lib/ports/dns.ts';
import type { FakeAuthority } from '../fakes/authority.ts';
import { Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
const blog = specOf('blog', ['blog.example.com']);
const slow = specOf('slow', ['slow.example.com']);
const slowName = '_acme-challenge.slow.example.com';

/** Waits until certificates are over and done with: stored, recorded, released, and their TXT values gone.
 *  Those that are ready wait a while for the others: that time passes here as fast as anybody looks. */
async function settled(harness: Harness, ...names: readonly string[]): Promise<void> {
  await settledAfter(harness, 500, names);
}

/** As `settled`, while so much time passes before each look. */
async function settledAfter(harness: Harness, ms: number, names: readonly string[]): Promise<void> {
  await vi.waitFor(
    async () => {
      harness.clock.pass(ms);
      for (const name of names) {
        expect(await harness.current(name), name).toBeDefined();
        expect(harness.pending(name), name).toBeUndefined();
        expect(harness.state(name), name).not.toHaveProperty('order');
        expect([...harness.records.values].filter((text) => text.includes(`.${name}.`))).toEqual([]);
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
      (harness: Harness, until: Promise<void>) => harness.unseen.set(slowName, until),
    ],
    [
      'whose zone stays PENDING',
      (harness: Harness, until: Promise<void>) => harness.records.slow.set(slowName, until),
    ],
  ])('%s keeps none waiting that was begun with it, and still shares their change', async (_what, delay) => {
    const harness = new Harness([slow, shop, blog]);
    const wait = Promise.withResolvers<void>();
    delay(harness, wait.promise);
    const pass = harness.run();
    await settled(harness, 'shop', 'blog');
    expect(harness.pending('slow')).toBeDefined();
    expect([harness.records.presents, harness.records.cleanUps]).toEqual([1, 1]);
    wait.resolve();
    expect((await pass).report.summary).toEqual({ certificates: 3, issued: 3 });
    expect([harness.records.presents, harness.records.cleanUps]).toEqual([1, 2]);
  });

  it('whose TXT value never shows fails alone', async () => {
    const harness = new Harness([slow, shop]);
    const wait = Promise.withResolvers<void>();
    harness.unseen.set(slowName, wait.promise);
    harness.invisible.set(slowName, new DnsError('NotVisible', 'ns-1 does not answer it'));
    const pass = harness.run();
    await settled(harness, 'shop');
    wait.resolve();
    expect((await pass).report.summary).toEqual({ certificates: 2, issued: 1, failed: 1 });
    expect(harness.state('slow')).toMatchObject({ error: 'NotVisible', failures: 1 });
    expect(harness.records.values.size).toBe(0);
  });

  it.each([
    'newOrder',
    'readAuthorization',
    'finalize',
  ] as const)('whose CA hangs at %s keeps none of the same CA waiting for long', async (method) => {
    const harness = new Harness([slow, shop, blog]);
    const answer = hang(harness.ca, method);
    const pass = harness.run();
    await settled(harness, 'shop', 'blog');
    expect(harness.pending('slow')).toBeDefined();
    answer();
    expect((await pass).report.summary).toEqual({ certificates: 3, issued: 3 });
    expect(harness.records.values.size).toBe(0);
  });

  it('that takes its time does not keep the next wave from beginning', async () => {
    const many = Array.from({ length: 300 }, (_, n) => specOf(`n${n}`, [`n${n}.example.com`]));
    // It is the first of them.
    const harness = new Harness([{ ...slow, name: 'a-slow' }, ...many]);
    const wait = Promise.withResolvers<void>();
    harness.unseen.set(slowName, wait.promise);
    const pass = harness.run();
    await vi.waitFor(
      async () => {
        harness.clock.pass(500);
        expect(many.filter(({ name }) => harness.state(name).version === undefined)).toEqual([]);
      },
      { timeout: 30_000, interval: 50 },
    );
    expect(harness.log.events().filter((event) => event === 'order batch started')).toHaveLength(2);
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
    const harness = new Harness([{ ...slow, issuer: 'other' }, shop, blog], {}, { other: {} });
    const other = harness.cas.get('other');
    if (!other) throw new Error('there is no other CA');
    const answer = hang(other, method);
    const pass = harness.run();
    await settledAfter(harness, 0, ['shop', 'blog']);
    expect(harness.records.cleanUps).toBe(1);
    answer();
    expect((await pass).report.summary).toEqual({ certificates: 3, issued: 3 });
  });

  it('keeps no orphan of another certificate from being cleaned up', async () => {
    const harness = new Harness([shop]);
    const crashed = new AbortController();
    harness.ca.answerChallenge = async () => {
      crashed.abort(new Error('killed'));
      throw crashed.signal.reason;
    };
    harness.records.failures.next('cleanUp', new Error('killed'));
    await harness.run({}, { signal: crashed.signal });
    expect(harness.records.values.size).toBe(2);
    harness.clock.pass(16 * 60_000);
    harness.exchange(slow);
    const answer = hang(harness.ca, 'newOrder');
    const pass = harness.run();
    await vi.waitFor(() => expect(harness.records.values.size).toBe(0), { timeout: 30_000 });
    expect(harness.pending('shop')).toBeUndefined();
    answer();
    await pass;
  });
});
