// The probe story over fakes: where it looks, where it never connects to, what it keeps and what it says.

import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { isPublicAddress } from '../../lib/adapters/dns/public-addresses.ts';
import type { CertificateSpec, ProbeSpec } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { type CertificateFacts, readCertificate } from '../../lib/certificate/x509.ts';
import type { HandshakeOutcome } from '../../lib/policy/serving/handshake.ts';
import { DnsError } from '../../lib/ports/dns.ts';
import { probeCertificates } from '../../lib/probe/probe.ts';
import { stateOf, stateOfSpec } from '../../lib/state/describe.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';
import { stateOfTags, tagsOfState } from '../fakes/tags.ts';
import { mintChain } from '../minting/certificates.ts';
import { targetOf } from '../minting/targets.ts';

const minuteMs = 60_000;
const current: HandshakeOutcome = leaf('new');
const silent: HandshakeOutcome = { kind: 'silent', problem: 'ECONNREFUSED' };
let clock: FakeClock;
let log: FakeLog;
let store: FakeStore;
/** Addresses by name, as DNS has them. */
let dns: Record<string, readonly string[] | Error | Promise<never>>;
/** What is served by address, in turns where it is a list; nobody answers at the others. */
let servers: Record<string, HandshakeOutcome | 'hanging' | readonly HandshakeOutcome[]>;
/** Where it connected to, and under which name. */
let visits: string[];
let ending: AbortController;

beforeEach(() => {
  [clock, log, store] = [new FakeClock('2030-01-01T00:00:00Z'), new FakeLog(), new FakeStore()];
  [dns, servers, visits, ending] = [{}, {}, [], new AbortController()];
});

function leaf(fingerprint: string): Extract<HandshakeOutcome, { kind: 'leaf' }> {
  return { kind: 'leaf', fingerprint, names: ['*.example.com'], notAfter: new Date('2030-03-01T00:00:00Z') };
}

function spec(name: string, change: Partial<CertificateSpec> = {}): CertificateSpec {
  return {
    name,
    domains: [`${name}.example.com`],
    issuer: 'default',
    key: 'ecdsa-p256',
    targets: [],
    ...change,
  };
}

const issued: CertificateState = { version: 'v1', fingerprint: 'new' };

function keep(name: string, state: CertificateState = {}): void {
  keepJust(name, { ...issued, ...state });
}

function keepJust(name: string, described: CertificateState): void {
  store.kept.set(name, { versions: new Map(), stages: new Map([['AWSCURRENT', 'v1']]), state: described });
}

