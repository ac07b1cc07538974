// What only the sandbox's CA can be told to do, and what it asks beyond the contract that all CAs keep.
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:http2';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Harness } from '../../contracts/acme.ts';
import { RawClient, type RawOrder, readProblem } from '../../contracts/acme-client-raw.ts';
import { certIdOf } from '../../contracts/acme-issuance.ts';
import { prove, settle } from '../../contracts/acme-orders.ts';
import { type DnsStub, startDnsStub } from '../../fakes/dns-server.ts';
import { mintSigningRequest } from '../../minting/signing-requests.ts';
import { Faults } from '../faults.ts';
import { Journal } from '../journal.ts';
import { type Authority, startAuthority } from './authority.ts';
import { defaultSettings } from './settings.ts';

const dayMs = 86_400_000;
const journal = new Journal();
const faults = new Faults();
let dns: DnsStub;
let authority: Authority;
let client: RawClient;
let harness: Harness;
let names = 0;
const newName = () => {
  names += 1;
  return `s${names}.shop.example.com`;
};

beforeAll(async () => {
  dns = await startDnsStub();
  // Nobody listens at the first address: each validation also shows that the second is asked then.
  authority = await startAuthority(
    { resolve: { servers: ['127.0.0.1:1', dns.address] } },
    { journal, faults },
  );
});
afterAll(async () => {
  await authority.stop();
  await dns.stop();
});
beforeEach(async () => {
  Object.assign(authority.settings, defaultSettings());
  faults.clear();
  client = await RawClient.connect(authority.directory, authority.caPem);
  await client.register();
  journal.clear();
  harness = {
    subject: { ...authority, roots: authority.roots(), setTxt: dns.setTxt },
    marks: { givesOpenOrderBack: true, reusesAuthorizations: true, explainsInvalidOrder: false },
    client,
    newName,
  };
});

async function issue(domains: readonly string[], members = {}): Promise<X509Certificate> {
  const order = await prove(harness, client, await client.order(domains, members));
  const { csr } = await mintSigningRequest(domains);
  await client.post(order.finalize, { csr });
  const { certificate = '' } = await settle(client, order.url, ['ready', 'processing']);
  return new X509Certificate((await client.post(certificate)).text);
}

/** Answers the dns-01 challenge of a one-name order. @returns the problem, or `valid` */
async function validate(order: RawOrder): Promise<{ type: string; detail: string } | 'valid'> {
  const [url = ''] = order.authorizations;
  await client.post((await client.dnsChallenge(url)).url, {});
  await settle(client, order.url, ['pending']);
  const [challenge] = (await client.readAuthorization(url)).challenges;
  return challenge?.error ?? 'valid';
}

async function txtFor(order: RawOrder): Promise<string> {
  return client.txtValue((await client.dnsChallenge(order.authorizations[0] ?? '')).token);
}

// --- DNS -------------------------------------------------------------------------------------------

test('validation follows CNAMEs from answer to answer, and asks by TCP where UDP is cut', async () => {
  const name = newName();
  const order = await client.order([name]);
  dns.setCname(`_acme-challenge.${name}`, `a.${name}`, false);
  dns.setCname(`a.${name}`, `b.${name}`, true);
  dns.setTxt(`b.${name}`, ['foreign', await txtFor(order)]);
  dns.truncated.add(`a.${name}`);
  expect(await validate(order)).toBe('valid');
  expect(dns.questions).toContain(`tcp TXT a.${name}`);
});

test.each([
  ['a name that does not exist', () => undefined, 'dns', 'NXDOMAIN'],
  ['a broken server', (name: string) => void dns.broken.add(name), 'dns', 'SERVFAIL'],
  ['a CNAME to itself', (name: string) => dns.setCname(name, name, false), 'dns', 'CNAME'],
  ['CNAMEs in a circle', (name: string) => circle(name), 'dns', 'CNAME'],
  [
    'a CNAME that leads nowhere',
    (name: string) => dns.setCname(name, `no.${name}`, false),
    'dns',
    'NXDOMAIN',
  ],
  [
    'another value',
    (name: string) => dns.setTxt(name, ['x', 'y']),
    'unauthorized',
    'Incorrect TXT record "x" (and 1 more) found at',
  ],
])('with %s the challenge fails and its problem says so', async (_, arrange, type, detail) => {
  const name = newName();
  arrange(`_acme-challenge.${name}`);
  const problem = await validate(await client.order([name]));
  expect(problem).toMatchObject({ type: `urn:ietf:params:acme:error:${type}` });
  expect(problem).toMatchObject({ detail: expect.stringContaining(detail) });
  expect(problem).toMatchObject({ detail: expect.stringContaining(`_acme-challenge.${name}`) });
});

