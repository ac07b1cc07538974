// Accounts over many runs: bound, found again, forgotten by the CA, closed by it, moved with the directory.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAuthority } from '../sandbox/acme/authority.ts';
import { failure, Harness, signal } from './harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const order = { domains: ['a.example.com'] };
const kept = () => harness.accounts.kept.get(harness.ca.directory);

describe('external account binding', () => {
  const secret = 'certrelay/eab/lab';
  const key = randomBytes(32);
  const write = (value: unknown) => harness.secrets.set(secret, JSON.stringify(value));
  beforeEach(() => {
    harness.ca.settings.externalAccountRequired = true;
    harness.ca.settings.externalAccounts.set('customer-7', key.toString('base64url'));
  });

  it('registers with the key of the AWS secret, which is read for that alone', async () => {
    write({ kid: 'customer-7', hmacKey: key.toString('base64url'), note: 'from the CA, 2026-11' });
    const authority = await harness.connect({ eab: { secret } });
    expect((await authority.newOrder(order, signal)).status).toBe('pending');
    await harness.connect({ eab: { secret } });
    expect(harness.secretsRead).toEqual([secret]);
    expect(harness.ca.accounts()).toBe(1);
  });

  it('takes the key in plain base64 too, as some CAs print it', async () => {
    const padded = Buffer.alloc(32, 0xfb);
    harness.ca.settings.externalAccounts.set('customer-7', padded.toString('base64url'));
    write({ kid: 'customer-7', hmacKey: padded.toString('base64') });
    expect(padded.toString('base64')).toMatch(/\+.*=/);
    await harness.connect({ eab: { secret } });
  });

  it('says what to write where the CA asks for it and the issuer has none', async () => {
    const error = await failure(harness.connect());
    expect(error.code).toBe('Unsupported');
    expect(error.message).toContain('as {"kid": "…", "hmacKey": "…"}, and write eab: { secret:');
    expect(harness.journal.count({ action: 'newAccount' })).toBe(0);
  });

  it.each([
    ['no JSON', 'customer-7:AAAA'],
    ['no object', '"AAAA"'],
    ['no kid', '{"hmacKey":"AAAA"}'],
    ['no key', '{"kid":"customer-7"}'],
    ['an empty kid', '{"kid":"","hmacKey":"AAAA"}'],
    ['a key that is not base64', '{"kid":"customer-7","hmacKey":"AA AA"}'],
  ])('refuses an AWS secret with %s by name, and quotes nothing of it', async (_, text) => {
    harness.secrets.set(secret, text);
    const error = await failure(harness.connect({ eab: { secret } }));
    expect(error.code).toBe('Unsupported');
    expect(error.message).toContain(`the AWS secret ${secret} does not hold`);
    expect(`${error.message} ${String(error.cause)}`).not.toMatch(/customer-7|AA ?AA/);
  });

  it.each([
    ['a wrong key', { kid: 'customer-7', hmacKey: 'AAAA' }, 'the MAC of the binding does not verify'],
    [
      'an unknown kid',
      { kid: 'nobody', hmacKey: key.toString('base64url') },
      'the binding\'s key "nobody" is not known',
    ],
  ])("repeats the CA's words for %s", async (_, value, words) => {
    write(value);
    const error = await failure(harness.connect({ eab: { secret } }));
    expect(error).toMatchObject({ code: 'Problem', problem: { type: 'unauthorized', status: 403 } });
    expect(error.message).toContain(words);
    expect(error.message).not.toContain('delete');
  });
});

describe('what CAA is held against', () => {
  const identities = ['ca.sandbox.example'];

  it('is told without an account, which is not made for it', async () => {
    expect(await harness.open().describe('default', signal)).toEqual({ identities, accountUrl: undefined });
    expect([harness.accounts.kept.size, harness.journal.count({ action: 'newAccount' })]).toEqual([0, 0]);
  });

  it('has the URL of the account that is kept, or connected, and costs no second directory', async () => {
    await harness.connect();
    const subject = { identities, accountUrl: kept()?.url };
    expect(subject.accountUrl).toMatch(/^https:/);
    expect(await harness.open().describe('default', signal)).toEqual(subject);
    harness.journal.clear();
    const authorities = harness.open();
    await authorities.connect('default', signal);
    expect(await authorities.describe('default', signal)).toEqual(subject);
    await (await authorities.connect('default', signal)).newOrder(order, signal);
    expect(harness.journal.count({ action: 'directory' })).toBe(1);
  });
});

it('what a persistent record must name is told with the account: of the newer draft, a hash', async () => {
  harness.ca.settings.persistentChallenges = true;
  harness.ca.settings.persistentDraft = 2;
  const authorities = harness.open({ challenge: 'dns-persist-01' });
  await authorities.connect('default', signal);
  expect(await authorities.describe('default', signal)).toMatchObject({
    methods: ['dns-persist-01', 'dns-01'],
    thumbprint: expect.stringMatching(/^[\w-]{43}$/),
    accountHashPrefix: expect.stringMatching(/^https:.*\/account-hash\/$/),
  });
});

