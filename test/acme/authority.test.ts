// The CA adapter against the sandbox's CA: what it asks, how often, over how many connections, and how it
// fails.

import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyMaker } from '../../lib/adapters/acme/keys.ts';
import { verifyBundle } from '../../lib/certificate/bundle.ts';
import type { IssuerSpec } from '../../lib/certificate/spec.ts';
import type { CertificateAuthority } from '../../lib/ports/acme.ts';
import type { MemoryAccounts } from '../fakes/accounts.ts';
import type { Authority } from '../sandbox/acme/authority.ts';
import type { Faults } from '../sandbox/faults.ts';
import type { Journal } from '../sandbox/journal.ts';
import { mintServingCertificate } from '../sandbox/tls.ts';
import { failure, Harness, signal } from './harness.ts';

let harness: Harness;
let journal: Journal;
let faults: Faults;
let ca: Authority;
let accounts: MemoryAccounts;

beforeEach(async () => {
  harness = await Harness.start();
  ({ journal, faults, ca, accounts } = harness);
});
afterEach(() => harness.stop());

const connect = (issuer: Partial<IssuerSpec> = {}) => harness.connect(issuer);
const issue = (authority: CertificateAuthority, domains: readonly string[]) =>
  harness.issue(authority, domains);

describe('an authority', () => {
  it('C04 issues for an apex and its wildcard', async () => {
    const domains = ['shop.example.com', '*.shop.example.com'];
    const { chain, key } = await issue(await connect(), domains);
    expect(verifyBundle({ chain, key, domains })).toMatchObject({ ok: true });
  });

  it('P02 asks for the first domain as the common name', async () => {
    const { chain } = await issue(await connect(), ['www.shop.example.com', 'shop.example.com']);
    expect(new X509Certificate(chain).subject).toBe('CN=www.shop.example.com');
  });

  it.each([
    'ecdsa-p256',
    'ecdsa-p384',
    'rsa-2048',
    'rsa-3072',
    'rsa-4096',
  ] as const)('makes %s keys that CAs sign, and requests for names longer than a common name may be', async (type) => {
    const domains = [`${'a'.repeat(60)}.shop.example.com`, 'b.example.com'];
    const key = await keyMaker.generate(type);
    expect(await keyMaker.request(key, domains)).toContain('BEGIN CERTIFICATE REQUEST');
    expect(await keyMaker.request(key, domains.slice(0, 1))).toContain('BEGIN CERTIFICATE REQUEST');
  });

  it('asks once for the directory and for a nonce, then one request for each thing, over one or two connections', async () => {
    await connect();
    journal.clear();
    const before = ca.connections();
    const authority = await connect();
    const names = ['a', 'b', 'c', 'd'].map((host) => [`${host}.example.com`, `*.${host}.example.com`]);
    await Promise.all(names.map((domains) => issue(authority, domains)));
    const polls = journal.count({ action: 'order' });
    expect(journal.count({ action: 'directory' })).toBe(1);
    expect(journal.count({ action: 'newNonce' })).toBe(1);
    // newOrder, finalize, download, and an authorization and a challenge for each of the two names.
    expect(journal.calls.length - polls).toBe(2 + names.length * (3 + 2 * 2));
    expect(ca.connections() - before).toBeLessThanOrEqual(2);
  });

  it('P23 registers once: a second run knows the account and makes no newAccount call', async () => {
    await connect();
    await connect();
    expect(journal.count({ action: 'newAccount' })).toBe(1);
    expect(ca.accounts()).toBe(1);
  });

  it('C06 keeps the account key before the CA hears of it, so a crash in between loses no account', async () => {
    accounts.update = () => Promise.reject(new Error('killed'));
    await expect(connect()).rejects.toThrow('killed');
    const kept = accounts.kept.get(ca.directory);
    accounts.update = async (directory, account) => void accounts.kept.set(directory, account);
    await connect();
    expect(accounts.kept.get(ca.directory)?.key).toBe(kept?.key);
    expect(ca.accounts()).toBe(1);
  });

  it('K08 tells the CA a changed contact, once', async () => {
    await connect({ contact: ['mailto:old@certrelay.dev'] });
    await connect({ contact: ['mailto:new@certrelay.dev'] });
    await connect({ contact: ['mailto:new@certrelay.dev'] });
    expect(journal.count({ action: 'account' })).toBe(1);
  });

  it('orders under a profile the CA offers, and names those it offers otherwise', async () => {
    const authority = await connect();
    await authority.newOrder({ domains: ['a.example.com'], profile: 'tlsserver' }, signal);
    const error = await failure(authority.newOrder({ domains: ['a.example.com'], profile: 'gold' }, signal));
    expect(error.code).toBe('Unsupported');
    expect(error.message).toContain('classic, tlsserver, shortlived');
  });
});

