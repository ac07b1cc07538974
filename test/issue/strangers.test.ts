// A CA that speaks of names that nobody asked of it, seen through whole passes: DNS is written for none of
// them, and the certificates of other CAs are issued.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Authorities, createAuthorities } from '../../lib/adapters/acme/accounts.ts';
import type { IssuerSpec } from '../../lib/certificate/spec.ts';
import type { IssuePorts } from '../../lib/issue/invocation.ts';
import { openNewOrder } from '../../lib/issue/order/order.ts';
import { MemoryAccounts } from '../fakes/accounts.ts';
import { answer, orderAt, type ScriptedCa, startScriptedCa } from '../fakes/scripted-ca.ts';
import { Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com', 'www.shop.example.com']);
const blog = { ...specOf('blog', ['blog.example.com']), issuer: 'good' };
let ca: ScriptedCa;
let harness: HostileHarness;
const open: Authorities[] = [];

/** Issuer `default` is the scripted CA, by the real adapter; issuer `good` is a sound one. */
class HostileHarness extends Harness {
  readonly accounts = new MemoryAccounts();
  /** Every TXT value that was written, as `name value`. */
  readonly written: string[] = [];

  constructor(issuer: Partial<IssuerSpec> = {}) {
    super([shop, blog], { directory: ca.directory, caBundle: ca.caPem, ...issuer }, { good: {} });
    const present = this.records.present.bind(this.records);
    this.records.present = (values) => {
      this.written.push(...values.map(({ name, value }) => `${name} ${value}`));
      return present(values);
    };
  }

  override ports(): IssuePorts {
    const ports = super.ports();
    const authorities = createAuthorities({
      issuers: this.inventory.issuers,
      accounts: this.accounts,
      clock: this.clock,
      log: this.log,
      readFile: async () => '',
      readText: async () => '',
    });
    open.push(authorities);
    const { connect } = authorities;
    return {
      ...ports,
      openOrdering: async () => {
        const ordering = await ports.openOrdering();
        return {
          ...ordering,
          connect: (name, during) => (name === 'default' ? connect : ordering.connect)(name, during),
        };
      },
    };
  }
}

beforeAll(async () => {
  ca = await startScriptedCa();
});
afterAll(() => ca.stop());
beforeEach(() => {
  ca.requests.length = 0;
  harness = new HostileHarness();
});

afterEach(async () => {
  for (const authorities of open.splice(0)) await authorities.close();
});

interface Wanted {
  readonly value: string;
  readonly type?: string;
  readonly wildcard?: boolean;
}

/** Makes the CA want these proved, by these challenges, and repeat them in its order. */
function want(wanted: readonly Wanted[], status = 'pending', challenge: object = {}): void {
  const order = {
    ...orderAt(ca.base),
    status,
    identifiers: shop.domains.map((value) => ({ type: 'dns', value })),
    authorizations: wanted.map((_, index) => `${ca.base}/authorization/${index}`),
  };
  ca.routes.set('/order', (response) => answer(response, 201, order, { location: `${ca.base}/order/1` }));
  ca.routes.set('/order/1', (response) => answer(response, 200, { ...order, status: 'invalid' }));
  for (const [index, { value, type = 'dns', wildcard }] of wanted.entries()) {
    const url = `${ca.base}/challenge/${index}`;
    const challenges = [{ type: 'dns-01', url, status: 'pending', token: `token-${index}`, ...challenge }];
    const body = { identifier: { type, value }, status: 'pending', wildcard, challenges };
    ca.routes.set(`/authorization/${index}`, (response) => answer(response, 200, body));
    ca.routes.set(`/challenge/${index}`, (response) => answer(response, 200, challenges[0] ?? {}));
  }
}

const problems = () =>
  harness.log.lines
    .filter(({ event }) => event === 'certificate failed')
    .map(({ fields }) => String(fields.problem));
const writtenFor = (text: string) => harness.written.filter((line) => line.includes(text));

describe('an authorization ends the order that is for', () => {
  it.each<[string, Wanted, string]>([
    [
      'a name of somebody else',
      { value: 'victim.example.net' },
      '"victim.example.net" proved, which was not asked',
    ],
    ['the domain above', { value: 'example.com' }, '"example.com" proved, which was not asked'],
    ['a name below', { value: 'a.shop.example.com' }, '"a.shop.example.com" proved, which was not asked'],
    [
      'a wildcard',
      { value: 'shop.example.com', wildcard: true },
      '"*.shop.example.com" proved, which was not asked',
    ],
    [
      'a wildcard by its name',
      { value: '*.shop.example.com' },
      '"*.shop.example.com" proved, which was not asked',
    ],
    ['another name with a dot at its end', { value: 'victim.example.net.' }, '"victim.example.net" proved'],
    [
      'a name whose letters only look alike',
      { value: 'shop.example.com'.replace('o', 'ο') },
      'which was not asked',
    ],
    [
      'a name with a letter that becomes ASCII',
      { value: 'shop.example.com'.replace('s', '\u017f') },
      'which was not asked',
    ],
    ['an IP address', { type: 'ip', value: '192.0.2.1' }, 'proof of "192.0.2.1", which is of the type "ip"'],
    ['the same name again', { value: 'www.shop.example.com' }, '"www.shop.example.com" proved twice'],
    ['a name of 100,000 letters', { value: 'a'.repeat(100_000) }, 'which was not asked'],
  ])('%s, and nothing is written for it', async (_, stranger, problem) => {
    want([{ value: 'www.shop.example.com' }, stranger]);
    const { report } = await harness.run();
    expect(report.summary).toMatchObject({ issued: 1, failed: 1 });
    expect(problems()).toEqual([expect.stringContaining(problem)]);
    expect(problems().join().length).toBeLessThan(1_000);
    expect(harness.written).toEqual(writtenFor('blog.example.com'));
    expect(harness.records.values.size).toBe(0);
    expect(ca.requests.filter((line) => line.includes('/challenge/'))).toEqual([]);
    expect(harness.pending('shop')).toBeUndefined();
    expect(harness.state('shop')).toMatchObject({ failures: 1 });
  });

  it('one more than the names that were asked; none of them is read', async () => {
    want(Array.from({ length: 3 }, () => ({ value: 'shop.example.com' })));
    await harness.run();
    expect(problems()).toEqual([expect.stringContaining('the CA wants 3 authorizations for 2 names')]);
    expect(ca.requests.filter((line) => line.includes('/authorization/'))).toEqual([]);
  });

  it('one more than the names, although the order is ready at once', async () => {
    want(
      Array.from({ length: 3 }, () => ({ value: 'shop.example.com' })),
      'ready',
    );
    await harness.run();
    expect(problems()).toEqual([expect.stringContaining('the CA wants 3 authorizations for 2 names')]);
    expect(ca.requests.filter((line) => line.includes('/finalize/'))).toEqual([]);
  });
});

it('the name that was asked is proved as it was asked, however the CA spells it', async () => {
  want([{ value: 'SHOP.example.COM' }, { value: 'www.shop.example.com.' }]);
  await harness.run();
  expect(writtenFor('shop').map((line) => line.split(' ')[0])).toEqual([
    '_acme-challenge.shop.example.com',
    '_acme-challenge.www.shop.example.com',
  ]);
});

it('an order that is resumed and wants more by now is ended, and the TXT values of before are removed', async () => {
  want([{ value: 'shop.example.com' }, { value: 'www.shop.example.com' }]);
  const crash = new AbortController();
  harness.records.present = async (values) => {
    for (const { name, value } of values) harness.records.values.add(`${name} ${value}`);
    crash.abort(new Error('the time of the run is over'));
    throw crash.signal.reason;
  };
  const cleanUp = harness.records.cleanUp.bind(harness.records);
  harness.records.cleanUp = () => Promise.reject(new Error('crashed'));
  await harness.run({ certificates: ['shop'] }, { signal: crash.signal });
  expect([...harness.records.values].filter((line) => line.includes('shop'))).toHaveLength(2);

  harness.records.cleanUp = cleanUp;
  want([{ value: 'shop.example.com' }, { value: 'victim.example.net' }]);
  const order = { ...orderAt(ca.base), authorizations: [0, 1].map((id) => `${ca.base}/authorization/${id}`) };
  ca.routes.set('/order/1', (response) => answer(response, 200, order));
  harness.clock.pass(16 * 60_000);
  await harness.run({ certificates: ['shop'] });
  expect(harness.log.lines.find(({ event }) => event === 'order not resumed')?.fields).toMatchObject({
    certificate: 'shop',
    problem: expect.stringContaining('"victim.example.net" proved, which was not asked'),
  });
  expect([...harness.records.values]).toEqual([]);
  expect(problems()).toEqual([expect.stringContaining('"victim.example.net" proved, which was not asked')]);
});

it('an order that a tag names at another server is not asked for but forgotten, said, and ordered anew', async () => {
  const elsewhere = await startScriptedCa('127.0.0.1', 'Another server');
  harness = new HostileHarness({ caBundle: `${ca.caPem}\n${elsewhere.caPem}` });
  want([{ value: 'shop.example.com' }]);
  ca.routes.set('/authorization/0', (response) => answer(response, 500, { detail: 'out of order' }));
  await harness.run({ certificates: ['shop'] });
  const { orderFor } = harness.state('shop');
  await harness.store.record('shop', { order: `${elsewhere.base}/order/1`, orderFor });
  ca.requests.length = 0;
  await harness.run({ certificates: ['shop'], force: true });
  await elsewhere.stop();
  expect(elsewhere.requests).toEqual([]);
  expect(harness.log.lines.find(({ event }) => event === 'order not resumed')?.fields).toMatchObject({
    certificate: 'shop',
    orderUrl: `${elsewhere.base}/order/1`,
    problem: expect.stringContaining('nothing is sent there'),
  });
  expect(ca.requests.filter((line) => line === 'POST /order HTTP/1.1')).toHaveLength(1);
  expect(harness.state('shop').order).toBe(`${ca.base}/order/1`);
});

it('a CA that takes too long to say what it wants proved is left, although each of its answers is in time', async () => {
  const hangs = (_: string, during: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      during.addEventListener('abort', () => reject(during.reason), { once: true });
    });
  const order = await harness.ca.newOrder(shop);
  const slow = Object.assign(harness.ca, { readAuthorization: hangs });
  const { signal } = new AbortController();
  const { clock } = harness;
  const opening = openNewOrder(order, shop, { ca: slow, clock }, signal);
  clock.pass(60_000);
  await expect(opening).rejects.toMatchObject({
    code: 'Unreachable',
    message: expect.stringContaining('the CA took more than 60 s to say what it wants proved'),
  });
});