function circle(name: string): void {
  dns.setCname(name, `back.${name}`, false);
  dns.setCname(`back.${name}`, name, false);
}

// --- settings --------------------------------------------------------------------------------------

test('finalize answers processing with Retry-After while processingMs lasts', async () => {
  authority.settings.processingMs = 60_000;
  const name = newName();
  const order = await prove(harness, client, await client.order([name]));
  const { csr } = await mintSigningRequest([name]);
  const answer = await client.post(order.finalize, { csr });
  expect(JSON.parse(answer.text)).toMatchObject({ status: 'processing' });
  expect(answer.headers['retry-after']).toBe('60');
  expect((await client.readOrder(order.url)).status).toBe('processing');
});

test('without reuse every order is proved anew; with it, another profile still is', async () => {
  const name = newName();
  await issue([name]);
  expect((await client.order([name])).status).toBe('ready');
  expect((await client.order([name], { profile: 'tlsserver' })).status).toBe('pending');
  authority.settings.authorizationReuse = false;
  const { csr } = await mintSigningRequest([name]);
  await client.post((await client.order([name])).finalize, { csr });
  expect((await client.order([name])).status).toBe('pending');
});

test.each([
  [undefined, 30 * 24],
  ['tlsserver', 7],
  ['shortlived', 7],
])('under profile %s an authorization serves for %i hours', async (profile, hours) => {
  const name = newName();
  const order = await prove(harness, client, await client.order([name], { profile }));
  const { expires } = await client.readAuthorization(order.authorizations[0] ?? '');
  expect(Math.abs(new Date(String(expires)).getTime() - Date.now() - hours * 3_600_000)).toBeLessThan(60_000);
});

test.each([
  ['classic', 22, 'ready'],
  ['classic', 20, 'pending'],
  ['tlsserver', 1.1, 'ready'],
  ['tlsserver', 0.9, 'pending'],
])('under profile %s an authorization that ends in %d hours leaves an order %s', async (profile, hours, status) => {
  authority.settings.authorizationLifetimeMs = hours * 3_600_000;
  const name = newName();
  await issue([name], { profile });
  expect((await client.order([name], { profile })).status).toBe(status);
});

test('an authorization that has served its time is expired', async () => {
  authority.settings.authorizationLifetimeMs = 0;
  const name = newName();
  const order = await client.order([name]);
  dns.setTxt(`_acme-challenge.${name}`, [await txtFor(order)]);
  await validate(order);
  const [url = ''] = order.authorizations;
  expect((await client.readAuthorization(url)).status).toBe('expired');
});

test('an order ends with the first of its authorizations', async () => {
  authority.settings.authorizationLifetimeMs = 22 * 3_600_000;
  const name = newName();
  await issue([name]);
  const { expires } = await client.order([name]);
  expect(new Date(String(expires)).getTime()).toBeLessThanOrEqual(Date.now() + 22 * 3_600_000);
});

test('an order that is not finished in its lifetime is invalid', async () => {
  authority.settings.orderLifetimeMs = 0;
  expect((await client.order([newName()])).status).toBe('invalid');
});

test.each([
  [undefined, 90, true],
  ['tlsserver', 45, false],
])('profile %s: %i days, common name %s', async (profile, days, commonName) => {
  const name = newName();
  const leaf = await issue([name, `*.${name}`], { profile });
  const lifetimeMs = leaf.validToDate.getTime() + 1000 - leaf.validFromDate.getTime();
  expect(lifetimeMs).toBe(days * dayMs);
  expect(Math.abs(Date.now() - 3_600_000 - leaf.validFromDate.getTime())).toBeLessThan(10_000);
  expect(leaf.subject === undefined).toBe(!commonName);
});

