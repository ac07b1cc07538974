// What an ACME client may rely on (RFC 8555); held against the sandbox's CA and against real ones.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawClient, readProblem } from './acme-client-raw.ts';
import { promiseIssuance } from './acme-issuance.ts';
import { promiseKeyChange } from './acme-keys.ts';
import { promiseOrders } from './acme-orders.ts';

/** One CA to hold the promises against. */
export interface AuthoritySubject {
  /** URL of its directory. */
  readonly directory: string;
  /** PEM of the authority behind its HTTPS certificate. */
  readonly caPem: string;
  /** PEM of the roots that it issues under. */
  readonly roots: string;
  /** Makes these the TXT values that the CA's validation finds at a name; none removes them. */
  readonly setTxt: (name: string, values: readonly string[]) => void | Promise<void>;
  stop(): Promise<void>;
}

/** Where CAs differ, and RFC 8555 lets them. */
export interface AuthorityMarks {
  /** The account's open order for the same names is given back, not a new one. */
  readonly givesOpenOrderBack: boolean;
  /** A valid authorization serves the account's next order, which is born ready. */
  readonly reusesAuthorizations: boolean;
  /** The order's `error` says why it is invalid; elsewhere only its challenge does. */
  readonly explainsInvalidOrder: boolean;
}

/** A CA with a registered client, for one test after the other. */
export interface Harness {
  readonly subject: AuthoritySubject;
  readonly marks: AuthorityMarks;
  readonly client: RawClient;
  /** A name that no test used before. */
  readonly newName: () => string;
}

/** The suite for one CA. */
export function describeAuthority(
  name: string,
  start: () => Promise<AuthoritySubject>,
  marks: AuthorityMarks,
): void {
  describe(`CA (${name})`, () => {
    let harness: Harness | undefined;
    beforeAll(async () => {
      const subject = await start();
      const client = await RawClient.connect(subject.directory, subject.caPem);
      await client.register();
      // A domain for each run: a CA that outlives the run remembers what others ordered.
      const domain = `contract-${randomBytes(6).toString('hex')}.com`;
      let names = 0;
      const newName = () => {
        names += 1;
        return `n${names}.${domain}`;
      };
      harness = { subject, marks, client, newName };
    });
    afterAll(() => harness?.subject.stop());
    const getHarness = () => {
      if (!harness) throw new Error('the CA did not start');
      return harness;
    };
    promiseNonces(getHarness);
    promiseSignatures(getHarness);
    promiseAccounts(getHarness);
    promiseKeyChange(getHarness);
    promiseOrders(getHarness);
    promiseIssuance(getHarness);
  });
}

function promiseNonces(harness: () => Harness): void {
  test('a nonce is had by HEAD (200) and GET (204), a new one each time, never to be cached', async () => {
    const { client } = harness();
    const head = await client.fetch('HEAD', client.directory.newNonce);
    const get = await client.fetch('GET', client.directory.newNonce);
    expect([head.status, get.status]).toEqual([200, 204]);
    expect(head.headers['replay-nonce']).toMatch(/^[\w-]{16,}$/);
    expect(get.headers['replay-nonce']).not.toBe(head.headers['replay-nonce']);
    for (const { headers } of [head, get]) expect(headers['cache-control']).toMatch(/no-(store|cache)/);
  });

  test('a nonce is good for one request; the refusal is badNonce, with a fresh one that works', async () => {
    const { client } = harness();
    const url = client.kid ?? '';
    const nonce = await client.nonce();
    expect((await client.post(url, undefined, { header: { nonce } })).status).toBe(200);
    const again = await client.post(url, undefined, { header: { nonce } });
    expect(readProblem(again)).toMatchObject({ status: 400, type: 'badNonce' });
    const fresh = again.headers['replay-nonce'];
    expect((await client.post(url, undefined, { header: { nonce: fresh } })).status).toBe(200);
  });

  test.each([
    ['never given out', 'AAAAAAAAAAAAAAAAAAAAAA'],
    ['missing', undefined],
  ])('a nonce that is %s is badNonce', async (_, nonce) => {
    const { client } = harness();
    const answer = await client.post(client.kid ?? '', undefined, { header: { nonce } });
    expect(readProblem(answer)).toMatchObject({ status: 400, type: 'badNonce' });
    expect(answer.headers['replay-nonce']).toBeTruthy();
  });
}