describe('an account that the CA has forgotten', () => {
  it('K12 is registered again once, with the same key, and what was asked goes on', async () => {
    await harness.connect();
    const before = kept();
    const authority = await harness.connect();
    harness.ca.forgetAccounts();
    harness.journal.clear();
    const names = ['a', 'b', 'c'].map((host) => ({ domains: [`${host}.example.com`] }));
    const orders = await Promise.all(names.map((request) => authority.newOrder(request, signal)));
    expect(orders.map(({ status }) => status)).toEqual(['pending', 'pending', 'pending']);
    expect(harness.journal.count({ action: 'newAccount' })).toBe(1);
    expect(kept()?.key).toBe(before?.key);
    expect(kept()?.url).not.toBe(before?.url);

    harness.journal.clear();
    await (await harness.connect()).newOrder(order, signal);
    expect(harness.journal.count({ action: 'newAccount' })).toBe(0);
    expect(harness.log.events().filter((event) => event === 'account registered')).toHaveLength(2);
  });

  it('is found out by a changed contact as well, and told that', async () => {
    await harness.connect({ contact: ['mailto:old@certrelay.dev'] });
    harness.ca.forgetAccounts();
    await harness.connect({ contact: ['mailto:new@certrelay.dev'] });
    expect(kept()?.contact).toEqual(['mailto:new@certrelay.dev']);
    expect(harness.ca.accounts()).toBe(1);
  });

  it('is not registered a third time in one run', async () => {
    const authority = await harness.connect();
    const lost = { kind: 'error', code: 'accountDoesNotExist', status: 400 } as const;
    harness.faults.set('acme', 'newOrder', lost, 10);
    const error = await failure(authority.newOrder(order, signal));
    expect(error.problem?.type).toBe('accountDoesNotExist');
    expect(harness.journal.count({ action: 'newAccount' })).toBe(2);
    expect(harness.journal.count({ action: 'newOrder' })).toBe(2);
  });

  it('is tried again by the next call where registering failed', async () => {
    const authority = await harness.connect();
    harness.ca.forgetAccounts();
    harness.faults.set('acme', 'newAccount', { kind: 'drop' });
    expect((await failure(authority.newOrder(order, signal))).code).toBe('Unreachable');
    expect((await authority.newOrder(order, signal)).status).toBe('pending');
  });
});

describe('an account that the CA has closed', () => {
  it('needs a person, who is told which AWS secret to delete', async () => {
    const authority = await harness.connect();
    harness.ca.deactivateAccounts();
    const error = await failure(authority.newOrder(order, signal));
    expect(error).toMatchObject({ code: 'Problem', problem: { type: 'unauthorized' } });
    const secret = harness.accounts.secretOf(harness.ca.directory);
    expect(error.message).toContain(`closed the account that is kept in the AWS secret ${secret}`);
    expect(error.message).toContain(
      'delete that AWS secret: aws secretsmanager delete-secret --force-delete-without-recovery --secret-id',
    );
    expect(harness.ca.accounts()).toBe(1);
  });

  it('is named too where it is met while registering: a run that died before it kept the URL', async () => {
    await harness.connect();
    harness.accounts.kept.set(harness.ca.directory, { key: kept()?.key ?? '', contact: [] });
    harness.ca.deactivateAccounts();
    expect((await failure(harness.connect())).message).toContain('delete that AWS secret');
  });

  it('is not taken for closed where only an order is of another account', async () => {
    const authority = await harness.connect();
    const refused = { kind: 'error', code: 'unauthorized', status: 403, message: 'not your order' } as const;
    harness.faults.set('acme', 'order', refused);
    const { url } = await authority.newOrder(order, signal);
    const error = await failure(authority.readOrder(url, signal));
    expect(error.message).toContain('unauthorized: not your order');
    expect(error.message).not.toContain('delete');
  });
});

it('has an account of its own at each directory, and goes back to the first with no newAccount', async () => {
  const surroundings = { journal: harness.journal, faults: harness.faults };
  const other = await startAuthority({ resolve: { servers: [harness.dns.address] } }, surroundings);
  try {
    await harness.connect();
    await harness.connect({ directory: other.directory, caBundle: other.caPem });
    const accounts = [...harness.accounts.kept.values()];
    expect([...harness.accounts.kept.keys()]).toEqual([harness.ca.directory, other.directory]);
    expect(new Set(accounts.map(({ key }) => key)).size).toBe(2);
    await (await harness.connect()).newOrder(order, signal);
    expect(harness.journal.count({ action: 'newAccount' })).toBe(2);
  } finally {
    await other.stop();
  }
});
