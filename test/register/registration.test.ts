// What becomes of an authenticated request to keep a certificate, and what a crash in the middle of it
// leaves.
import { beforeEach, describe, expect, it } from 'vitest';
import { type Inventory, isSecretTarget } from '../../lib/certificate/spec.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { EventError, type PutEvents } from '../../lib/ports/events.ts';
import type { Register } from '../../lib/ports/registration.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { createRegister } from '../../lib/register/registration.ts';
import { realClock } from '../fakes/clock.ts';
import { FakeEventBus } from '../fakes/event-bus.ts';
import { Failures } from '../fakes/failures.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';

const inventoryText = `
issuers:
  default: { directory: letsencrypt-staging, agreeToTerms: true }
clusters:
  lab: { kubeconfig: { secret: certrelay/clusters/lab } }
certificates:
  - { name: shop, domains: [shop.example.com] }
registration:
  zones: [customers.example.com]
  issuer: default
  targets: [{ cluster: lab, namespace: edge, secret: "{name}-tls" }]
`;
const request = { domains: ['a.customers.example.com', '*.a.customers.example.com'], name: 'customer-a' };
const signal = new AbortController().signal;

let store: FakeStore;
let log: FakeLog;
let sent: { readonly certificates: readonly string[]; readonly id: string }[];
let queueFailures: Failures;
let register: Register;

beforeEach(() => {
  store = new FakeStore();
  log = new FakeLog();
  sent = [];
  queueFailures = new Failures();
  register = createRegister({
    inventory: parse(inventoryText),
    store,
    retirements: store,
    queue: { send },
    clock: realClock,
    log,
  });
});

async function send(certificates: readonly string[], id: string): Promise<void> {
  queueFailures.check('send');
  sent.push({ certificates, id });
}

const writes = () => store.calls.filter((call) => !/^(list|describe|read) /.test(call));

describe('a new request', () => {
  it('stores the specification with where it comes from, and then tells issue', async () => {
    expect(await register(request, 'msg_1', signal)).toEqual({
      kind: 'accepted',
      name: 'customer-a',
      domains: request.domains,
    });
    expect(writes()).toEqual(['create customer-a']);
    expect(sent).toEqual([{ certificates: ['customer-a'], id: 'msg_1' }]);
    expect((await store.read('customer-a', 'AWSCURRENT'))?.value).toMatchObject({
      kind: 'specification',
      spec: {
        source: 'registration',
        issuer: 'default',
        domains: request.domains,
        targets: [{ cluster: 'lab', namespace: 'edge', secret: 'customer-a-tls' }],
      },
    });
    expect((await store.describe('customer-a'))?.state).toMatchObject({ source: 'registration' });
  });

  it('reads no value, which might hold a private key, however often it is sent', async () => {
    for (const id of ['msg_1', 'msg_2']) await register(request, id, signal);
    await issue();
    await register(request, 'msg_3', signal);
    await register({ ...request, domains: ['other.customers.example.com'] }, 'msg_4', signal);
    expect(store.count('read')).toBe(0);
  });

  it('gets a name of its own where it brings none, the same every time', async () => {
    const nameless = { domains: request.domains };
    const first = await register(nameless, 'msg_1', signal);
    expect(first.kind).toBe('accepted');
    expect(await register(nameless, 'msg_2', signal)).toMatchObject({
      kind: 'known',
      name: first.kind === 'accepted' && first.name,
    });
  });

  it.each<[string, object, readonly string[]]>([
    [
      'Y06 outside the allowed zones',
      { domains: ['b.customers.example.com', 'example.com', 'customers.example.com.evil.example'] },
      ['domains[1]', 'domains[2]'],
    ],
    [
      'with a name that is none and a field nobody knows',
      { domains: ['not a name'], colour: 'red' },
      ['colour', 'domains[0]'],
    ],
  ])('is refused %s, with each mistake and its place, before any call', async (_, body, paths) => {
    const refused = await register(body, 'msg_1', signal);
    expect(refused.kind === 'refused' && refused.problems.map(({ path }) => path).toSorted(byText)).toEqual(
      paths,
    );
    expect(store.calls).toEqual([]);
    expect(sent).toEqual([]);
  });

  it.each([null, 'domains', [], 7, {}])('is refused where it is %j', async (body) => {
    expect(await register(body, 'msg_1', signal)).toMatchObject({ kind: 'refused' });
    expect(store.calls).toEqual([]);
  });

  it('is turned away before any call where the inventory has no registration', async () => {
    const inventory = { ...parse(inventoryText), registration: undefined };
    const closed = createRegister({
      inventory,
      store,
      retirements: store,
      queue: { send },
      clock: realClock,
      log,
    });
    expect(await closed(request, 'msg_1', signal)).toEqual({ kind: 'closed' });
    expect(store.calls).toEqual([]);
  });
});

