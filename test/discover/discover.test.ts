// What objects in clusters ask for, from the objects to what is registered, reported and printed.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { discoverCertificates } from '../../lib/discover/discover.ts';
import { parseInventory, serializeCertificates } from '../../lib/inventory/inventory.ts';
import type { TlsObject, TlsObjectKind } from '../../lib/policy/kubernetes/tls-objects.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { createRegister, createRegisterSpec } from '../../lib/register/registration.ts';
import { realClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';

const head = `
issuers:
  default: { directory: letsencrypt-staging, agreeToTerms: true }
clusters:
  lab: { kubeconfig: { secret: certrelay/clusters/lab } }
  prod: { kubeconfig: { secret: certrelay/clusters/prod } }
`;
const inventoryText = `${head}
certificates:
  - { name: kept, domains: [kept.example.com], targets: [{ cluster: lab, namespace: shop, secret: kept-tls }] }
discovery:
  places: [lab/shop, prod/shop]
  zones: [example.com]
`;
const asking = { 'certrelay.dev/tls': 'true' };
const signal = new AbortController().signal;

let store: FakeStore;
let log: FakeLog;
let sent: string[];
/** Objects by `cluster/namespace`; a cluster without an entry cannot be reached. */
let clusters: Record<string, readonly TlsObject[]>;
/** Kinds that may not be listed: `ListenerSet in lab/shop`. */
let forbidden: readonly string[];
/** Places that were looked into. */
let seen: string[];

beforeEach(() => {
  [store, log, sent, seen] = [new FakeStore(), new FakeLog(), [], []];
  clusters = { 'lab/shop': [], 'prod/shop': [] };
  forbidden = [];
});

function discover(text = inventoryText, change: { readonly dryRun?: boolean } = {}) {
  const inventory = read(text);
  const queue = { send: async (names: readonly string[]) => void sent.push(...names) };
  const connect = async (cluster: string) => ({
    listTlsObjects: async (namespace: string, kinds: readonly TlsObjectKind[]) => {
      const place = `${cluster}/${namespace}`;
      if (!seen.includes(place)) seen.push(place);
      const found = clusters[place];
      if (!found) throw new ClusterError('Unreachable', `no answer of ${cluster}`);
      const missing = kinds.find((kind) => forbidden.includes(`${kind} in ${place}`));
      if (missing) throw new ClusterError('Forbidden', `no right to list ${missing}`);
      return found.filter(({ kind }) => kinds.includes(kind));
    },
    close: async () => undefined,
  });
  const register = createRegisterSpec({ inventory, store, retirements: store, queue, clock: realClock, log });
  return discoverCertificates(
    { connect, register, store, clock: realClock, log },
    { id: 'r1', inventory, signal, ...change },
  );
}

function read(text: string): Inventory {
  const parsed = parseInventory(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory;
}

function ingress(change: Partial<TlsObject> = {}): TlsObject {
  const tls = [{ hosts: ['shop.example.com'], secret: 'shop-tls' }];
  return { kind: 'Ingress', namespace: 'shop', name: 'web', annotations: asking, tls, ...change };
}

const writes = () => store.calls.filter((call) => !/^(list|describe|read) /.test(call));

describe('an Ingress that asks', () => {
  it('K25 has one certificate registered for each element of spec.tls, ordered, and found again as known', async () => {
    const tls = [
      { hosts: ['shop.example.com', '*.shop.example.com'], secret: 'shop-tls' },
      { hosts: ['blog.example.com'], secret: 'blog-tls' },
    ];
    clusters['lab/shop'] = [ingress({ tls })];
    const { certificates, failures } = await discover();
    expect(failures).toEqual([]);
    expect(certificates).toMatchObject([
      {
        outcome: 'registered',
        target: 'lab/shop/shop-tls',
        domains: tls[0]?.hosts,
        objects: ['Ingress shop/web in cluster lab'],
      },
      { outcome: 'registered', target: 'lab/shop/blog-tls' },
    ]);
    const [name = ''] = certificates.map((one) => one.name);
    expect((await store.read(name, 'AWSCURRENT'))?.value).toMatchObject({
      kind: 'specification',
      spec: {
        source: 'discovery',
        domains: tls[0]?.hosts,
        targets: [{ cluster: 'lab', namespace: 'shop', secret: 'shop-tls', restart: 'none', adopt: false }],
      },
    });
    expect(sent.toSorted()).toEqual(certificates.map((one) => one.name).toSorted());

    await store.record(name, { version: 'issued' });
    store.calls.length = 0;
    const again = await discover();
    expect(again.certificates).toMatchObject([
      { name, outcome: 'known', message: 'it was found before and is kept' },
      { outcome: 'known', message: 'it was found before and is being ordered' },
    ]);
    expect(writes()).toEqual([]);
    expect(store.count('read')).toBe(0);
  });

  it('with other names than before is refused by name, for a value with a private key would have to be changed', async () => {
    clusters['lab/shop'] = [ingress()];
    await discover();
    const tls = [{ hosts: ['new.example.com'], secret: 'shop-tls' }];
    clusters['lab/shop'] = [ingress({ tls })];
    expect((await discover()).certificates).toMatchObject([
      { outcome: 'refused', message: expect.stringContaining('write it into the inventory file') },
    ]);
  });

  it.each<[string, TlsObject['tls'][number], string]>([
    [
      'outside the zones',
      { hosts: ['shop.example.org'], secret: 'a' },
      'shop.example.org is not in the allowed zones: example.com',
    ],
    ['that are no names', { hosts: ['shop_1.example.com'], secret: 'a' }, 'has an underscore'],
    [
      'of which a wildcard covers another',
      { hosts: ['*.example.com', 'a.example.com'], secret: 'a' },
      'covers it',
    ],
    [
      'for a Secret of the inventory',
      { hosts: ['shop.example.com'], secret: 'kept-tls' },
      'Secret shop/kept-tls in cluster lab is written by certificate kept',
    ],
  ])('C07 for names %s is refused as a registration would be', async (_, use, message) => {
    clusters['lab/shop'] = [ingress({ tls: [use] }), ingress({ name: 'good' })];
    const { certificates, failures } = await discover();
    expect(certificates).toMatchObject([
      { outcome: 'refused', message: expect.stringContaining(message) },
      { outcome: 'registered' },
    ]);
    expect(failures).toEqual([]);
    expect(log.events()).toContain('discovered object refused');
  });
});

describe('a name that somebody else has', () => {
  const asksFor = (...hosts: readonly string[]) => [ingress({ tls: [{ hosts, secret: 'shop-tls' }] })];
  const webhook = `${inventoryText}registration: { zones: [example.com] }\n`;

  it.each<[string, string, string]>([
    [
      'the inventory file',
      'kept.example.com',
      'kept.example.com belongs to certificate kept of the inventory file',
    ],
    [
      'the inventory file, under a wildcard',
      '*.example.com',
      '*.example.com covers kept.example.com, which belongs to certificate kept of the inventory file',
    ],
  ])('is refused: %s', async (_, host, message) => {
    clusters['lab/shop'] = asksFor('a.b.example.com', host);
    for (const dryRun of [true, false]) {
      expect((await discover(inventoryText, { dryRun })).certificates).toMatchObject([
        { outcome: 'refused', message: expect.stringContaining(message) },
      ]);
    }
    expect(writes()).toEqual([]);
  });

  it('goes to the place that asked first, and the report of the other names it', async () => {
    clusters['prod/shop'] = asksFor('shop.example.com');
    const [first] = (await discover()).certificates;
    clusters['lab/shop'] = asksFor('b.example.com', 'shop.example.com');
    expect((await discover()).certificates).toMatchObject([
      {
        target: 'lab/shop/shop-tls',
        outcome: 'refused',
        message: `shop.example.com belongs to certificate ${first?.name} of prod/shop; request other names`,
      },
      { target: 'prod/shop/shop-tls', outcome: 'known' },
    ]);
    expect(log.events()).toContain('discovered object refused');
  });

  it('goes to one of two places that ask in one run', async () => {
    clusters = { 'lab/shop': asksFor('shop.example.com'), 'prod/shop': asksFor('shop.example.com') };
    const { certificates } = await discover();
    expect(certificates.map(({ outcome }) => outcome).toSorted()).toEqual(['refused', 'registered']);
    expect(sent).toHaveLength(1);
  });

  it('and was registered by the webhook is refused, and the webhook is refused what a place has', async () => {
    const byWebhook = createRegister({
      clock: realClock,
      inventory: read(webhook),
      store,
      retirements: store,
      queue: { send: async (names) => void sent.push(...names) },
      log,
    });
    await byWebhook({ domains: ['sender.example.com'], name: 'sent' }, 'msg_1', signal);
    clusters['lab/shop'] = asksFor('sender.example.com');
    clusters['prod/shop'] = asksFor('shop.example.com');
    expect((await discover(webhook)).certificates).toMatchObject([
      { outcome: 'refused', message: expect.stringContaining('belongs to certificate sent of the webhook') },
      { outcome: 'registered' },
    ]);
    const wanted = { domains: ['free.example.com', 'shop.example.com', 'kept.example.com'] };
    expect(await byWebhook(wanted, 'msg_2', signal)).toEqual({
      kind: 'taken',
      name: 'free-example-com',
      message: 'taken: shop.example.com, kept.example.com; request a certificate without them',
      owner: expect.stringMatching(
        /belongs to certificate prod-shop-.* of prod\/shop; .* of the inventory file$/,
      ),
    });
    expect(log.lines.at(-1)).toMatchObject({
      level: 'warn',
      event: 'registration refused',
      fields: { request: 'msg_2', problem: expect.stringContaining('of prod/shop') },
    });
  });

  it('may be asked for twice by one place, and below a wildcard of others', async () => {
    const places = inventoryText.replace('zones: [example.com]', 'zones: [example.com, example.org]');
    const twice = ['a-tls', 'b-tls'].map((secret) => ({ hosts: ['shop.example.org'], secret }));
    clusters['lab/shop'] = [ingress({ tls: [...twice, { hosts: ['*.example.org'], secret: 'c-tls' }] })];
    clusters['prod/shop'] = asksFor('below.example.org');
    expect((await discover(places)).certificates.map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: 4 }, () => 'registered'),
    );
  });

  it('stays with what was stored before, also in an installation of yesterday whose tags do not tell the place', async () => {
    clusters['prod/shop'] = asksFor('shop.example.com');
    const [{ name } = { name: '' }] = (await discover()).certificates;
    const kept = store.kept.get(name);
    if (kept) {
      const { place: _, ...yesterday } = kept.state;
      kept.state = yesterday;
    }
    clusters['lab/shop'] = asksFor('shop.example.com');
    expect((await discover()).certificates).toMatchObject([
      { outcome: 'refused', message: expect.stringContaining('of prod/shop') },
      { outcome: 'known' },
    ]);
  });

  it('is free again where today’s inventory does not let its holder ask for it', async () => {
    clusters['prod/shop'] = asksFor('shop.example.com');
    await discover();
    clusters = { 'lab/shop': asksFor('shop.example.com'), 'prod/shop': [] };
    const moved = inventoryText.replace('prod/shop]', '{ place: prod/shop, zones: [example.org] }]');
    expect((await discover(moved)).certificates).toMatchObject([{ outcome: 'registered' }]);
  });
});