test('a refused name is named in the detail; several are subproblems with their identifiers', async () => {
  const [one, two, good] = [newName(), newName(), newName()];
  authority.settings.rejectIdentifiers.add(one).add(two);
  const order = (...values: string[]) =>
    client.post(client.directory.newOrder, { identifiers: values.map((value) => ({ type: 'dns', value })) });
  const single = readProblem(await order(one, good));
  expect(single).toMatchObject({ status: 400, type: 'rejectedIdentifier' });
  expect(single.detail).toContain(`"${one}"`);
  const { subproblems } = JSON.parse((await order(one, two, good)).text);
  expect(subproblems).toMatchObject([{ identifier: { value: one } }, { identifier: { value: two } }]);
});

test('a name in failValidation fails although its TXT is right', async () => {
  const name = newName();
  const order = await client.order([name]);
  dns.setTxt(`_acme-challenge.${name}`, [await txtFor(order)]);
  authority.settings.failValidation.add(name);
  expect(await validate(order)).toMatchObject({ detail: expect.stringContaining('secondary validation') });
});

test('a certificate told to renew now has its window in the past, with the explanation', async () => {
  const leaf = await issue([newName()]);
  authority.renewNow(leaf.toString(), 'https://example.com/why');
  const answer = await client.fetch('GET', `${client.directory.renewalInfo}/${certIdOf(leaf)}`);
  const { suggestedWindow, explanationURL } = JSON.parse(answer.text);
  expect(explanationURL).toBe('https://example.com/why');
  expect(Date.parse(suggestedWindow.end)).toBeGreaterThan(Date.parse(suggestedWindow.start));
  expect(Date.parse(suggestedWindow.end)).toBeLessThan(Date.now());
});

test('accounts can be forgotten (accountDoesNotExist) and deactivated (unauthorized)', async () => {
  authority.deactivateAccounts();
  expect(readProblem(await client.post(client.kid ?? ''))).toMatchObject({ type: 'unauthorized' });
  authority.forgetAccounts();
  expect(readProblem(await client.post(client.kid ?? ''))).toMatchObject({ type: 'accountDoesNotExist' });
  expect(authority.accounts()).toBe(0);
});

// --- strictness ------------------------------------------------------------------------------------

test.each([
  ['100 names is accepted', 100, 201],
  ['101 names is refused', 101, 400],
])('an order of %s', async (_, count, status) => {
  const base = newName();
  const identifiers = Array.from({ length: count }, (__, n) => ({ type: 'dns', value: `a${n}.${base}` }));
  expect((await client.post(client.directory.newOrder, { identifiers })).status).toBe(status);
});

test.each([
  ['a wildcard and a name it covers', ['*.w.example.com', 'a.w.example.com'], 'malformed'],
  ['upper case', ['Shop.example.com'], 'rejectedIdentifier'],
  ['no public suffix', ['shop.cluster.invalidtld'], 'rejectedIdentifier'],
  ['a public suffix', ['co.uk'], 'rejectedIdentifier'],
  ['a label of 64', [`${'a'.repeat(64)}.example.com`], 'rejectedIdentifier'],
])('an order with %s is refused', async (_, values, type) => {
  const identifiers = values.map((value) => ({ type: 'dns', value }));
  expect(readProblem(await client.post(client.directory.newOrder, { identifiers }))).toMatchObject({ type });
});

test('apex and wildcard are no overlap, nor is a name two labels below the wildcard', async () => {
  const name = newName();
  const order = await client.order([name, `*.${name}`, `a.b.${name}`]);
  expect(order.status).toBe('pending');
});

test('a contact at a domain of examples is refused, as at Let’s Encrypt', async () => {
  const newcomer = client.another();
  expect(readProblem(await newcomer.register(['mailto:ops@example.com']))).toMatchObject({
    type: 'invalidContact',
  });
});

