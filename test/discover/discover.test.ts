// What objects in clusters ask for, from the objects to what is registered, reported and printed.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { discoverCertificates } from '../../lib/discover/discover.ts';
import { ClusterError } from '../../lib/errors.ts';
import { parseInventory, serializeCertificates } from '../../lib/inventory/inventory.ts';
import type { TlsObject } from '../../lib/policy/tls-objects.ts';
import { createRegisterSpec } from '../../lib/register/registration.ts';
import { FakeLog, FakeStore } from '../issue/fakes.ts';

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
/** Places that were looked into. */
let seen: string[];

beforeEach(() => {
  [store, log, sent, seen] = [new FakeStore(), new FakeLog(), [], []];
  clusters = { 'lab/shop': [], 'prod/shop': [] };
});

function discover(text = inventoryText, change: { readonly dryRun?: boolean } = {}) {
  const inventory = read(text);
  const queue = { send: async (names: readonly string[]) => void sent.push(...names) };
  const connect = async (cluster: string) => ({
    listTlsObjects: async (namespace: string) => {
      seen.push(`${cluster}/${namespace}`);
      const found = clusters[`${cluster}/${namespace}`];
      if (!found) throw new ClusterError('Unreachable', `no answer of ${cluster}`);
      return found;
    },
    close: async () => undefined,
  });
  const register = createRegisterSpec({ inventory, store, queue, log });
  return discoverCertificates({ connect, register, store, log }, { id: 'r1', inventory, signal, ...change });
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
      'shop.example.org is not in example.com',
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
    expect(log.events()).toContain('request of a cluster refused');
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
    clusters = { 'lab/shop': [ingress()] };
    const { certificates, failures, noLongerAsked } = await discover();
    expect(certificates).toMatchObject([{ target: 'lab/shop/shop-tls', outcome: 'registered' }]);
    expect(failures).toMatchObject([{ code: 'Unreachable' }]);
    expect(noLongerAsked).toEqual([]);
  });
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
