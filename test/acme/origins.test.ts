// Every URL of a CA leads to an origin that its directory is on or names: no other server ever gets a
// request.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Authorities, createAuthorities } from '../../lib/adapters/acme/accounts.ts';
import type { IssuerSpec } from '../../lib/certificate/spec.ts';
import { MemoryAccounts } from '../fakes/accounts.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import {
  answer,
  directoryAt,
  orderAt,
  type Route,
  type ScriptedCa,
  startScriptedCa,
} from '../fakes/scripted-ca.ts';
import { mintChain } from '../minting/certificates.ts';
import { failure, signal } from './harness.ts';

const domains = ['a.example.com'];
const now = new Date('2026-11-22T10:00:00Z');
let ca: ScriptedCa;
/** Another server; what it sees must stay empty. */
let elsewhere: ScriptedCa;
let sound: ReadonlyMap<string, Route>;
let accounts: MemoryAccounts;
let log: FakeLog;
const open: Authorities[] = [];

beforeAll(async () => {
  [ca, elsewhere] = [await startScriptedCa(), await startScriptedCa('127.0.0.1', 'Another server')];
  const { chain } = await mintChain({ domains, notBefore: now, notAfter: new Date(+now + 90 * 86_400_000) });
  const authorization = {
    identifier: { type: 'dns', value: domains[0] },
    status: 'pending',
    challenges: [{ type: 'dns-01', url: `${ca.base}/challenge/1`, status: 'pending', token: 'token' }],
  };
  ca.routes.set('/authorization/1', (response) => answer(response, 200, authorization));
  ca.routes.set('/challenge/1', (response) => answer(response, 200, {}));
  const valid = { ...orderAt(ca.base), status: 'valid', certificate: `${ca.base}/certificate/1` };
  ca.routes.set('/finalize/1', (response) => answer(response, 200, valid));
  ca.routes.set('/certificate/1', (response) =>
    response.writeHead(200, { 'content-type': 'application/pem-certificate-chain' }).end(chain),
  );
  sound = new Map(ca.routes);
});
afterAll(async () => {
  await ca.stop();
  await elsewhere.stop();
});
beforeEach(() => {
  ca.routes.clear();
  for (const [path, route] of sound) ca.routes.set(path, route);
  ca.requests.length = 0;
  elsewhere.requests.length = 0;
  accounts = new MemoryAccounts();
  log = new FakeLog();
});
afterEach(async () => {
  for (const authorities of open.splice(0)) await authorities.close();
  expect(elsewhere.requests).toEqual([]);
});

function authorities(issuer: Partial<IssuerSpec> = {}): Authorities {
  const { directory, caPem } = ca;
  const full = {
    directory,
    contact: [],
    agreeToTerms: true,
    caBundle: `${caPem}\n${elsewhere.caPem}`,
    ...issuer,
  };
  const opened = createAuthorities({
    issuers: { default: { ...full, agreeToTerms: true } },
    accounts,
    clock: new FakeClock(now.toISOString()),
    log,
    readFile: async () => '',
    readText: async () => '',
  });
  open.push(opened);
  return opened;
}

const connect = (issuer: Partial<IssuerSpec> = {}) => authorities(issuer).connect('default', signal);

/** An order from its making to its certificate. */
async function issue(issuer: Partial<IssuerSpec> = {}): Promise<string> {
  const authority = await connect(issuer);
  const order = await authority.newOrder({ domains }, signal);
  await authority.readOrder(order.url, signal);
  for (const url of order.authorizations) {
    const { challenges } = await authority.readAuthorization(url, signal);
    for (const challenge of challenges) await authority.answerChallenge(challenge.url, signal);
  }
  const finalized = await authority.finalize(order, '', signal);
  return authority.downloadCertificate(finalized, signal);
}

/** Answers a path with a body in which one member is exchanged, or one header. */
function exchange(path: string, members: object, headers: Record<string, string> = {}): void {
  const route = sound.get(path);
  ca.routes.set(path, (response, request) => {
    const end = response.end.bind(response);
    response.end = ((text: string) => {
      if (!text.startsWith('{')) return end(text);
      return end(JSON.stringify({ ...JSON.parse(text), ...members }));
    }) as typeof response.end;
    const writeHead = response.writeHead.bind(response);
    response.writeHead = ((status: number, given: object) =>
      writeHead(status, { ...given, ...headers })) as typeof response.writeHead;
    route?.(response, request);
  });
}