describe('K27 two objects that ask for one Secret', () => {
  it('share its certificate where they ask for the same names', async () => {
    const tls = [{ hosts: ['b.example.com', 'a.example.com'], secret: 'shop-tls' }];
    const turned = [{ hosts: ['a.example.com', 'b.example.com'], secret: 'shop-tls' }];
    clusters['lab/shop'] = [ingress({ tls }), ingress({ name: 'api', tls: turned })];
    expect((await discover()).certificates).toMatchObject([
      {
        outcome: 'registered',
        objects: ['Ingress shop/web in cluster lab', 'Ingress shop/api in cluster lab'],
      },
    ]);
  });

  it('are both refused by name where they ask for others', async () => {
    const tls = [{ hosts: ['api.example.com'], secret: 'shop-tls' }];
    clusters['lab/shop'] = [ingress(), ingress({ name: 'api', tls })];
    expect((await discover()).certificates).toMatchObject([
      {
        outcome: 'refused',
        message: expect.stringMatching(
          /Ingress shop\/web .* for shop\.example\.com, and by Ingress shop\/api/,
        ),
      },
    ]);
    expect(writes()).toEqual([]);
  });
});

describe('a dry run', () => {
  it('C09 changes nothing and prints YAML that an inventory takes as it stands', async () => {
    clusters['lab/shop'] = [ingress(), ingress({ name: 'bad', tls: [{ hosts: ['x.org'], secret: 'x' }] })];
    const { certificates, specs } = await discover(inventoryText, { dryRun: true });
    expect(certificates).toMatchObject([{ outcome: 'planned' }, { outcome: 'refused' }]);
    expect(writes()).toEqual([]);
    const [planned] = read(head + serializeCertificates(specs)).certificates;
    expect({ ...planned, source: 'discovery' }).toEqual(specs[0]);
    expect(specs).toHaveLength(1);
  });
});