/** As what a machine says nothing to. */
function untilTheEnd(): Promise<never> {
  const { signal } = ending;
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

async function probe(specs: readonly CertificateSpec[], certificates?: readonly string[]) {
  const ports = {
    store,
    clock,
    log,
    isPublicAddress,
    findAddresses: async (name: string) => {
      const found = await (dns[name] ?? []);
      if (found instanceof Error) throw found;
      return found;
    },
    shakeHands: async (place: { readonly address: string; readonly port: number; readonly name: string }) => {
      visits.push(`${place.name} ${place.address} ${place.port}`);
      ending.signal.throwIfAborted();
      const seen = [servers[place.address] ?? silent].flat();
      const turn = seen[(visits.length - 1) % seen.length] ?? silent;
      return turn === 'hanging' ? untilTheEnd() : turn;
    },
  };
  const inventory = { issuers: {}, clusters: {}, certificates: specs };
  const signal = ending.signal;
  const cleanUpSignal = new AbortController().signal;
  return probeCertificates(ports, {
    inventory,
    certificates,
    staleAfterMs: 60 * minuteMs,
    signal,
    cleanUpSignal,
  });
}

/** Report of the only certificate, `shop`. */
async function probeShop(look?: ProbeSpec | false, change: Partial<CertificateSpec> = {}) {
  if (!store.kept.has('shop')) keep('shop');
  const { certificates } = await probe([
    spec('shop', { ...(look === undefined ? {} : { probe: look }), ...change }),
  ]);
  return certificates[0];
}

describe('where it looks', () => {
  test('at every address of every name, and at a wildcard only where addresses or names are listed', async () => {
    dns = { 'shop.example.com': ['203.0.113.7', '2606:4700::7'], 'www.shop.example.com': ['203.0.113.9'] };
    const domains = ['shop.example.com', '*.shop.example.com'];
    expect(await probeShop(undefined, { domains })).toMatchObject({ served: 'unreachable' });
    expect(visits.splice(0)).toEqual([
      'shop.example.com 203.0.113.7 443',
      'shop.example.com 2606:4700::7 443',
    ]);
    await probeShop({ names: ['www.shop.example.com'], port: 8443 }, { domains });
    expect(visits.splice(0)).toEqual(['www.shop.example.com 203.0.113.9 8443']);
    await probeShop(
      { addresses: [{ address: '198.51.100.1' }, { address: '198.51.100.1', port: 9443 }] },
      { domains },
    );
    expect(visits).toEqual([
      'shop.example.com 198.51.100.1 443',
      'shop.example.com 198.51.100.1 9443',
      'certrelay-probe.shop.example.com 198.51.100.1 443',
      'certrelay-probe.shop.example.com 198.51.100.1 9443',
    ]);
  });

  test.each([
    '127.0.0.1',
    '::1',
    '169.254.169.254',
    '10.0.0.1',
    'fd00:ec2::254',
  ])('not at %s because DNS says so, but because the operator does', async (address) => {
    dns = { 'shop.example.com': [address] };
    servers = { [address]: current };
    expect(await probeShop()).toMatchObject({ served: 'unprobed', message: `unprobed ${address}` });
    expect(visits).toEqual([]);
    expect(await probeShop({ addresses: [{ address }] })).toMatchObject({ served: 'served' });
  });

  test.each<[string, ProbeSpec | false | undefined, CertificateState, string]>([
    ['the inventory says false', false, issued, '"probe: false"'],
    ['nothing is issued', undefined, {}, 'not been issued yet'],
    [
      'the tags describe another version',
      undefined,
      { ...issued, version: 'v0' },
      'tags describe another version',
    ],
  ])('nowhere where %s', async (_, look, state, message) => {
    keepJust('shop', state);
    expect(await probeShop(look)).toMatchObject({
      served: 'skip',
      message: expect.stringContaining(message),
    });
    expect(visits).toEqual([]);
  });

  test('says of a name that DNS does not answer for that it is unreachable, of one without address that it is unprobed', async () => {
    dns = { 'shop.example.com': new DnsError('Lookup', 'ns-1 did not answer') };
    expect(await probeShop()).toMatchObject({
      served: 'unreachable',
      addresses: [{ message: 'ns-1 did not answer' }],
    });
    dns = {};
    expect(await probeShop()).toMatchObject({ served: 'unprobed', message: 'unprobed shop.example.com' });
  });
});

describe('whoever keeps a zone', () => {
  const many = (count: number, net = '203.0') =>
    Array.from({ length: count }, (_, n) => `${net}.${Math.floor(n / 250)}.${(n % 250) + 1}`);

  test('has 20 addresses of a name looked at and 200 of a certificate; how many were not is said, and served is what was seen', async () => {
    const domains = Array.from({ length: 15 }, (_, n) => `n${n}.shop.example.com`);
    for (const [n, name] of domains.entries()) dns[name] = many(100, `5.${n}`);
    servers = Object.fromEntries(domains.flatMap((_, n) => many(100, `5.${n}`)).map((one) => [one, current]));
    const report = await probeShop(undefined, { domains });
    expect(visits).toHaveLength(200);
    for (const name of domains)
      expect(visits.filter((visit) => visit.startsWith(`${name} `)).length).toBeGreaterThan(12);
    expect(report).toMatchObject({
      served: 'served',
      unlooked: 1_300,
      message: expect.stringContaining('1300 more were not probed'),
    });
    expect(report?.addresses).toHaveLength(215);
    expect(log.lines.find(({ event }) => event === 'certificate served')?.fields).toMatchObject({
      unlooked: 1_300,
    });
    expect(store.kept.get('shop')?.state.served).toEqual({ version: 'v1', word: 'served' });
  });

  test.each([
    [20, undefined],
    [21, 1],
  ])('of %i addresses of one name leaves %s unlooked at', async (count, unlooked) => {
    dns = { 'shop.example.com': many(count) };
    servers = Object.fromEntries(many(count).map((one) => [one, current]));
    const report = await probeShop();
    expect(report).toMatchObject({ served: 'served' });
    expect(report?.unlooked).toBe(unlooked);
  });

  test('does not choose which are looked at by turning them round, nor hides public ones behind private ones', async () => {
    const all = [...many(30, '10.0'), ...many(20)];
    dns = { 'shop.example.com': all };
    await probeShop();
    const before = visits.splice(0).toSorted();
    expect(before).toEqual(
      many(20)
        .map((one) => `shop.example.com ${one} 443`)
        .toSorted(),
    );
    dns = { 'shop.example.com': all.toReversed() };
    await probeShop();
    expect(visits.toSorted()).toEqual(before);
  });

  test('takes nothing from what a person has listed', async () => {
    const addresses = many(250).map((address) => ({ address }));
    servers = Object.fromEntries(many(250).map((one) => [one, current]));
    expect(await probeShop({ addresses })).toMatchObject({ served: 'served' });
    expect(visits).toHaveLength(250);
  });

  test('with dead servers and dead addresses leaves time for the certificates of others', async () => {
    const domains = Array.from({ length: 100 }, (_, n) => `n${n}.bad.example.com`);
    for (const [n, name] of domains.entries()) dns[name] = n < 15 ? many(100, `5.${n}`) : untilTheEnd();
    const others = Array.from({ length: 20 }, (_, n) => spec(`z${n}`));
    for (const [n, { name }] of others.entries()) {
      keep(name);
      dns[`${name}.example.com`] = [`203.0.113.${n}`];
      servers[`203.0.113.${n}`] = current;
    }
    for (const n of domains.slice(0, 15).keys())
      for (const address of many(100, `5.${n}`)) servers[address] = 'hanging';
    keep('bad');
    const pass = probe([spec('bad', { domains }), ...others]);
    const isOther = (visit: string) => visit.startsWith('z');
    await vi.waitFor(() => expect(visits.filter(isOther)).toHaveLength(20), { timeout: 30_000 });
    ending.abort(new Error('time is up'));
    const { certificates, failures } = await pass;
    expect(certificates.map(({ served }) => served)).toEqual(['failed', ...others.map(() => 'served')]);
    expect(failures).toHaveLength(1);
  });
});

describe('targets that tell their addresses', () => {
  const [lab, far, edge] = [
    targetOf({ addresses: [{ address: '10.0.0.7' }, { address: '10.0.0.8', port: 8443 }] }),
    targetOf({ secret: 'far', addresses: [{ address: '203.0.113.7' }] }),
    targetOf({ secret: 'edge' }),
  ];
  const word = () => tagsOfState(store.kept.get('shop')?.state).served;

  test('are looked at beside what DNS says, each place once, and are told apart', async () => {
    dns = { 'shop.example.com': ['203.0.113.7', '203.0.113.9'] };
    servers = { '10.0.0.7': current, '10.0.0.8': current, '203.0.113.7': leaf('old') };
    const targets = [lab, far, edge];
    expect(await probeShop(undefined, { targets })).toMatchObject({ served: 'stale' });
    const places = ['10.0.0.7 443', '10.0.0.8 8443', '203.0.113.7 443', '203.0.113.9 443'];
    expect(visits.splice(0)).toEqual(places.map((place) => `shop.example.com ${place}`));
    expect(word()).toMatch(/^v1\/stale\/[0-9a-f]{8}\/so-$/);

    servers = { ...servers, '203.0.113.7': current };
    expect(await probeShop(undefined, { targets })).toMatchObject({ served: 'unreachable' });
    expect(word()).toMatch(/^v1\/unreachable\/[0-9a-f]{8}\/ss-$/);
  });

  test('are where a name without address, or a wildcard, is served', async () => {
    servers = { '10.0.0.7': current, '10.0.0.8': current };
    const domains = ['shop.example.com', '*.shop.example.com'];
    expect(await probeShop(undefined, { domains, targets: [lab] })).toMatchObject({ served: 'served' });
    expect(visits).toHaveLength(4);
  });

  test('cost no call where every one serves what it did', async () => {
    const targets = [lab, far];
    servers = { '10.0.0.7': current, '10.0.0.8': leaf('old'), '203.0.113.7': current };
    await probeShop(undefined, { targets });
    store.calls.splice(0);
    await probeShop(undefined, { targets });
    expect(store.calls).toEqual(['list *']);
    servers = { ...servers, '10.0.0.8': current, '203.0.113.7': leaf('old') };
    await probeShop(undefined, { targets });
    expect(word(), 'the same word, of another target').toMatch(/^v1\/stale\/[0-9a-f]{8}\/so$/);
  });
});

describe('a certificate that was registered', () => {
  let facts: CertificateFacts;

  beforeAll(async () => {
    const [notBefore, notAfter] = [new Date('2029-12-01T00:00:00Z'), new Date('2030-03-01T00:00:00Z')];
    facts = readCertificate((await mintChain({ domains: ['shop.example.com'], notBefore, notAfter })).chain);
  });

  const stateFor = (domains: readonly string[], targets: StoredSpec['targets'] = []): CertificateState => {
    const registered: StoredSpec = { source: 'registration', ...spec('shop', { domains, targets }) };
    const written = {
      ...stateOfSpec(registered),
      ...stateOf('v1', facts, { issuer: 'https://ca.test', spec: registered }),
      fingerprint: 'new',
    };
    return Object.fromEntries(Object.entries(written).filter(([, value]) => value !== null));
  };

  test('is looked for under the names on its tags: no value is read', async () => {
    keep('shop', stateFor(['shop.example.com', '*.shop.example.com']));
    dns = { 'shop.example.com': ['203.0.113.7'] };
    servers = { '203.0.113.7': current };
    const { certificates } = await probe([]);
    expect(certificates).toMatchObject([{ name: 'shop', delivered: true, served: 'unprobed' }]);
    expect(certificates[0]?.addresses).toMatchObject([
      { name: 'shop.example.com', served: 'served' },
      { name: '*.shop.example.com', served: 'unprobed' },
    ]);
    expect(store.calls).toEqual(['list *', 'record shop']);
  });

  test('and goes somewhere is not delivered until it is there', async () => {
    keep('shop', stateFor(['shop.example.com'], [targetOf({})]));
    expect((await probe([])).certificates).toMatchObject([{ delivered: false }]);
  });

  test('under more names than tags hold is passed over, and the way out is said', async () => {
    keep('shop', stateFor(Array.from({ length: 60 }, (_, index) => `${index}.shop.example.com`)));
    const message = 'its tags do not contain its names; list it in the inventory';
    expect((await probe([])).certificates).toMatchObject([{ served: 'skip', message }]);
  });
});

describe('delivered is not served', () => {
  const target = targetOf({ namespace: 'default' });

  test.each([
    ['', false],
    ['v0/0a1b2c3d/r', false],
    ['v1/0a1b2c3d/-', false],
    ['v1/0a1b2c3d/r', true],
  ])('the report says both: deployed %j is delivered %s, and stale either way', async (deployed, delivered) => {
    keep('shop', stateOfTags({ deployed }));
    dns = { 'shop.example.com': ['203.0.113.7'] };
    servers = { '203.0.113.7': leaf('old') };
    expect(await probeShop(undefined, { targets: [target] })).toMatchObject({ delivered, served: 'stale' });
    expect(log.events()).toContain(delivered ? 'certificate not served yet' : 'certificate not seen served');
  });

  test('what is not served an hour after delivery is an error, at every look until it is served', async () => {
    dns = { 'shop.example.com': ['203.0.113.7'] };
    servers = { '203.0.113.7': leaf('old') };
    const told: unknown[] = [];
    for (const minutes of [0, 59, 1, 30]) {
      clock.pass(minutes * minuteMs);
      await probeShop();
      told.push(log.lines.findLast(({ event }) => event.startsWith('certificate'))?.event);
    }
    const yet = 'certificate not served yet';
    expect(told).toEqual([yet, yet, 'certificate not served', 'certificate not served']);
    expect(log.lines.findLast(({ level }) => level === 'error')?.fields).toMatchObject({
      certificate: 'shop',
      served: 'stale',
      problem: 'stale 203.0.113.7',
      since: new Date('2030-01-01T00:00:00Z'),
    });
    servers = { '203.0.113.7': current };
    await probeShop();
    expect(log.lines.findLast(({ event }) => event.startsWith('certificate'))?.event).toBe(
      'certificate served',
    );
    expect(store.kept.get('shop')?.state).toMatchObject({
      served: { version: 'v1', word: 'served' },
      probedAt: clock.now(),
    });
    expect(store.kept.get('shop')?.state).not.toHaveProperty('notServedSince');
  });

  test('what is served by one of two servers in turn does not end what the other one was found to serve', async () => {
    dns = { 'shop.example.com': ['203.0.113.7'] };
    servers = { '203.0.113.7': leaf('old') };
    await probeShop();
    visits.length = 0;
    servers = { '203.0.113.7': [current, leaf('old')] };
    clock.pass(60 * minuteMs);
    expect(await probeShop()).toMatchObject({ served: 'stale' });
    expect(log.lines.findLast(({ level }) => level === 'error')?.event).toBe('certificate not served');
    servers = { '203.0.113.7': current };
    visits.length = 0;
    expect(await probeShop()).toMatchObject({ served: 'served' });
    expect(visits).toHaveLength(4);
    visits.length = 0;
    await probeShop();
    expect(visits, 'from then on').toHaveLength(1);
  });

  test('a certificate of the other type at its address is followed by asking for its own, which its tags tell', async () => {
    dns = { 'shop.example.com': ['203.0.113.7'] };
    servers = {
      '203.0.113.7': [
        { ...leaf('other'), keyType: 'rsa-2048' },
        { ...leaf('new'), keyType: 'ecdsa-p384' },
      ],
    };
    keep('shop', { key: 'ecdsa-p384' });
    expect(await probeShop()).toMatchObject({ served: 'served' });
    keep('shop', { key: 'rsa-4096' });
    visits.length = 0;
    expect(await probeShop(), 'it is another one of its own type').toMatchObject({ served: 'stale' });
    expect(visits).toHaveLength(1);
  });

  test('a look that finds nothing new costs no call but that for the list', async () => {
    dns = { 'shop.example.com': ['203.0.113.7'] };
    servers = { '203.0.113.7': current };
    await probeShop();
    store.calls.length = 0;
    await probeShop();
    expect(store.calls).toEqual(['list *']);
  });
});

describe('what goes wrong', () => {
  test('with one certificate does not keep the others from it, and is told', async () => {
    keep('shop');
    servers = { '203.0.113.7': current };
    const look = { addresses: [{ address: '203.0.113.7' }] };
    const { certificates, failures } = await probe([spec('shop', { probe: look })], ['shoop', 'shop']);
    expect(certificates.map(({ name, served }) => [name, served])).toEqual([
      ['shoop', 'failed'],
      ['shop', 'served'],
    ]);
    expect(failures).toMatchObject([
      { message: expect.stringMatching(/^shoop: no certificate is called "shoop".*did you mean "shop"\?$/) },
    ]);
  });

  test('the end of the run leaves what was known, and counts as a failure', async () => {
    keep('shop', { served: { version: 'v1', word: 'stale' }, notServedSince: new Date(0) });
    ending.abort(new Error('time is up'));
    const { failures } = await probe([spec('shop', { probe: { addresses: [{ address: '203.0.113.7' }] } })]);
    expect(failures).toMatchObject([{ message: expect.stringContaining('time ran out before') }]);
    expect(store.kept.get('shop')?.state.served).toEqual({ version: 'v1', word: 'stale' });
  });
});

test('its silence over everything is what the alarm hears: a pass over named ones says how many', async () => {
  keep('shop');
  await probe([spec('shop')]);
  await probe([spec('shop')], ['shop']);
  const asked = log.lines.filter(({ event }) => event === 'probe finished').map(({ fields }) => fields.asked);
  expect(asked).toEqual([undefined, 1]);
});