describe('Y07 the same request again', () => {
  beforeEach(async () => {
    await register(request, 'msg_1', signal);
    store.calls.length = 0;
  });

  it('changes nothing, and reminds issue as long as there is no certificate', async () => {
    const again = { ...request, domains: request.domains.toReversed() };
    expect(await register(again, 'msg_2', signal)).toMatchObject({ kind: 'known', issued: false });
    expect(writes()).toEqual([]);
    expect(sent.map(({ id }) => id)).toEqual(['msg_1', 'msg_2']);
  });

  it('changes nothing and sends nothing once there is a certificate', async () => {
    await issue();
    expect(await register(request, 'msg_2', signal)).toMatchObject({ kind: 'known', issued: true });
    expect(writes()).toEqual([]);
    expect(sent).toHaveLength(1);
  });

  it('is known with the targets that it got from the inventory, in any order', async () => {
    const { targets } = parse(inventoryText).registration ?? {};
    const asked = targets?.filter(isSecretTarget).map(({ cluster, namespace }) => ({
      cluster,
      namespace,
      secret: 'customer-a-tls',
    }));
    expect(await register({ ...request, targets: asked }, 'msg_2', signal)).toMatchObject({ kind: 'known' });
    const two = ['b', 'c'].map((secret) => ({ cluster: 'lab', namespace: 'edge', secret }));
    const named = { ...request, name: 'customer-b', targets: two };
    expect(await register(named, 'msg_3', signal)).toMatchObject({ kind: 'accepted' });
    const turned = { ...named, targets: two.toReversed() };
    expect(await register(turned, 'msg_4', signal)).toMatchObject({ kind: 'known' });
  });

  it('is known although the targets of the inventory have changed since', async () => {
    const moved = parse(inventoryText.replace('namespace: edge', 'namespace: front'));
    const later = createRegister({
      inventory: moved,
      store,
      retirements: store,
      queue: { send },
      clock: realClock,
      log,
    });
    expect(await later(request, 'msg_2', signal)).toMatchObject({ kind: 'known' });
  });
});

describe('a name that is taken', () => {
  it.each<[string, object]>([
    ['by the inventory file', { ...request, name: 'shop' }],
    ['by a registration for other domains', { ...request, domains: ['a.customers.example.com'] }],
    [
      'by a registration with other targets',
      { ...request, targets: [{ cluster: 'lab', namespace: 'edge', secret: 'other-tls' }] },
    ],
    ['by a certificate that was not registered', { ...request, name: 'former' }],
  ])('%s is refused and nothing is written', async (_, body) => {
    await register(request, 'msg_1', signal);
    await store.create('former', undefined);
    store.calls.length = 0;
    const name = 'name' in body ? body.name : '';
    expect(await register(body, 'msg_2', signal)).toMatchObject({
      kind: 'taken',
      message: expect.stringContaining(`"${String(name)}"`),
    });
    expect(writes()).toEqual([]);
    expect(sent).toHaveLength(1);
  });
});

describe('a domain that is taken', () => {
  const discovering = `${inventoryText}discovery: { places: [lab/shop], zones: [b.customers.example.com] }\n`;
  const other = `${inventoryText}  # not asked by anybody else\n`;

  it.each([
    ['of the inventory file', 'own.customers.example.com'],
    ['of the inventory file, below a wildcard', '*.customers.example.com'],
  ])('is refused without a word of whose it is, which the log tells: %s', async (_, domain) => {
    const file = inventoryText.replace('[shop.example.com]', '[shop.example.com, own.customers.example.com]');
    const asking = createRegister({
      inventory: parse(file),
      store,
      retirements: store,
      queue: { send },
      clock: realClock,
      log,
    });
    const answer = await asking({ domains: [domain], name: 'x' }, 'msg_1', signal);
    expect(answer).toMatchObject({
      kind: 'taken',
      message: `taken: ${domain}; request a certificate without them`,
    });
    expect(store.calls).toEqual(['describe x']);
    expect(JSON.stringify(log.lines)).toContain('belongs to certificate shop of the inventory file');
  });

  it.each([
    ['never where no other source could ask for one', other, ['a.customers.example.com'], 0],
    ['once where a place could', discovering, ['x.b.customers.example.com'], 1],
    [
      'once where a place could ask for what a wildcard stands for',
      discovering,
      ['*.customers.example.com'],
      1,
    ],
  ])('is looked for among the certificates of others: %s', async (_, text, domains, count) => {
    const asking = createRegister({
      inventory: parse(text),
      store,
      retirements: store,
      queue: { send },
      clock: realClock,
      log,
    });
    expect(await asking({ domains, name: 'x' }, 'msg_1', signal)).toMatchObject({ kind: 'accepted' });
    expect(await asking({ domains, name: 'x' }, 'msg_2', signal)).toMatchObject({ kind: 'known' });
    expect(store.count('list')).toBe(count);
  });
});

