// Letting a certificate go, as far as `issue` does it: what ends at once, what is waited for and how long,
// and what a restored one gets.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readStatement } from '../../lib/certificate/statement.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { isWithdrawn } from '../../lib/policy/delivery/agents.ts';
import { hashedAccountUri, persistentValue } from '../../lib/policy/dns/persistent-record.ts';
import { describeLetGo, mostPartsMs } from '../../lib/policy/retirement/retirement.ts';
import { AcmeError } from '../../lib/ports/acme.ts';
import { StoreError } from '../../lib/ports/store.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { FakeEventBus } from '../fakes/event-bus.ts';
import { targetOf } from '../minting/targets.ts';
import { crash, dayMs, Harness, specOf } from './harness.ts';

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const edge = targetOf({ cluster: 'edge', namespace: 'shop', secret: 'tls' });
const customer: StoredSpec = {
  ...specOf('customer', ['a.example.com']),
  targets: [edge],
  source: 'registration',
};

/** An installation that has issued these, and signed them for the agent of cluster edge. */
async function open(...specs: readonly StoredSpec[]): Promise<Harness> {
  const harness = new Harness([]);
  harness.signingKey = async () => key;
  const { registration } = harness.inventory;
  if (!registration) throw new Error('the harness has a webhook');
  harness.inventory = { ...harness.inventory, registration: { ...registration, targets: [edge] } };
  for (const spec of specs) await harness.store.create(spec.name, spec);
  await harness.run({ certificates: specs.map(({ name }) => name) });
  await harness.run();
  return harness;
}

const retire = (harness: Harness, revoke = false): Promise<void> =>
  harness.store.record('customer', { retire: { kind: 'retire', at: harness.clock.now(), revoke } });

/** What `deploy` and the agent write once they have done their parts. */
async function doParts(harness: Harness, who: 'deploy' | 'all' = 'all'): Promise<void> {
  const deployed = describeLetGo(harness.state('customer').version ?? '');
  const reports = who === 'all' ? { reports: { edge: { deployed } } } : {};
  await harness.store.record('customer', { deployed, ...reports });
}

const lineOf = async (harness: Harness) => (await harness.run()).report.certificates[0];
const messages = (harness: Harness, event: string) =>
  harness.log.lines.filter(({ event: one }) => one === event);

it('a certificate that a person retires is let go step by step, each only once what comes before is done', async () => {
  const harness = await open(customer);
  harness.clock.pass(75 * dayMs);
  await retire(harness, true);
  const orders = harness.ca.count('newOrder');

  const rehearsed = (await harness.run({ dryRun: true })).report.certificates;
  expect(rehearsed).toMatchObject([{ name: 'customer', decision: 'wait', reason: 'Retiring' }]);
  expect(harness.ca.revoked, 'a dry run revokes nothing').toEqual([]);

  expect(await lineOf(harness)).toMatchObject({
    outcome: 'waiting',
    message: expect.stringMatching(/retired by a person .*waits for deploy, the agent of cluster edge/),
  });
  expect(harness.ca.count('newOrder'), 'although its renewal is due').toBe(orders);
  expect(harness.ca.revoked).toHaveLength(1);
  expect(harness.state('customer').revoked).toEqual([harness.state('customer').version]);
  const statement = harness.state('customer').signatures?.edge;
  expect(isWithdrawn(statement)).toBe(true);

  const writes = harness.store.count('record');
  await lineOf(harness);
  expect(harness.ca.revoked, 'once').toHaveLength(1);
  expect(harness.state('customer').signatures?.edge).toBe(statement);
  expect(harness.store.count('record')).toBe(writes);

  await doParts(harness, 'deploy');
  expect(await lineOf(harness)).toMatchObject({
    outcome: 'waiting',
    message: expect.stringContaining('waits for the agent of cluster edge'),
  });
  await doParts(harness);
  expect(await lineOf(harness)).toMatchObject({ outcome: 'retired' });
  expect(harness.store.deleted.has('customer')).toBe(true);
  expect(messages(harness, 'retirement part given up')).toEqual([]);
  expect((await harness.run()).report.certificates).toEqual([]);
});

it('who does not do its part within seven days is given up, by name, and an hour earlier is not', async () => {
  const harness = await open(customer);
  await retire(harness);
  await doParts(harness, 'deploy');
  harness.clock.pass(mostPartsMs - 3_600_000);
  expect(await lineOf(harness)).toMatchObject({ outcome: 'waiting' });
  harness.clock.pass(3_600_000);
  expect(await lineOf(harness)).toMatchObject({ outcome: 'retired' });
  expect(messages(harness, 'retirement part given up')).toMatchObject([
    { level: 'error', fields: { problem: expect.stringContaining('the agent of cluster edge') } },
  ]);
});

