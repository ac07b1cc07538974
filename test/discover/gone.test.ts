// An object that went: what is counted of its certificate, what counts nothing, and what becomes of it.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Inventory } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { discoverCertificates } from '../../lib/discover/discover.ts';
import { nameOfSecret } from '../../lib/inventory/discovery.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import type { TlsObject, TlsObjectKind } from '../../lib/policy/kubernetes/tls-objects.ts';
import { findRetirement } from '../../lib/policy/retirement/retirement.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { createRegisterSpec } from '../../lib/register/registration.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';

const [hourMs, dayMs] = [3_600_000, 86_400_000];
const written = `
issuers:
  default: { directory: letsencrypt-staging, agreeToTerms: true }
clusters:
  lab: { kubeconfig: { secret: certrelay/clusters/lab } }
  prod: { kubeconfig: { secret: certrelay/clusters/prod } }
certificates: []
discovery: { places: [lab/shop, lab/infra, prod/shop], zones: [example.com], retire: true }
`;
const web: TlsObject = {
  kind: 'Ingress',
  namespace: 'shop',
  name: 'web',
  annotations: { 'certrelay.dev/tls': 'true' },
  tls: [{ hosts: ['shop.example.com'], secret: 'shop-tls' }],
};
const name = nameOfSecret({ cluster: 'lab', namespace: 'shop', secret: 'shop-tls' });

let store: FakeStore;
let log: FakeLog;
let clock: FakeClock;
let text: string;
/** Objects by `cluster/namespace`; a place without an entry cannot be listed. */
let objects: Record<string, readonly TlsObject[]>;
/** What may not be listed: `ListenerSet in lab/shop`. */
let forbidden: readonly string[];

beforeEach(async () => {
  [store, log, clock] = [new FakeStore(), new FakeLog(), new FakeClock('2026-11-22T10:00:00Z')];
  text = written;
  objects = { 'lab/shop': [web], 'lab/infra': [], 'prod/shop': [] };
  forbidden = [];
  await discover();
  await store.record(name, { version: 'v1' });
  store.calls.length = 0;
  objects['lab/shop'] = [];
});

function inventory(): Inventory {
  const parsed = parseInventory(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory;
}

async function discover(change: { readonly dryRun?: boolean } = {}) {
  const { signal } = new AbortController();
  const connect = async (cluster: string) => ({
    listTlsObjects: async (namespace: string, kinds: readonly TlsObjectKind[]) => {
      const place = `${cluster}/${namespace}`;
      const found = objects[place];
      if (!found) throw new ClusterError('Unreachable', `no answer for ${place}`);
      const missing = kinds.find((kind) => forbidden.includes(`${kind} in ${place}`));
      if (missing) throw new ClusterError('Forbidden', `no right to list ${missing}`);
      return found.filter(({ kind }) => kinds.includes(kind));
    },
    close: async () => undefined,
  });
  const queue = { send: async () => undefined };
  const ports = { inventory: inventory(), store, retirements: store, queue, clock, log };
  const register = createRegisterSpec(ports);
  return discoverCertificates(
    { connect, register, store, clock, log },
    { id: 'r1', inventory: inventory(), signal, ...change },
  );
}

/** Passes, as many an hour apart. */
async function pass(count: number, stepMs = hourMs): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await discover();
    clock.pass(stepMs);
  }
}

const stateOf = async (of = name) => (await store.describe(of))?.state ?? {};
const goneOf = async () => (await stateOf()).gone;
const wish = async () => findRetirement({ name, state: await stateOf() }, inventory());
const records = () => store.calls.filter((call) => call.startsWith('record '));

it('is retired after seven days of passes, and no sooner', async () => {
  const since = clock.now();
  await pass(7 * 24);
  expect(await wish()).toBeUndefined();
  await pass(1);
  expect(await wish()).toEqual({
    since: new Date(since.getTime() + 7 * dayMs),
    by: 'discovery',
    revoke: false,
  });
  expect(log.lines).toContainEqual({
    level: 'info',
    event: 'retirement requested',
    fields: { certificate: name, by: 'discovery', revoke: false },
  });
  // The first three passes, one a day, and the decision.
  expect(records()).toHaveLength(1 + 3 + 7);
});