describe('a CA that is not well', () => {
  it('gets a refused nonce back as a fresh one', async () => {
    const authority = await connect();
    faults.set('acme', 'newOrder', { kind: 'error', code: 'badNonce', status: 400 }, 5);
    expect((await authority.newOrder({ domains: ['a.example.com'] }, signal)).status).toBe('pending');
    expect(journal.count({ action: 'newOrder' })).toBe(6);
  });

  it('that is busy is asked again after the Retry-After it names', async () => {
    const authority = await connect();
    const busy = {
      kind: 'error',
      code: 'rateLimited',
      status: 503,
      headers: { 'retry-after': '7' },
    } as const;
    faults.set('acme', 'newOrder', busy, 2);
    await authority.newOrder({ domains: ['a.example.com'] }, signal);
    expect(harness.clock.slept).toEqual([7_000, 7_000]);
  });

  it('that limits the rate is not asked again: whoever ordered learns until when', async () => {
    const authority = await connect();
    const limited = {
      kind: 'error',
      code: 'rateLimited',
      status: 429,
      headers: { 'retry-after': '3600' },
    } as const;
    faults.set('acme', 'newOrder', limited);
    const error = await failure(authority.newOrder({ domains: ['a.example.com'] }, signal));
    expect(error).toMatchObject({
      code: 'Problem',
      retryAfterMs: 3_600_000,
      problem: { type: 'rateLimited' },
    });
    expect(journal.count({ action: 'newOrder' })).toBe(1);
  });

  it('that refuses names says which, and the error repeats it', async () => {
    ca.settings.rejectIdentifiers.add('bad.example.com').add('worse.example.com');
    const authority = await connect();
    const error = await failure(
      authority.newOrder({ domains: ['a.example.com', 'bad.example.com', 'worse.example.com'] }, signal),
    );
    expect(error.problem).toMatchObject({
      type: 'rejectedIdentifier',
      identifiers: ['bad.example.com', 'worse.example.com'],
    });
    expect(error.message).toContain('bad.example.com');
  });

  it.each([
    'lose',
    'drop',
  ] as const)('whose answers are lost (%s) is asked again for what is only read', async (kind) => {
    const authority = await connect();
    const order = await authority.newOrder({ domains: ['a.example.com'] }, signal);
    faults.set('acme', 'order', { kind }, 2);
    expect((await authority.readOrder(order.url, signal)).status).toBe('pending');
  });

  it('whose answer to newOrder is lost is not asked for a second order', async () => {
    const authority = await connect();
    faults.set('acme', 'newOrder', { kind: 'lose' });
    expect((await failure(authority.newOrder({ domains: ['a.example.com'] }, signal))).code).toBe(
      'Unreachable',
    );
    expect(journal.count({ action: 'newOrder' })).toBe(1);
  });

  it.each([
    'directory',
    'newOrder',
    'order',
    'authorization',
  ])('that answers rubbish to %s gives a coded error', async (action) => {
    if (action !== 'directory') {
      const authority = await connect();
      const order = await authority.newOrder({ domains: ['a.example.com'] }, signal);
      faults.set('acme', action, { kind: 'malformed' });
      const asked =
        action === 'newOrder'
          ? authority.newOrder({ domains: ['b.example.com'] }, signal)
          : action === 'order'
            ? authority.readOrder(order.url, signal)
            : authority.readAuthorization(order.authorizations[0] ?? '', signal);
      expect((await failure(asked)).code).toBe('Malformed');
      return;
    }
    faults.set('acme', 'directory', { kind: 'malformed' });
    expect((await failure(connect())).code).toBe('Malformed');
  });

  it('that nobody listens for is unreachable, by name', async () => {
    const error = await failure(connect({ directory: 'https://127.0.0.1:1/directory' }));
    expect(error).toMatchObject({ code: 'Unreachable' });
    expect(error.message).toContain('127.0.0.1:1');
  });

  it('whose TLS nobody vouches for is not talked to', async () => {
    const other = await mintServingCertificate('Somebody else');
    expect((await failure(connect({ caBundle: other.ca }))).code).toBe('Unreachable');
    expect(journal.calls).toEqual([]);
  });
});
