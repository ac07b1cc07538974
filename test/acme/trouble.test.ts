// A CA under load and a CA that takes its time: storms of nonces, 503, long processing, paused names, orders
// without proof.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyMaker } from '../../lib/adapters/acme/keys.ts';
import { verifyBundle } from '../../lib/certificate/bundle.ts';
import { failure, Harness, signal } from './harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const domains = ['a.example.com'];
const newOrders = () => harness.journal.count({ action: 'newOrder' });

describe('refused nonces', () => {
  const badNonce = { kind: 'error', code: 'badNonce', status: 400 } as const;

  it('twenty in a row over several requests cost twenty requests and no order', async () => {
    const authority = await harness.connect();
    harness.faults.set('acme', 'newOrder', badNonce, 20);
    const hosts = ['a', 'b', 'c', 'd'];
    const orders = await Promise.all(
      hosts.map((host) => authority.newOrder({ domains: [`${host}.example.com`] }, signal)),
    );
    expect(orders.map(({ status }) => status)).toEqual(hosts.map(() => 'pending'));
    expect(newOrders()).toBe(24);
    expect(harness.journal.count({ action: 'newNonce' })).toBe(1);
  });

  it.each([
    [30, true],
    [31, false],
  ])('%i in a row for one request: it succeeds: %s', async (count, succeeds) => {
    const authority = await harness.connect();
    harness.faults.set('acme', 'newOrder', badNonce, count);
    const order = authority.newOrder({ domains }, signal);
    if (succeeds) expect((await order).status).toBe('pending');
    else expect((await failure(order)).problem?.type).toBe('badNonce');
    expect(newOrders()).toBe(31);
  });
});

describe('503 from the load balancer', () => {
  const busy = (retryAfter?: string) => {
    const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
    return { kind: 'error', code: 'busy', status: 503, headers } as const;
  };

  it.each<[string, string | undefined, readonly number[]]>([
    ['in seconds', '7', [7_000, 7_000]],
    ['as a date', 'Sun, 22 Nov 2026 10:00:09 GMT', [9_000, 1_000]],
    ['not at all', undefined, [500, 1_000]],
    ['as what nobody can read', 'soon 7', [500, 1_000]],
    ['as no time', '0', [500, 1_000]],
    ['as ten seconds, which are waited for', '10', [10_000, 10_000]],
  ])('that names its Retry-After %s is waited for', async (_, retryAfter, slept) => {
    const authority = await harness.connect();
    harness.faults.set('acme', 'newOrder', busy(retryAfter), 2);
    expect((await authority.newOrder({ domains }, signal)).status).toBe('pending');
    expect(harness.clock.slept).toEqual(slept);
  });

  it.each([
    ['eleven seconds', '11', 11_000],
    ['an hour', '3600', 3_600_000],
    ['longer than anything lives', '99999999999999', 31 * 86_400_000],
  ])('that asks for %s is left to a later run, which learns for how long; reads too', async (_, retryAfter, ms) => {
    const authority = await harness.connect();
    const { url } = await authority.newOrder({ domains }, signal);
    for (const [action, ask] of [
      ['newOrder', () => authority.newOrder({ domains }, signal)],
      ['order', () => authority.readOrder(url, signal)],
    ] as const) {
      harness.journal.clear();
      harness.faults.set('acme', action, busy(retryAfter));
      expect((await failure(ask())).retryAfterMs).toBe(ms);
      expect(harness.journal.count({ action })).toBe(1);
    }
    expect(harness.clock.slept).toEqual([]);
  });

  it('that does not end is given up after four tries', async () => {
    const authority = await harness.connect();
    harness.faults.set('acme', 'newOrder', busy(), 9);
    const error = await failure(authority.newOrder({ domains }, signal));
    expect(error.problem?.status).toBe(503);
    expect(newOrders()).toBe(4);
  });
});

it('a paused name is told with the page that a person must visit', async () => {
  harness.ca.settings.pausedNames.add('a.example.com');
  const authority = await harness.connect();
  const error = await failure(authority.newOrder({ domains }, signal));
  expect(error).toMatchObject({ code: 'Problem', problem: { type: 'rateLimited' }, retryAfterMs: undefined });
  expect(error.pausedUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/unpause\?jwt=\S{800,}$/);
  expect(newOrders()).toBe(1);
});

it.each([
  'valid',
  'omitted',
] as const)('an order that needs no proof (authorizations %s) is finalized as it is', async (preauthorized) => {
  harness.ca.settings.preauthorized = preauthorized;
  const names = ['*.a.example.com', 'a.example.com'];
  const { chain, key, order } = await harness.issue(await harness.connect(), names);
  expect(order).toMatchObject({ status: 'ready', names });
  expect(verifyBundle({ chain, key, domains: names })).toMatchObject({ ok: true });
  expect(harness.journal.count({ action: 'challenge' })).toBe(0);
});

it('an order that the CA works on for minutes says for how long; its certificate is there afterwards', async () => {
  harness.ca.settings.preauthorized = 'valid';
  const authority = await harness.connect();
  const finalize = async (processingMs: number) => {
    harness.ca.settings.processingMs = processingMs;
    const order = await authority.newOrder({ domains }, signal);
    const key = await keyMaker.generate('ecdsa-p256');
    return authority.finalize(order, await keyMaker.request(key, domains), signal);
  };
  expect(await finalize(180_000)).toMatchObject({ status: 'processing', retryAfterMs: 180_000 });
  const order = await finalize(300);
  expect(order).toMatchObject({ status: 'processing', retryAfterMs: 1_000 });
  await expect.poll(async () => (await authority.readOrder(order.url, signal)).status).toBe('valid');
  const valid = await authority.readOrder(order.url, signal);
  expect(await authority.downloadCertificate(valid, signal)).toContain('BEGIN CERTIFICATE');
});

it('a challenge of a type that nobody knows, and without a token, is passed over', async () => {
  const authority = await harness.connect();
  const { authorizations } = await authority.newOrder({ domains }, signal);
  const authorization = await authority.readAuthorization(authorizations[0] ?? '', signal);
  expect(authorization.challenges.find(({ token }) => token === undefined)?.type).toBe('x-unknown-01');
  expect(authority.proofOf(authorization)?.challenge.type).toBe('dns-01');
});

describe('more names than a profile of Let’s Encrypt allows', () => {
  const directory = 'https://acme-v02.api.letsencrypt.org/directory';
  const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}.example.com`);

  it('are refused before anything is asked of the CA', async () => {
    const key = await keyMaker.generate('ecdsa-p256');
    harness.accounts.kept.set(directory, {
      key,
      url: 'https://acme-v02.api.letsencrypt.org/acct/1',
      contact: [],
    });
    const authority = await harness.connect({ directory });
    const shortlived = await failure(
      authority.newOrder({ domains: names(26), profile: 'shortlived' }, signal),
    );
    expect(shortlived.code).toBe('Unsupported');
    expect(shortlived.message).toBe(
      'the profile "shortlived" allows 25 names in a certificate, and this one has 26: make two of it',
    );
    const classic = await failure(authority.newOrder({ domains: names(101) }, signal));
    expect(classic.message).toContain('the CA allows 100 names in a certificate, and this one has 101');
  });

  it('are left to any other CA to judge', async () => {
    const error = await failure((await harness.connect()).newOrder({ domains: names(101) }, signal));
    expect(error.code).toBe('Problem');
    expect(newOrders()).toBe(1);
  });
});