it('a revocation that fails keeps it, past the seven days, and is told in words until the CA revokes', async () => {
  const harness = await open(customer);
  await retire(harness, true);
  await doParts(harness);
  const refused = new AcmeError('Unreachable', 'no answer');
  harness.ca.failures.next('revoke', refused, refused, new AcmeError('Unreachable', 'another word'));
  const began = harness.clock.now();
  const { failures, told } = await harness.run();
  expect(failures).toMatchObject([{ message: expect.stringContaining('no answer') }]);
  expect(told).toEqual(['customer']);
  const problem = { code: 'RevocationFailed', since: began, words: expect.stringContaining('no answer') };
  expect(harness.state('customer').problem).toMatchObject(problem);
  const writes = harness.store.count('record');
  harness.clock.pass(mostPartsMs);
  expect(await lineOf(harness)).toMatchObject({ outcome: 'failed' });
  expect(harness.store.count('record'), 'the same trouble is noted once').toBe(writes);
  expect(harness.state('customer').problem).toMatchObject(problem);
  harness.store.failures.next('record', new StoreError('Denied', 'AWS denied it'));
  expect((await harness.run()).told, 'status cannot tell what is not noted').toEqual([]);
  expect(harness.store.deleted.size).toBe(0);
  expect(await lineOf(harness)).toMatchObject({ outcome: 'retired' });
  expect(harness.ca.revoked).toHaveLength(1);
  expect(harness.state('customer').problem).toBeUndefined();
  expect(messages(harness, 'retirement part given up')).toEqual([]);
});

it('a revocation that fails is told by issue itself where the tags have no room for it', async () => {
  const harness = await open(customer);
  await retire(harness, true);
  const { store } = harness;
  const record = store.record.bind(store);
  // As the real one does with a trouble if 49 tags are there.
  store.record = async (name, change) => {
    if (!('problem' in change)) await record(name, change);
  };
  harness.ca.failures.next('revoke', new AcmeError('Unreachable', 'no answer'));
  const { failures, told } = await harness.run();
  expect(failures).toHaveLength(1);
  expect(told).toEqual([]);
});

it('a person who takes back that it is revoked has it let go unrevoked', async () => {
  const harness = await open(customer);
  await retire(harness, true);
  await doParts(harness);
  harness.ca.failures.next('revoke', new AcmeError('Unreachable', 'no answer'));
  expect(await lineOf(harness)).toMatchObject({ outcome: 'failed' });
  await retire(harness, false);
  expect(await lineOf(harness)).toMatchObject({ outcome: 'retired' });
  expect(harness.ca.revoked).toEqual([]);
});

it('a deletion that AWS refuses is a failure, and the next pass deletes', async () => {
  const harness = await open(customer);
  await retire(harness);
  await doParts(harness);
  harness.store.failures.next('scheduleDeletion', new StoreError('Denied', 'the role may not'));
  expect((await harness.run()).failures).toMatchObject([
    { message: expect.stringContaining('the role may not') },
  ]);
  expect(await lineOf(harness)).toMatchObject({ outcome: 'retired' });
});

it('an order that is under way ends first, and its TXT values go', async () => {
  const harness = await open(customer);
  harness.clock.pass(65 * dayMs);
  await crash(harness);
  expect(harness.records.values.size).toBe(1);

  await retire(harness);
  await doParts(harness);
  expect(await lineOf(harness)).toMatchObject({
    outcome: 'waiting',
    message: expect.stringContaining('an order of it has to end first'),
  });
  expect(harness.store.deleted.size).toBe(0);
  harness.clock.pass(16 * 60_000);
  expect(await lineOf(harness)).toMatchObject({ outcome: 'retired' });
  expect([...harness.records.values]).toEqual([]);
});

describe('persistent records', () => {
  const account = { url: 'https://ca.example/acct/1', thumbprint: 'thumb' };
  const prefix = 'https://ca.example/hash/';
  const at = (domain: string, value: string) => `_validation-persist.${domain} ${value}`;
  const ours = (domain: string) =>
    persistentValue('ca.example', hashedAccountUri(prefix, domain, account), false);

  it('of names that no other certificate has go; those of other accounts, forms and certificates stay', async () => {
    const gone = { ...customer, domains: ['a.example.com', '*.b.example.com'] };
    const stays = { ...customer, name: 'stays', domains: ['b.example.com'], targets: [] };
    const harness = await open(gone, stays);
    const { issuers } = harness.inventory;
    const lasting = { ...issuers.default, challenge: 'dns-persist-01' } as (typeof issuers)[string];
    harness.inventory = { ...harness.inventory, issuers: { default: lasting } };
    harness.describe = () => ({
      identities: [],
      accountUrl: account.url,
      thumbprint: account.thumbprint,
      accountHashPrefix: prefix,
    });
    const kept = [
      at('a.example.com', persistentValue('ca.example', 'https://ca.example/acct/2', false)),
      at('a.example.com', `ca.example; accounturi=${account.url}; persistUntil=4102444800`),
      at('b.example.com', ours('b.example.com')),
    ];
    const goes = [
      at('a.example.com', ours('a.example.com')),
      at('a.example.com', persistentValue('ca.example', account.url, true)),
    ];
    for (const value of [...kept, ...goes]) harness.records.values.add(value);
    await retire(harness);
    await harness.run();
    expect([...harness.records.values].toSorted()).toEqual(kept.toSorted());
  });
});