describe('a cluster that cannot be read', () => {
  it('is a failure, and keeps neither the others from it nor anything from being asked for', async () => {
    clusters['prod/shop'] = [ingress()];
    await discover();
    clusters = { 'lab/shop': [ingress({ tls: [{ hosts: ['lab.example.com'], secret: 'shop-tls' }] })] };
    const { certificates, failures, noLongerAsked } = await discover();
    expect(certificates).toMatchObject([{ target: 'lab/shop/shop-tls', outcome: 'registered' }]);
    expect(failures).toMatchObject([{ code: 'Unreachable' }]);
    expect(noLongerAsked).toEqual([]);
  });
});

describe('ListenerSets', () => {
  const listenerSet: TlsObject = {
    ...ingress({ kind: 'ListenerSet', name: 'more' }),
    parent: { namespace: 'shop', name: 'front' },
  };
  const gateway: TlsObject = ingress({
    kind: 'Gateway',
    name: 'front',
    className: 'cilium',
    annotations: {},
  });
  const withClasses = `${inventoryText}  classes: [cilium]\n`;

  it('ask as Gateways do, and are of the class of their Gateway', async () => {
    clusters['lab/shop'] = [gateway, listenerSet];
    const objects = ['ListenerSet shop/more in cluster lab'];
    expect((await discover(withClasses)).certificates).toMatchObject([{ outcome: 'registered', objects }]);
    clusters = { 'lab/shop': [{ ...gateway, className: 'nginx' }, listenerSet], 'prod/shop': [listenerSet] };
    const { certificates, passedOver } = await discover(withClasses);
    expect(certificates).toEqual([]);
    expect(passedOver.map(({ message }) => message)).toEqual([
      "its class is nginx, and the inventory's classes are cilium",
      expect.stringMatching(
        /^its class is that of its Gateway shop\/front, which is not in the inventory's places: /,
      ),
    ]);
  });

  it('that may not be listed are said, are no failure, and let nothing count as no longer asked for there', async () => {
    clusters['lab/shop'] = [listenerSet];
    clusters['prod/shop'] = [ingress({ tls: [{ hosts: ['prod.example.com'], secret: 'shop-tls' }] })];
    const [, prod] = (await discover()).certificates;
    clusters = { 'lab/shop': [ingress({ name: 'blog', tls: blog })], 'prod/shop': [] };
    forbidden = ['ListenerSet in lab/shop'];
    const { certificates, failures, passedOver, noLongerAsked } = await discover();
    expect(certificates).toMatchObject([{ outcome: 'registered', domains: ['blog.example.com'] }]);
    expect(failures).toEqual([]);
    expect(passedOver).toEqual([
      {
        object: 'ListenerSets in namespace shop of cluster lab',
        message: expect.stringContaining('no right to list ListenerSet'),
      },
    ]);
    expect(noLongerAsked).toEqual([prod?.name]);
    expect(log.lines).toContainEqual({
      level: 'warn',
      event: 'kind not discovered',
      fields: {
        kind: 'ListenerSet',
        place: 'namespace shop of cluster lab',
        problem: expect.stringContaining('no right to list ListenerSet'),
      },
    });
  });

  it('another kind that may not be listed is a failure, and hides no other kind', async () => {
    clusters['lab/shop'] = [ingress({ name: 'blog', tls: blog }), listenerSet];
    forbidden = ['Ingress in lab/shop', 'Service in lab/shop'];
    const { certificates, failures } = await discover();
    expect(certificates).toMatchObject([{ domains: ['shop.example.com'] }]);
    expect(failures).toMatchObject([{ code: 'Forbidden' }, { code: 'Forbidden' }]);
  });

  const blog = [{ hosts: ['blog.example.com'], secret: 'blog-tls' }];
});

