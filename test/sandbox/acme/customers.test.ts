// What the sandbox's CA does to some customers alone: names that are paused, orders that need no proof, keys
// that are taken.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { RawClient, readProblem, seal } from '../../contracts/acme-client-raw.ts';
import { mintSigningRequest } from '../../minting/signing-requests.ts';
import { Faults } from '../faults.ts';
import { Journal } from '../journal.ts';
import { type Authority, startAuthority } from './authority.ts';
import { defaultSettings } from './settings.ts';

let authority: Authority;
let client: RawClient;

beforeAll(async () => {
  const surroundings = { journal: new Journal(), faults: new Faults() };
  authority = await startAuthority({ resolve: { servers: [] } }, surroundings);
});
afterAll(() => authority.stop());
beforeEach(async () => {
  Object.assign(authority.settings, defaultSettings());
  client = await RawClient.connect(authority.directory, authority.caPem);
  await client.register();
});

function order(name: string) {
  return client.post(client.directory.newOrder, { identifiers: [{ type: 'dns', value: name }] });
}

test('a paused name is rateLimited without Retry-After, with the page to visit in the text; others are served', async () => {
  authority.settings.pausedNames.add('paused.example.com');
  for (const name of ['paused.example.com', '*.paused.example.com']) {
    const answer = await order(name);
    expect(readProblem(answer)).toMatchObject({ status: 429, type: 'rateLimited' });
    expect(readProblem(answer).detail).toMatch(/https:\/\/\S+\/unpause\?jwt=\S{500,}$/);
    expect(answer.headers['retry-after']).toBeUndefined();
  }
  expect((await order('www.example.com')).status).toBe(201);
});

test.each([
  ['valid', 1],
  ['omitted', 0],
] as const)('an order of a customer who needs no proof is born ready, its authorizations %s', async (preauthorized, count) => {
  authority.settings.preauthorized = preauthorized;
  const { status, authorizations, finalize } = await client.order(['www.example.com']);
  expect([status, authorizations.length]).toEqual(['ready', count]);
  for (const url of authorizations) {
    expect(await client.readAuthorization(url)).toMatchObject({ status: 'valid', challenges: [] });
  }
  const { csr } = await mintSigningRequest(['www.example.com']);
  expect(JSON.parse((await client.post(finalize, { csr })).text)).toMatchObject({ status: 'valid' });
});

test('a challenge of a type that nobody knows has no token', async () => {
  const [url = ''] = (await client.order(['www.example.com'])).authorizations;
  const { challenges } = await client.readAuthorization(url);
  const tokens = new Map(challenges.map(({ type, token }) => [type, typeof token]));
  expect(tokens.get('x-unknown-01')).toBe('undefined');
  expect(tokens.get('dns-01')).toBe('string');
});

test('a key that has an account cannot take over another: 409 with the URL of the one it has', async () => {
  const owner = client.another();
  await owner.register();
  const url = client.directory.keyChange;
  const takeover = { account: client.kid, oldKey: client.jwk };
  const change = (key: RawClient, header: object = {}) =>
    client.post(url, seal({ alg: 'ES256', jwk: key.jwk, url, ...header }, takeover, key.key));
  const taken = await change(owner);
  expect(readProblem(taken)).toMatchObject({ status: 409, type: 'conflict' });
  expect(taken.headers.location).toBe(owner.kid);
  expect(readProblem(await change(client))).toMatchObject({ status: 400, type: 'malformed' });
  const nonce = await client.nonce();
  expect(readProblem(await change(client.another(), { nonce }))).toMatchObject({ type: 'malformed' });
});