it('without discovery.retire it is retired never, and nothing is written once all is counted', async () => {
  text = written.replace(', retire: true', '');
  await pass(10 * 24);
  store.calls.length = 0;
  await pass(24);
  expect([await wish(), records()]).toEqual([undefined, []]);
  expect((await discover()).gone).toMatchObject([
    { name, message: expect.stringContaining('it is renewed all the same') },
  ]);
  text = written;
  const rehearsed = await discover({ dryRun: true });
  expect(rehearsed.gone).toMatchObject([{ message: expect.stringContaining('it is let go since') }]);
  expect(records()).toEqual([]);
  await discover();
  expect(await wish()).toMatchObject({ by: 'discovery' });
});

describe('a pass counts nothing', () => {
  it.each<[string, () => void, () => void]>([
    [
      'that cannot list the place',
      () => delete objects['lab/shop'],
      () => Object.assign(objects, { 'lab/shop': [] }),
    ],
    [
      'that may not list one kind there',
      () => {
        forbidden = ['Gateway in lab/shop'];
      },
      () => {
        forbidden = [];
      },
    ],
    [
      'that may not list ListenerSets there',
      () => {
        forbidden = ['ListenerSet in lab/shop'];
      },
      () => {
        forbidden = [];
      },
    ],
    [
      'in which an object there asks for more than is read',
      () => {
        const tls = Array.from({ length: 101 }, (_, index) => ({ hosts: [], secret: `s-${index}` }));
        objects['lab/shop'] = [{ ...web, name: 'huge', tls }];
      },
      () => Object.assign(objects, { 'lab/shop': [] }),
    ],
    [
      'in which the Gateway of a ListenerSet there cannot be read',
      () => {
        text = written.replace('retire: true', 'classes: [cilium], retire: true');
        objects['lab/shop'] = [
          { ...web, kind: 'ListenerSet', parent: { namespace: 'infra', name: 'front' } },
        ];
        delete objects['lab/infra'];
      },
      () => Object.assign(objects, { 'lab/shop': [], 'lab/infra': [] }),
    ],
    [
      'while the inventory does not have the place',
      () => {
        text = text.replace('lab/shop, ', '');
      },
      () => {
        text = written;
      },
    ],
  ])('%s: days without a whole list are none, and three whole ones in a row have to follow', async (_, hide, show) => {
    await pass(3, dayMs);
    hide();
    await pass(10, dayMs);
    expect(await goneOf()).toMatchObject({ kind: 'counting', days: 2 });
    show();
    await pass(4, dayMs);
    expect([(await goneOf())?.kind, await wish()]).toEqual(['counting', undefined]);
    hide();
    await pass(1);
    show();
    await pass(1, dayMs);
    expect(await goneOf()).toMatchObject({ days: 7 });
    expect(await wish()).toBeUndefined();
    await pass(2);
    expect(await wish()).toMatchObject({ by: 'discovery' });
  });
});

it('a place that cannot be listed hides no other: its failures are told, and the others count', async () => {
  delete objects['prod/shop'];
  const { failures, gone } = await discover();
  expect(failures).toHaveLength(1);
  expect(gone).toMatchObject([{ name, since: clock.now() }]);
});

describe('an object that asks again', () => {
  it('has the certificate kept, and everything is counted anew when it goes again', async () => {
    await pass(6 * 24);
    objects['lab/shop'] = [web];
    expect((await discover()).certificates).toMatchObject([{ name, outcome: 'known' }]);
    expect(await goneOf()).toBeUndefined();
    expect(log.events()).toContain('certificate requested again');
    objects['lab/shop'] = [];
    await pass(6 * 24);
    expect(await wish()).toBeUndefined();
  });

  it('ends a retirement that has begun, also where its request is refused', async () => {
    await pass(8 * 24);
    expect(await wish()).toBeDefined();
    objects['lab/shop'] = [{ ...web, tls: [{ hosts: ['other.example.com'], secret: 'shop-tls' }] }];
    expect((await discover()).certificates).toMatchObject([{ name, outcome: 'refused' }]);
    expect(await wish()).toBeUndefined();
  });

  it('of two that asked for one Secret is enough', async () => {
    objects['lab/shop'] = [{ ...web, name: 'second' }];
    await pass(8 * 24);
    expect(await goneOf()).toBeUndefined();
  });

  it('in another place asks for a certificate of its own', async () => {
    objects['prod/shop'] = [web];
    await pass(8 * 24);
    expect(await wish()).toMatchObject({ by: 'discovery' });
  });
});