it('an object that is gone leaves its certificate, and the report says that nothing asks for it', async () => {
  clusters['lab/shop'] = [ingress()];
  const [{ name } = { name: '' }] = (await discover()).certificates;
  await store.create('by-webhook', { ...(await specOf(name)), name: 'by-webhook', source: 'registration' });
  clusters['lab/shop'] = [];
  expect(await discover()).toMatchObject({ certificates: [], noLongerAsked: [name] });
  expect(store.kept.has(name)).toBe(true);
});

it('K21 the listed namespaces are looked into, and no other', async () => {
  clusters['lab/private'] = [ingress({ namespace: 'private' })];
  expect(await discover()).toMatchObject({ certificates: [] });
  expect(seen.toSorted()).toEqual(['lab/shop', 'prod/shop']);
  const { certificates } = await discover(inventoryText.replace('[lab/shop,', '[lab/shop, lab/private,'));
  expect(certificates).toHaveLength(1);
});

it('an inventory without discovery is told so', async () => {
  await expect(discover(head)).rejects.toMatchObject({ code: 'Inventory' });
});

async function specOf(name: string) {
  const value = (await store.read(name, 'AWSCURRENT'))?.value;
  if (value?.kind !== 'specification' || !value.spec) throw new Error(`${name} has no specification`);
  return value.spec;
}