describe('a sender’s wish', () => {
  const unregister = (harness: Harness, change: CertificateState = {}) =>
    harness.store.record('customer', { unregister: harness.clock.now(), ...change });

  it('counts for what the webhook registered', async () => {
    const harness = await open(customer);
    await unregister(harness);
    await doParts(harness);
    expect(await lineOf(harness)).toMatchObject({ outcome: 'retired' });
  });

  it('does not count for what another source asked for, whatever the tags say, and that is renewed', async () => {
    const harness = await open({ ...customer, source: 'import' });
    await unregister(harness, { source: 'registration' });
    harness.clock.pass(70 * dayMs);
    const { report } = await harness.run({ certificates: ['customer'] });
    expect(report.certificates).toMatchObject([{ name: 'customer', outcome: 'issued' }]);
    expect(harness.store.deleted.size).toBe(0);
    expect(messages(harness, 'retirement refused')[0]).toMatchObject({ level: 'error' });
  });
});

describe('a certificate that no object asks for any more', () => {
  const discovered: StoredSpec = { ...customer, source: 'discovery' };
  const give = (harness: Harness, change: CertificateState = {}) => {
    const [at, since] = [harness.clock.now(), new Date(harness.clock.now().getTime() - 7 * dayMs)];
    return harness.store.record('customer', { gone: { kind: 'retire', at, since }, ...change });
  };

  it('is let go once discover has decided that', async () => {
    const harness = await open(discovered);
    await give(harness);
    await doParts(harness);
    expect(await lineOf(harness)).toMatchObject({ outcome: 'retired' });
    expect(messages(harness, 'certificate retired')[0]?.fields).toMatchObject({ reason: 'discovery' });
  });

  it('stays if the webhook registered it, whatever the tags say', async () => {
    const harness = await open(customer);
    await give(harness, { source: 'discovery' });
    await doParts(harness);
    await harness.run();
    expect(harness.store.deleted.size).toBe(0);
    expect(messages(harness, 'retirement refused')[0]).toMatchObject({ level: 'error' });
  });
});

it('a certificate that is retired again after it was restored gets an event of its own, a repeated step none', async () => {
  const harness = await open(customer);
  const bus = new FakeEventBus();
  harness.putEvents = bus.put;
  await retire(harness);
  await doParts(harness);
  harness.store.failures.next('scheduleDeletion', new StoreError('Throttled', 'slowly'));
  await harness.run();
  harness.clock.pass(60_000);
  await harness.run();
  await harness.store.restore('customer');
  await retire(harness);
  await harness.run();
  expect(bus.types()).toEqual(Array.from({ length: 3 }, () => 'Certificate Retired'));
  const [first, repeated, second] = bus.events.map(({ id }) => id);
  expect([repeated === first, second === first]).toEqual([true, false]);
});

describe('what stays:', () => {
  it('a certificate of the inventory file, whatever its tags say', async () => {
    const harness = await open(customer);
    await retire(harness);
    await doParts(harness);
    harness.exchange({ ...specOf('customer', ['a.example.com']), targets: [edge] });
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ name: 'customer', decision: 'keep' }]);
    expect(harness.store.deleted.size).toBe(0);
  });

  it('one that is restored while a list still shows that it is let go', async () => {
    const harness = await open(customer);
    await retire(harness);
    await doParts(harness);
    const list = await harness.store.list();
    await harness.store.record('customer', { retire: { kind: 'restored', at: harness.clock.now() } });
    harness.store.list = async () => list;
    expect(await lineOf(harness)).toMatchObject({ outcome: 'kept' });
    expect(harness.store.deleted.size).toBe(0);
  });

  it('one that is restored while its parts are done', async () => {
    const harness = await open(customer);
    const { store } = harness;
    harness.clock.pass(dayMs);
    await store.record('customer', { unregister: harness.clock.now() });
    await doParts(harness);
    const record = store.record.bind(store);
    store.record = async (name, change) => {
      await record(name, change);
      const at = harness.clock.now();
      if (change.signatures) await record(name, { retire: { kind: 'restored', at } });
    };
    expect(await lineOf(harness)).toMatchObject({ outcome: 'kept' });
    expect(store.deleted.has('customer')).toBe(false);
  });

  it('one that another function orders in its own name', async () => {
    const harness = await open(customer);
    await retire(harness);
    await doParts(harness);
    const ports = harness.ports();
    harness.ports = () => ({ ...ports, retirements: undefined });
    const line = await lineOf(harness);
    expect(line).toMatchObject({ decision: 'wait', reason: 'Retiring' });
    expect(line, 'nothing is tried').not.toHaveProperty('outcome');
    expect(harness.store.deleted.size).toBe(0);
  });
});