test('a signing request with a weak key is badCSR, one with RSA 2048 and a common name is served', async () => {
  const name = newName();
  const order = await prove(harness, client, await client.order([name]));
  const weak = await mintSigningRequest([name], { rsaBits: 1024 });
  expect(readProblem(await client.post(order.finalize, { csr: weak.csr }))).toMatchObject({ type: 'badCSR' });
  const rsa = await mintSigningRequest([name], { rsaBits: 2048, commonName: name });
  expect(JSON.parse((await client.post(order.finalize, { csr: rsa.csr })).text)).toMatchObject({
    status: 'valid',
  });
});

test('resources are not read by GET (405)', async () => {
  const order = await client.order([newName()]);
  const answer = await client.fetch('GET', order.url);
  expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
});

test('as chance will have it, chains have two or three certificates and CertIDs a leading 00; all are served', async () => {
  const lengths = new Set<number>();
  const zeros = new Set<boolean>();
  const name = newName();
  await prove(harness, client, await client.order([name]));
  for (let n = 0; n < 99 && lengths.size + zeros.size < 4; n += 1) {
    const { finalize, url } = await client.order([name]);
    const { csr } = await mintSigningRequest([name]);
    await client.post(finalize, { csr });
    const { certificate = '' } = await client.readOrder(url);
    const { text } = await client.post(certificate);
    const certId = certIdOf(new X509Certificate(text));
    const info = await client.fetch('GET', `${client.directory.renewalInfo}/${certId}`);
    expect([info.status, info.headers['retry-after']]).toEqual([200, '21600']);
    lengths.add(text.match(/BEGIN/g)?.length ?? 0);
    zeros.add(Buffer.from(certId.split('.')[1] ?? '', 'base64url').at(0) === 0);
  }
  expect(lengths).toEqual(new Set([2, 3]));
  expect(zeros).toEqual(new Set([true, false]));
});

// --- faults and the journal ------------------------------------------------------------------------

test('an error set by a test is a problem document with a nonce, and uses the request’s nonce up', async () => {
  const headers = { 'retry-after': '120' };
  faults.set('acme', 'newOrder', {
    kind: 'error',
    code: 'rateLimited',
    status: 429,
    message: 'too many',
    headers,
  });
  const nonce = await client.nonce();
  const identifiers = [{ type: 'dns', value: newName() }];
  const refused = await client.post(client.directory.newOrder, { identifiers }, { header: { nonce } });
  expect(readProblem(refused)).toEqual({ status: 429, type: 'rateLimited', detail: 'too many' });
  expect(refused.headers['retry-after']).toBe('120');
  expect(refused.headers['replay-nonce']).toBeTruthy();
  const again = await client.post(client.directory.newOrder, { identifiers }, { header: { nonce } });
  expect(readProblem(again)).toMatchObject({ type: 'badNonce' });
});

test('503 is a load balancer’s: no problem document, no nonce, and the request’s nonce is still good', async () => {
  faults.set('acme', 'account', {
    kind: 'error',
    code: 'busy',
    status: 503,
    headers: { 'retry-after': '7' },
  });
  const nonce = await client.nonce();
  const refused = await client.post(client.kid ?? '', undefined, { header: { nonce } });
  expect([refused.status, refused.headers['retry-after'], refused.headers['replay-nonce']]).toEqual([
    503,
    '7',
    undefined,
  ]);
  expect((await client.post(client.kid ?? '', undefined, { header: { nonce } })).status).toBe(200);
});

test('the journal names calls by RFC 8555’s terms', async () => {
  await issue([newName()]);
  const actions = new Set(journal.calls.map(({ action }) => action));
  const terms = ['newOrder', 'authorization', 'challenge', 'order', 'finalize', 'certificate'];
  expect([...actions].sort()).toEqual(terms.sort());
  expect(journal.find({ action: 'finalize' })[0]).toMatchObject({
    service: 'acme',
    principal: 'unknown',
    status: 200,
  });
});

test('HTTP/2 is served too, on one connection', async () => {
  const before = authority.connections();
  const session = connect(authority.directory, { ca: authority.caPem });
  const stream = session.request({ ':path': '/directory' });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  session.close();
  expect(JSON.parse(Buffer.concat(chunks).toString())).toHaveProperty('newNonce');
  expect(authority.connections()).toBe(before + 1);
});