describe('a CA that offers dns-persist-01 in the name of another', () => {
  const stranger = {
    type: 'dns-persist-01',
    token: undefined,
    'issuer-domain-names': ['letsencrypt.org'],
    accounturi: 'https://acme-v02.api.letsencrypt.org/acme/acct/666',
  };
  const victims = ['a', 'b', 'c'].map((host) => ({ value: `${host}.example.com` }));

  it("with Let's Encrypt's domain and a stranger's account, for three names that nobody ordered: nothing is written", async () => {
    harness = new HostileHarness({ challenge: 'dns-persist-01' });
    want(victims, 'pending', stranger);
    await harness.run();
    expect(harness.written).toEqual(writtenFor('blog.example.com'));
    expect(problems()).toHaveLength(1);
  });

  it.each<[string, object, string]>([
    ['domain', { ...stranger, accounturi: undefined }, 'write caaIdentity: letsencrypt.org at the issuer'],
    ['account', stranger, 'which is not our account there'],
  ])("for the names that were ordered, with a stranger's %s: nothing is written", async (_, challenge, problem) => {
    harness = new HostileHarness({ challenge: 'dns-persist-01' });
    want(
      shop.domains.map((value) => ({ value })),
      'pending',
      challenge,
    );
    await harness.run();
    expect(harness.written).toEqual(writtenFor('blog.example.com'));
    expect(problems()).toEqual([expect.stringContaining(problem)]);
  });

  it('and calls another CA’s account ours: nothing is registered, nothing is written', async () => {
    harness = new HostileHarness({ challenge: 'dns-persist-01' });
    const account = ca.routes.get('/account');
    ca.routes.set('/account', (response) => answer(response, 201, {}, { location: stranger.accounturi }));
    await harness.run();
    if (account) ca.routes.set('/account', account);
    expect(problems()).toEqual([expect.stringContaining('https://acme-v02.api.letsencrypt.org')]);
    expect([...harness.accounts.kept.values()].map(({ url }) => url)).toEqual([undefined]);
    expect(harness.written).toEqual(writtenFor('blog.example.com'));
  });

  it('may be called so if the inventory says it', async () => {
    harness = new HostileHarness({ challenge: 'dns-persist-01', caaIdentity: ['ca.example'] });
    const own = { ...stranger, 'issuer-domain-names': ['ca.example'], accounturi: `${ca.base}/account/1` };
    want(
      shop.domains.map((value) => ({ value })),
      'pending',
      own,
    );
    await harness.run();
    expect(writtenFor('shop.example.com')[0]).toBe(
      `_validation-persist.shop.example.com ca.example; accounturi=${ca.base}/account/1`,
    );
  });
});