function promiseSignatures(harness: () => Harness): void {
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const elsewhere = 'https://127.0.0.1:1/elsewhere';

  test.each([
    ['of another key', { key: stranger }, ['malformed', 'unauthorized']],
    ['for another URL', { header: { url: elsewhere } }, ['malformed', 'unauthorized']],
    ['without a URL', { header: { url: undefined } }, ['malformed', 'unauthorized']],
    [
      'with an algorithm that the key is not for',
      { header: { alg: 'RS256' } },
      ['badSignatureAlgorithm', 'malformed'],
    ],
    ['with a symmetric algorithm', { header: { alg: 'HS256' } }, ['badSignatureAlgorithm']],
    ['with the algorithm none', { header: { alg: 'none' } }, ['badSignatureAlgorithm']],
    ['with neither account nor key', { header: { kid: undefined } }, ['malformed']],
    ['with an unprotected header', { outer: { header: { nonce: 'x' } } }, ['malformed']],
    ['in the general form', { outer: { signatures: [{}] } }, ['malformed']],
  ])('a request signed %s is refused and still carries a nonce', async (_, overrides, types) => {
    const { client } = harness();
    const answer = await client.post(client.kid ?? '', undefined, overrides);
    const { status, type } = readProblem(answer);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(types).toContain(type);
    expect(answer.headers['replay-nonce']).toBeTruthy();
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  test('a header holds an account or a key, not both', async () => {
    const { client } = harness();
    const answer = await client.post(client.kid ?? '', undefined, { header: { jwk: client.jwk } });
    expect(readProblem(answer)).toMatchObject({ status: 400, type: 'malformed' });
  });

  test('an order signed with the bare key instead of the account is refused', async () => {
    const { client, newName } = harness();
    const payload = { identifiers: [{ type: 'dns', value: newName() }] };
    const answer = await client.post(client.directory.newOrder, payload, {
      header: { kid: undefined, jwk: client.jwk },
    });
    expect(readProblem(answer)).toMatchObject({ status: 400, type: 'malformed' });
  });

  test('any content type but application/jose+json is refused', async () => {
    const { client } = harness();
    const answer = await client.post(client.kid ?? '', undefined, { contentType: 'application/json' });
    expect([400, 415]).toContain(answer.status);
    expect(readProblem(answer).type).toBe('malformed');
  });

  test('a resource that is not there is 404', async () => {
    const { client, newName } = harness();
    const order = await client.order([newName()]);
    expect((await client.post(`${order.url}000`)).status).toBe(404);
  });

  test('every answer but the directory names the directory', async () => {
    const { client, subject } = harness();
    const { headers } = await client.post(client.kid ?? '');
    expect(headers.link).toContain(`<${subject.directory}>;rel="index"`);
  });
}

function promiseAccounts(harness: () => Harness): void {
  test('the directory names the terms, to which a new account must agree', async () => {
    const { client } = harness();
    expect(client.directory.meta.termsOfService).toBeDefined();
    const answer = await client.another().post(client.directory.newAccount, {});
    expect(['malformed', 'userActionRequired']).toContain(readProblem(answer).type);
  });

  test('a new key is 201, a known one 200, with the same account URL', async () => {
    const newcomer = harness().client.another();
    const first = await newcomer.register(['mailto:ops@lab.example.com']);
    newcomer.kid = undefined;
    const second = await newcomer.register();
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.headers.location).toBe(first.headers.location);
    expect(JSON.parse(second.text)).toMatchObject({ status: 'valid' });
  });

  test('onlyReturnExisting makes no account: accountDoesNotExist for a new key, the URL for a known one', async () => {
    const newcomer = harness().client.another();
    const look = () => newcomer.post(newcomer.directory.newAccount, { onlyReturnExisting: true });
    expect(readProblem(await look())).toMatchObject({ status: 400, type: 'accountDoesNotExist' });
    const { headers } = await newcomer.register();
    newcomer.kid = undefined;
    const found = await look();
    expect([found.status, found.headers.location]).toEqual([200, headers.location]);
  });

  test.each([
    ['ops@lab.example.com', 'unsupportedContact', 'invalidContact'],
    ['tel:+3228910000', 'unsupportedContact'],
    ['mailto:', 'invalidContact'],
    ['mailto:not an address', 'invalidContact'],
  ])('the contact %s is refused', async (contact, ...types) => {
    const newcomer = harness().client.another();
    const answer = await newcomer.register([contact]);
    expect(answer.status).toBe(400);
    expect(types).toContain(readProblem(answer).type);
  });

  test('a changed contact is taken', async () => {
    const newcomer = harness().client.another();
    await newcomer.register(['mailto:ops@lab.example.com']);
    const answer = await newcomer.post(newcomer.kid ?? '', { contact: ['mailto:dev@lab.example.com'] });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([200, { status: 'valid' }]);
  });

  test('an account that the CA does not know is accountDoesNotExist', async () => {
    const { client } = harness();
    const kid = `${client.kid}000`;
    const answer = await client.post(client.directory.newOrder, { identifiers: [] }, { header: { kid } });
    expect(readProblem(answer)).toMatchObject({ status: 400, type: 'accountDoesNotExist' });
  });

  test('a deactivated account is unauthorized, and its key cannot register again', async () => {
    const leaver = harness().client.another();
    await leaver.register();
    const answer = await leaver.post(leaver.kid ?? '', { status: 'deactivated' });
    expect(JSON.parse(answer.text)).toMatchObject({ status: 'deactivated' });
    const identifiers = [{ type: 'dns', value: harness().newName() }];
    const order = await leaver.post(leaver.directory.newOrder, { identifiers });
    expect(readProblem(order)).toMatchObject({ status: 403, type: 'unauthorized' });
    leaver.kid = undefined;
    expect(readProblem(await leaver.register())).toMatchObject({ status: 403, type: 'unauthorized' });
    const look = await leaver.post(leaver.directory.newAccount, { onlyReturnExisting: true });
    expect(readProblem(look)).toMatchObject({ status: 403, type: 'unauthorized' });
  });
}