it('a restored certificate is ordered anew, with a new key, before an agent is told to deliver anything', async () => {
  const harness = await open({ ...customer, rotateKey: 'never' });
  const before = await harness.current('customer');
  const { version } = harness.state('customer');
  await retire(harness);
  await doParts(harness);
  await harness.run();
  await harness.store.restore('customer');
  const restored = { kind: 'restored', at: harness.clock.now(), version } as const;
  await harness.store.record('customer', { retire: restored });

  harness.ca.failures.next('newOrder', new AcmeError('Unreachable', 'no answer'));
  await harness.run();
  expect(isWithdrawn(harness.state('customer').signatures?.edge), 'not signed before').toBe(true);
  harness.clock.pass(3_600_000);
  expect(await lineOf(harness)).toMatchObject({ reason: 'Restored', outcome: 'issued' });
  const after = await harness.current('customer');
  expect(after?.key).not.toBe(before?.key);
  expect(readStatement(harness.state('customer').signatures?.edge)?.version).toBe(
    harness.state('customer').version,
  );
  expect(isWithdrawn(harness.state('customer').signatures?.edge)).toBe(false);
});

it('the first failed order of a restored certificate begins when it fails, not when a revocation failed', async () => {
  const harness = await open(customer);
  await retire(harness, true);
  harness.ca.failures.next('revoke', new AcmeError('Unreachable', 'no answer'));
  await harness.run();
  expect(harness.state('customer').problem).toMatchObject({ code: 'RevocationFailed' });
  harness.clock.pass(2 * dayMs);
  const { version } = harness.state('customer');
  await harness.store.record('customer', {
    retire: { kind: 'restored', at: harness.clock.now(), version },
  });
  harness.ca.failures.next('newOrder', new AcmeError('Unreachable', 'no answer'));
  await harness.run();
  const since = harness.clock.now();
  expect(harness.state('customer').problem).toMatchObject({ code: 'Unreachable', since });
  harness.clock.pass(3_600_000);
  await harness.run();
  expect(harness.state('customer').problem, 'issued').toBeUndefined();
});

it('a name of the inventory whose AWS secret is scheduled for deletion is not ordered, and the report says how to restore it', async () => {
  const harness = await open(customer);
  await retire(harness);
  await doParts(harness);
  await harness.run();
  harness.exchange(specOf('customer', ['a.example.com']));
  const { failures } = await harness.run();
  expect(failures).toMatchObject([
    {
      message: expect.stringMatching(/scheduled for deletion.*npx certrelay restore customer/),
    },
  ]);
});

it('a certificate whose end the bus does not take stays until the bus has it, and half a day longer than for others at most', async () => {
  const harness = await open(customer);
  const bus = new FakeEventBus();
  harness.putEvents = bus.put;
  bus.isClosed = true;
  await retire(harness);
  await doParts(harness);
  expect(await lineOf(harness)).toMatchObject({
    outcome: 'waiting',
    message: expect.stringMatching(/retired by a person: waits for the event bus/),
  });
  harness.clock.pass(mostPartsMs + 11 * 3_600_000);
  expect(await lineOf(harness)).toMatchObject({ outcome: 'waiting' });
  expect(harness.store.deleted.size).toBe(0);
  bus.isClosed = false;
  expect(await lineOf(harness)).toMatchObject({ outcome: 'retired' });
  expect(bus.types()).toEqual(['Certificate Retired']);
  expect(messages(harness, 'retirement part given up')).toEqual([]);
});

it('a bus that stays closed is given up by name, and the AWS secret goes all the same', async () => {
  const harness = await open(customer);
  const bus = new FakeEventBus();
  harness.putEvents = bus.put;
  bus.isClosed = true;
  await retire(harness);
  await doParts(harness);
  harness.clock.pass(mostPartsMs + 12 * 3_600_000);
  expect(await lineOf(harness)).toMatchObject({ outcome: 'retired' });
  expect(messages(harness, 'retirement part given up')).toMatchObject([
    { level: 'error', fields: { problem: expect.stringContaining('Certificate Retired') } },
  ]);
});