describe('whoever writes very much into an object', () => {
  const many = (length: number, make = (index: number) => `h${index}.example.com`) =>
    Array.from({ length }, (_, index) => make(index));
  const neighbour = ingress({ name: 'good' });
  const lineBytes = () => Math.max(0, ...log.lines.map((line) => Buffer.byteLength(JSON.stringify(line))));

  it.each<[string, readonly TlsObject[], RegExp]>([
    [
      '30,000 hosts of one Secret',
      [ingress({ name: 'huge', tls: [{ hosts: many(30_000), secret: 'huge-tls' }] })],
      /30000 names for Secret lab\/shop\/huge-tls; the limit for a certificate is 100, so use several Secrets$/,
    ],
    [
      '30,000 Secrets',
      [
        ingress({
          name: 'huge',
          tls: many(30_000, (index) => `s${index}`).map((secret) => ({ hosts: ['a.example.org'], secret })),
        }),
      ],
      /^it names 30000 Secrets, and only the first 100 are read: split it into several objects$/,
    ],
    [
      'a Secret for which 5,000 objects want other names',
      many(5_000, (index) => `web-${index}`).map((name, index) =>
        ingress({ name, tls: [{ hosts: [`h${index}.example.com`], secret: 'huge-tls' }] }),
      ),
      /^Secret lab\/shop\/huge-tls is asked for by .* and 4995 more: give each its own Secret/,
    ],
    [
      'a Secret name and a class of half a megabyte',
      [
        ingress({ name: 'huge', tls: [{ hosts: ['a.example.com'], secret: 's'.repeat(500_000) }] }),
        ingress({ name: 'long', tls: [{ hosts: many(30_000), secret: undefined }] }),
      ],
      /^its Secret has a name of 500000 characters/,
    ],
  ])('(%s) gets a short word, the answer stays short, and the others are served', async (_, objects, problem) => {
    clusters['lab/shop'] = [...objects, neighbour];
    const report = await discover();
    const told = [...report.certificates, ...report.passedOver].map(({ message }) => message);
    expect(told).toEqual(expect.arrayContaining([expect.stringMatching(problem)]));
    expect(report.certificates).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ outcome: 'registered', target: 'lab/shop/shop-tls' }),
      ]),
    );
    expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(150_000);
    expect(lineBytes()).toBeLessThan(20_000);
  });
});