/** Each place where a CA names a URL, with what it names otherwise. */
const places: readonly (readonly [string, (url: string) => void])[] = [
  ['the account', (url) => exchange('/account', {}, { location: url })],
  ['the order', (url) => exchange('/order', {}, { location: url })],
  ['an authorization', (url) => exchange('/order', { authorizations: [url] })],
  ['finalize, from the start', (url) => exchange('/order', { finalize: url })],
  ['finalize, when it is read again', (url) => exchange('/order/1', { finalize: url })],
  [
    'a challenge',
    (url) =>
      exchange('/authorization/1', {
        challenges: [{ type: 'dns-01', url, status: 'pending', token: 'token' }],
      }),
  ],
  ['the certificate', (url) => exchange('/finalize/1', { certificate: url })],
];

describe.each(places)('a CA that names another server for %s', (_, name) => {
  it.each<[string, () => string]>([
    ['with its whole URL', () => `${elsewhere.base}/x`],
    ['without scheme', () => `${elsewhere.base.replace('https:', '')}/x`],
    ['with backslashes', () => `${elsewhere.base.replace('https://', '\\\\')}/x`],
    ['behind a name that looks like its own', () => `https://127.0.0.1@${new URL(elsewhere.base).host}/x`],
    ['by another port', () => `https://127.0.0.1:${new URL(elsewhere.base).port}/order/1`],
    ['by another scheme', () => `http://${new URL(ca.base).host}/x`],
    ['in a URL without end', () => `${ca.base}/${'x'.repeat(5_000)}`],
  ])('%s is not followed there', async (_, url) => {
    name(url());
    const error = await failure(issue());
    expect(error.code).toBe('Malformed');
    expect(error.message).toMatch(/^the CA sent /);
    expect(error.message.length).toBeLessThan(1_000);
  });
});

describe('a CA is followed', () => {
  it.each(
    places.filter(([name]) => name !== 'the account'),
  )('to %s by a relative reference', async (_, name) => {
    const paths = new Map([
      ['the order', '/order/1'],
      ['an authorization', './authorization/1'],
      ['a challenge', '../challenge/1'],
      ['the certificate', '../certificate/1'],
    ]);
    name(paths.get(_) ?? '/finalize/1');
    expect(await issue()).toContain('BEGIN CERTIFICATE');
  });

  it('whose directory holds relative references', async () => {
    ca.routes.set('/directory', (response) => answer(response, 200, directoryAt('')));
    expect(await issue()).toContain('BEGIN CERTIFICATE');
  });

  it('to every origin that its directory names', async () => {
    // The other server is part of this CA, and has its accounts and orders.
    ca.routes.set('/directory', (response) =>
      answer(response, 200, { ...directoryAt(ca.base), newOrder: `${elsewhere.base}/order` }),
    );
    const order = await (await connect()).newOrder({ domains }, signal);
    expect(order.url).toBe(`${elsewhere.base}/order/1`);
    expect(elsewhere.requests.splice(0)).toEqual(['POST /order HTTP/1.1']);
  });
});

it('an alternate chain at another server is passed over, and the default is taken', async () => {
  const link = `<${elsewhere.base}/certificate/2>;rel="alternate"`;
  exchange('/certificate/1', {}, { link });
  expect(await issue({ preferredChain: 'Another Root' })).toContain('BEGIN CERTIFICATE');
  const line = log.lines.find(({ event }) => event === 'preferred chain not offered');
  expect(JSON.stringify(line?.fields)).toContain('does not name it');
});

it('an order whose URL, from a tag, is of another server is not asked for', async () => {
  const authority = await connect();
  const error = await failure(authority.readOrder(`${elsewhere.base}/order/1`, signal));
  expect([error.code, error.message]).toEqual([
    'Malformed',
    expect.stringContaining('nothing is sent there'),
  ]);
});

describe('an account whose stored URL is of another server', () => {
  const stranger = () => ({ ...[...accounts.kept.values()][0], url: `${elsewhere.base}/account/9` });

  it('is asked for at the CA by its key, kept with that URL, and said', async () => {
    await connect();
    const own = accounts.kept.get(ca.directory);
    if (!own) throw new Error('there is no account');
    accounts.kept.set(ca.directory, { ...own, url: `${elsewhere.base}/account/9` });
    ca.routes.set('/account/1', (response) => answer(response, 200, {}));
    await issue({ contact: ['mailto:new@example.com'] });
    expect(accounts.kept.get(ca.directory)).toMatchObject({ key: own.key, url: `${ca.base}/account/1` });
    expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { event: 'account URL ignored', fields: { secret: accounts.secretOf(ca.directory) } },
    ]);
  });

  it('is not what CAA records are held against', async () => {
    await connect();
    const own = accounts.kept.get(ca.directory);
    if (!own) throw new Error('there is no account');
    accounts.kept.set(ca.directory, { ...own, ...stranger() });
    expect((await authorities().describe('default', signal)).accountUrl).toBeUndefined();
  });
});