describe('a failure on the way', () => {
  const failure = new StoreError('Throttled', 'AWS throttled it');

  it('before issue is told is reported, and the same request again tells it', async () => {
    queueFailures.next('send', failure);
    await expect(register(request, 'msg_1', signal)).rejects.toBe(failure);
    expect(sent).toEqual([]);
    expect(await register(request, 'msg_1', signal)).toMatchObject({ kind: 'known', issued: false });
    expect(sent).toEqual([{ certificates: ['customer-a'], id: 'msg_1' }]);
    expect(store.calls.filter((call) => call.startsWith('create'))).toHaveLength(1);
  });

  it('of two requests at once one is accepted and the other known', async () => {
    const both = await Promise.all(['msg_1', 'msg_2'].map((id) => register(request, id, signal)));
    expect(both.map(({ kind }) => kind).toSorted(byText)).toEqual(['accepted', 'known']);
  });
});

/** What issuing leaves that registering can see. */
async function issue(): Promise<void> {
  await store.record('customer-a', { version: 'v-issued' });
  store.calls.length = 0;
}

function parse(text: string): Inventory {
  const parsed = parseInventory(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}

describe('events', () => {
  const bus = new FakeEventBus();
  const tellingRegister = (putEvents: PutEvents = bus.put) =>
    createRegister({
      inventory: parse(inventoryText),
      store,
      retirements: store,
      queue: { send },
      clock: realClock,
      putEvents,
      log,
    });
  beforeEach(() => {
    bus.events.length = 0;
    bus.isClosed = false;
  });

  it('tell of a registration once its specification is stored, and of nothing that is refused', async () => {
    const own = tellingRegister();
    await own({ domains: ['shop.example.com'], name: 'shop' }, 'msg_0', signal);
    expect(bus.events).toEqual([]);
    await own(request, 'msg_1', signal);
    expect(bus.events).toMatchObject([
      {
        type: 'Certificate Registered',
        arn: store.arnOf('customer-a'),
        certificate: 'customer-a',
        domains: request.domains,
        version: null,
        notAfter: null,
        message: expect.stringContaining('was registered by webhook for a.customers.example.com'),
      },
    ]);
  });

  it('come again with the same id for a request that is repeated after a crash, until issue has noted something', async () => {
    const own = tellingRegister();
    queueFailures.next('send', new Error('killed'));
    await expect(own(request, 'msg_1', signal)).rejects.toThrow('killed');
    await own(request, 'msg_2', signal);
    expect(bus.types()).toEqual(['Certificate Registered', 'Certificate Registered']);
    expect(new Set(bus.events.map(({ id }) => id)).size).toBe(1);
    await store.record('customer-a', {
      problem: { since: new Date(), code: 'PreflightFailed', words: 'no DNS' },
    });
    await own(request, 'msg_3', signal);
    expect(bus.events).toHaveLength(2);
  });

  it('that fail do not fail the registration', async () => {
    bus.isClosed = true;
    expect(await tellingRegister()(request, 'msg_1', signal)).toMatchObject({ kind: 'accepted' });
    expect(sent).toHaveLength(1);
    expect(log.events()).toContain('event not put');
    const { owedEvents } = store.kept.get('customer-a')?.state ?? {};
    expect(owedEvents, '`issue` puts it').toMatchObject([{ kind: 'registered' }]);
  });

  it('that fail are owed once, beside what another function owes meanwhile', async () => {
    const at = new Date('2026-11-22T10:00:00Z');
    const issued = { kind: 'issued', at, version: 'v1', notAfter: at } as const;
    const own = tellingRegister(async (announcements) => {
      const { owedEvents = [] } = store.kept.get('customer-a')?.state ?? {};
      if (owedEvents.length > 0) await store.record('customer-a', { owedEvents: [...owedEvents, issued] });
      return announcements.map(() => new EventError('EventFailed', 'the bus is closed'));
    });
    await own(request, 'msg_1', signal);
    await own(request, 'msg_2', signal);
    const { owedEvents } = store.kept.get('customer-a')?.state ?? {};
    expect(owedEvents).toMatchObject([issued, { kind: 'registered' }]);
  });
});
