// The CA adapter against the sandbox's CA: what it asks, how often, over how many connections, and how it fails.
import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthorities } from '../../lib/acme/accounts.ts';
import { keyMaker } from '../../lib/acme/keys.ts';
import { verifyBundle } from '../../lib/certificate/bundle.ts';
import { challengeName } from '../../lib/certificate/names.ts';
import type { IssuerSpec } from '../../lib/certificate/spec.ts';
import { AcmeError } from '../../lib/errors.ts';
import type { Account, AccountStore, CertificateAuthority, Order } from '../../lib/ports.ts';
import { type DnsStub, startDnsStub } from '../contracts/dns-stub.ts';
import { FakeClock, FakeLog } from '../issue/fakes.ts';
import { type Authority, startAuthority } from '../sandbox/acme/authority.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';

const signal = AbortSignal.timeout(60_000);
let journal: Journal;
let faults: Faults;
let dns: DnsStub;
let ca: Authority;
let accounts: MemoryAccounts;
let clock: FakeClock;
let closers: (() => Promise<void>)[];

class MemoryAccounts implements AccountStore {
  readonly kept = new Map<string, Account>();
  read = async (directory: string) => this.kept.get(directory);
  create = async (directory: string, account: Account) => {
    const kept = this.kept.get(directory) ?? account;
    this.kept.set(directory, kept);
    return kept;
  };
  update = async (directory: string, account: Account) => void this.kept.set(directory, account);
  secretOf = (directory: string) => `certrelay/accounts/${new URL(directory).host}`;
}

beforeEach(async () => {
  journal = new Journal();
  faults = new Faults();
  dns = await startDnsStub();
  ca = await startAuthority({ resolve: { servers: [dns.address] } }, { journal, faults });
  accounts = new MemoryAccounts();
  clock = new FakeClock('2026-11-22T10:00:00Z');
  closers = [];
});

afterEach(async () => {
  for (const close of closers) await close();
  await ca.stop();
  await dns.stop();
});

/** What one run connects with. */
function connect(issuer: Partial<IssuerSpec> = {}): Promise<CertificateAuthority> {
  const full = {
    directory: ca.directory,
    contact: [],
    agreeToTerms: true,
    caBundle: ca.caPem,
    ...issuer,
  } as const;
  const log = new FakeLog();
  const readFile = async () => ca.caPem;
  const readText = () => Promise.reject(new Error('there is no AWS secret'));
  const authorities = createAuthorities({
    issuers: { default: full },
    accounts,
    clock,
    log,
    readFile,
    readText,
  });
  closers.push(() => authorities.close());
  return authorities.connect('default', signal);
}

/** Presents, answers, finalizes and downloads. */
async function issue(authority: CertificateAuthority, domains: readonly string[]) {
  const order = await authority.newOrder({ domains }, signal);
  const values = new Map<string, string[]>();
  const challenges = [];
  for (const url of order.authorizations) {
    const { name, challenges: offered } = await authority.readAuthorization(url, signal);
    const challenge = offered.find(({ type }) => type === 'dns-01');
    if (!challenge) throw new Error('no dns-01 challenge');
    const record = challengeName(name);
    values.set(record, [...(values.get(record) ?? []), authority.txtValue(challenge.token)]);
    challenges.push(challenge);
  }
  for (const [record, texts] of values) dns.setTxt(record, texts);
  for (const challenge of challenges) await authority.answerChallenge(challenge.url, signal);
  const ready = await poll(authority, order, 'pending');
  const key = await keyMaker.generate('ecdsa-p256');
  const finalized = await authority.finalize(ready, await keyMaker.request(key, domains), signal);
  const valid = await poll(authority, finalized, 'processing');
  return { chain: await authority.downloadCertificate(valid, signal), key };
}

async function poll(authority: CertificateAuthority, order: Order, status: Order['status']): Promise<Order> {
  let now = order;
  while (now.status === status) now = await authority.readOrder(order.url, signal);
  return now;
}

function failure(promise: Promise<unknown>): Promise<AcmeError> {
  return promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => {
      if (error instanceof AcmeError) return error;
      throw error;
    },
  );
}

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
    expect(clock.slept).toEqual([7_000, 7_000]);
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
    const { mintServingCertificate } = await import('../sandbox/tls.ts');
    const other = await mintServingCertificate('Somebody else');
    expect((await failure(connect({ caBundle: other.ca }))).code).toBe('Unreachable');
    expect(journal.calls).toEqual([]);
  });
});