it('a list that lags retires nothing: what is written is looked at before', async () => {
  await pass(7 * 24);
  const stale = await store.list();
  objects['lab/shop'] = [web];
  await discover();
  objects['lab/shop'] = [];
  store.list = async () => stale;
  await discover();
  expect(await goneOf()).toMatchObject({ kind: 'counting', since: clock.now(), row: 1 });
});

describe('a retirement that has begun stays begun while its place cannot be listed, and is off once', () => {
  beforeEach(async () => {
    await pass(8 * 24);
    delete objects['lab/shop'];
    await pass(3);
    expect(await wish()).toBeDefined();
  });

  it.each<[string, () => void]>([
    [
      'discovery.retire is taken out',
      () => {
        text = written.replace(', retire: true', '');
      },
    ],
    [
      'the inventory has the place no longer',
      () => {
        text = written.replace('lab/shop, ', '');
      },
    ],
  ])('%s', async (_, change) => {
    change();
    await discover();
    expect(await goneOf()).toMatchObject({ kind: 'counting', days: 7, row: 0 });
  });

  it('a person restores it: it stays until an object asks again and goes again', async () => {
    const kept = { kind: 'restored', at: clock.now() } as const;
    await store.record(name, { retire: kept });
    objects['lab/shop'] = [];
    await pass(20, dayMs);
    expect(await wish()).toBeUndefined();
    expect((await discover()).gone).toMatchObject([
      { message: expect.stringContaining('a person restored it') },
    ]);
    objects['lab/shop'] = [web];
    await discover();
    objects['lab/shop'] = [];
    await pass(9, dayMs);
    expect(await wish()).toMatchObject({ by: 'discovery' });
  });
});

it('what a person retires and restores while its object is gone stays, too', async () => {
  await pass(3, dayMs);
  await store.record(name, { retire: { kind: 'retire', at: clock.now(), revoke: false } });
  store.calls.length = 0;
  await pass(9, dayMs);
  expect(records(), 'nobody needs to count').toEqual([]);
  await store.record(name, { retire: { kind: 'restored', at: clock.now() } });
  await pass(9, dayMs);
  expect([await wish(), (await goneOf())?.kind]).toEqual([undefined, 'counting']);
});

it('what the webhook, a person or the inventory file has is never touched, whatever else it is called', async () => {
  const spec = await specOf();
  for (const source of ['registration', 'import'] as const) {
    await store.create(source, { ...spec, name: source, source });
    await store.record(source, { place: { cluster: 'lab', namespace: 'shop' } });
  }
  await store.create('ours', { ...spec, name: 'ours' });
  text = written.replace('certificates: []', 'certificates: [{ name: ours, domains: [ours.example.com] }]');
  store.calls.length = 0;
  await pass(9, dayMs);
  expect(records().every((call) => call === `record ${name}`)).toBe(true);
});

it('one that cannot be written is a failure, and stops no other', async () => {
  await store.create('blog', { ...(await specOf()), name: 'blog' });
  store.failures.next('record', new StoreError('Throttled', 'slowly'));
  const { failures, gone } = await discover();
  expect(failures).toMatchObject([{ message: expect.stringMatching(/slowly$/) }]);
  expect(gone).toHaveLength(1);
});

async function specOf(): Promise<StoredSpec> {
  const value = (await store.read(name, 'AWSCURRENT'))?.value;
  if (value?.kind !== 'specification' || !value.spec) throw new Error('nothing is stored');
  return value.spec;
}
