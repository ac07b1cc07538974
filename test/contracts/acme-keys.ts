// What a client may rely on when keys change hands: keyChange (RFC 8555 §7.3.5) and external account binding
// (§7.3.4).
import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Harness } from './acme.ts';
import { type AcmeAnswer, RawClient, readProblem, seal } from './acme-client-raw.ts';

const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** What of the inner JWS of a keyChange is other than it should be. */
interface Wrong {
  readonly header?: object;
  readonly payload?: object;
  readonly key?: KeyObject;
}

/** Asks in the name of `client` for the key of `next`. */
function changeKey(client: RawClient, next: RawClient, wrong: Wrong = {}): Promise<AcmeAnswer> {
  const url = client.directory.keyChange;
  const header = { alg: 'ES256', jwk: next.jwk, url, ...wrong.header };
  const payload = { account: client.kid, oldKey: client.jwk, ...wrong.payload };
  return client.post(url, seal(header, payload, wrong.key ?? next.key));
}

/** The promises about an account's next key. */
export function promiseKeyChange(harness: () => Harness): void {
  test('an account changes its key: the new one signs from then on, the old one no more', async () => {
    const client = harness().client.another();
    await client.register();
    const next = client.another();
    expect((await changeKey(client, next)).status).toBe(200);
    next.kid = client.kid;
    expect((await next.post(next.kid ?? '')).status).toBe(200);
    const { status, type } = readProblem(await client.post(client.kid ?? ''));
    expect([400, 401, 403]).toContain(status);
    expect(['malformed', 'unauthorized']).toContain(type);
    next.kid = undefined;
    const found = await next.post(next.directory.newAccount, { onlyReturnExisting: true });
    expect([found.status, found.headers.location]).toEqual([200, client.kid]);
  });

  test.each<[string, Wrong]>([
    ['for another URL', { header: { url: 'https://127.0.0.1:1/elsewhere' } }],
    ['without a key', { header: { jwk: undefined } }],
    ['signed by another key', { key: stranger.privateKey }],
    ['for another account', { payload: { account: 'https://127.0.0.1:1/acct/1' } }],
    ['without the old key', { payload: { oldKey: undefined } }],
    ['with another old key', { payload: { oldKey: stranger.publicKey.export({ format: 'jwk' }) } }],
  ])('a takeover %s is malformed, and the old key stays', async (_, wrong) => {
    const client = harness().client.another();
    await client.register();
    const answer = await changeKey(client, client.another(), wrong);
    expect(readProblem(answer)).toMatchObject({ status: 400, type: 'malformed' });
    expect((await client.post(client.kid ?? '')).status).toBe(200);
  });
}

/** A CA that asks for external account binding. */
export interface BindingSubject {
  readonly directory: string;
  readonly caPem: string;
  /** One key that it gave out; `hmacKey` in base64url. */
  readonly account: { readonly kid: string; readonly hmacKey: string };
  stop(): Promise<void>;
}

/** The suite for one CA that binds accounts. */
export function describeBinding(name: string, start: () => Promise<BindingSubject>): void {
  describe(`CA that binds accounts (${name})`, () => {
    let subject: BindingSubject;
    let client: RawClient;
    beforeAll(async () => {
      subject = await start();
    });
    afterAll(() => subject?.stop());

    /** newAccount with a binding of which parts may be wrong. */
    async function register(wrong: Wrong = {}): Promise<AcmeAnswer> {
      client = await RawClient.connect(subject.directory, subject.caPem);
      const url = client.directory.newAccount;
      const { kid, hmacKey } = subject.account;
      const header = { alg: 'HS256', kid, url, ...wrong.header };
      const key = wrong.key ?? createSecretKey(hmacKey, 'base64url');
      const externalAccountBinding = seal(header, wrong.payload ?? client.jwk, key);
      return client.post(url, { termsOfServiceAgreed: true, externalAccountBinding });
    }

    test('its directory says so, and a new account without binding is externalAccountRequired', async () => {
      client = await RawClient.connect(subject.directory, subject.caPem);
      expect(client.directory.meta.externalAccountRequired).toBe(true);
      expect(readProblem(await client.register())).toMatchObject({
        status: 403,
        type: 'externalAccountRequired',
      });
    });

    test('an account that is bound is made, and found again without a binding', async () => {
      const made = await register();
      expect(made.status, made.text).toBe(201);
      const found = await client.register();
      expect([found.status, found.headers.location]).toEqual([200, made.headers.location]);
    });

    test.each<[string, Wrong, string]>([
      ['by a key that it does not know', { header: { kid: 'nobody' } }, 'unauthorized'],
      ['with a wrong MAC', { key: createSecretKey(Buffer.alloc(32, 7)) }, 'unauthorized'],
      ['for another account key', { payload: stranger.publicKey.export({ format: 'jwk' }) }, 'badPublicKey'],
      ['for another URL', { header: { url: 'https://127.0.0.1:1/elsewhere' } }, 'malformed'],
      ['without a URL', { header: { url: undefined } }, 'malformed'],
      ['without the key that it gave out', { header: { kid: undefined } }, 'malformed'],
      ['with a nonce', { header: { nonce: 'AAAAAAAAAAAAAAAAAAAAAA' } }, 'malformed'],
    ])('a binding %s is refused', async (_, wrong, type) => {
      const answer = await register(wrong);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(readProblem(answer).type).toBe(type);
    });
  });
}
