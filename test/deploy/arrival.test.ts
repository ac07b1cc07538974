// What follows once the last target has the certificate: what is served is looked at, and others are told.
import { expect, it } from 'vitest';
import type { DeployPorts } from '../../lib/deploy/invocation.ts';
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import { describeEvent } from '../../lib/policy/events/detail.ts';
import { EventError } from '../../lib/ports/events.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { FakeEventBus } from '../fakes/event-bus.ts';
import { targetOf } from '../minting/targets.ts';
import { type HarnessOptions, openHarness } from './harness.ts';

it('what is served is looked at when the last target has the certificate, and then no more', async () => {
  const harness = await openHarness({ targets: [targetOf({ restart: 'none' })] });
  harness.sightings.push(['served'], ['stale']);
  const { certificates } = await harness.deploy();
  expect(certificates).toMatchObject([{ decision: 'delivered', served: 'served' }]);
  expect(harness.store.kept.get('shop')?.state).toMatchObject({
    served: { version: 'version-1', word: 'served' },
  });
  expect((await harness.deploy()).certificates[0]).not.toHaveProperty('served');
  expect(harness.sightings).toEqual([['stale']]);
});

it('another certificate at an address is no failure of the delivery, is told at once, and its time counts from then on', async () => {
  const harness = await openHarness({ targets: [targetOf({ restart: 'none' })] });
  harness.sightings.push(['stale']);
  const { certificates, failures } = await harness.deploy();
  expect([certificates[0]?.served, failures.size]).toEqual(['stale', 0]);
  const notServedSince = harness.clock.now();
  expect(harness.store.kept.get('shop')?.state).toMatchObject({
    served: { version: 'version-1', word: 'stale' },
    notServedSince,
  });
  expect(harness.log.events()).toContain('certificate not served yet');
});

it('nothing is looked at while a target has not got the certificate', async () => {
  const elsewhere = targetOf({ cluster: 'lost', restart: 'none' });
  const harness = await openHarness({ targets: [targetOf({ restart: 'none' }), elsewhere] });
  harness.sightings.push(['served'], ['served']);
  const { certificates } = await harness.deploy();
  expect(certificates[0]).not.toHaveProperty('served');
  expect(harness.sightings).toHaveLength(2);
});

/** Keeps what is told of arrivals, in the order of the events. */
async function openTold(options: Partial<HarnessOptions> = {}, failure?: EventError) {
  const told: (ReturnType<typeof describeEvent> & { readonly type: string })[] = [];
  const putEvents: DeployPorts['putEvents'] = async (announcements) => {
    if (failure) return announcements.map(() => failure);
    told.push(...announcements.map((one) => ({ type: one.type, ...describeEvent(one, 'certrelay') })));
    return announcements.map(() => 'put');
  };
  const targets = [targetOf({ restart: 'none' }), targetOf({ restart: 'none', cluster: 'east' })];
  const harness = await openHarness({ targets, clusters: ['lab', 'east'], putEvents, ...options });
  harness.sightings.push(['served']);
  return { harness, told };
}

it('Y09 who wants to run something then is told once, when the last target has the version, and of no secret', async () => {
  const { harness, told } = await openTold();
  await harness.deploy({ dryRun: true });
  await harness.deploy({ clusters: ['lab'] });
  expect(told).toEqual([]);
  await harness.deploy({ clusters: ['east'] });
  await harness.deploy();
  expect(told).toEqual([
    {
      type: 'Certificate Delivered',
      schema: 1,
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      installation: 'certrelay',
      kind: 'certificate',
      name: 'shop',
      certificate: 'shop',
      domains: ['shop.example.com'],
      health: null,
      previousHealth: null,
      reason: null,
      message:
        'certificate shop was delivered to lab/shop/shop-tls, east/shop/shop-tls; valid until 2027-02-20T10:00:00.000Z',
      since: harness.clock.now().toISOString(),
      cause: null,
      certificates: null,
      version: 'version-1',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      notAfter: '2027-02-20T10:00:00.000Z',
      expiresInDays: 90,
      targets: ['lab/shop/shop-tls', 'east/shop/shop-tls'],
      served: 'served',
      command: null,
      omitted: 0,
    },
  ]);
  await harness.issue('shop', 'version-2');
  await harness.deploy();
  expect(told.map(({ version }) => version)).toEqual(['version-1', 'version-2']);
});

it('two invocations for one cluster each, side by side, tell of the delivery once', async () => {
  const { harness, told } = await openTold();
  await Promise.all([harness.deploy({ clusters: ['lab'] }), harness.deploy({ clusters: ['east'] })]);
  await harness.deploy();
  expect(told.map(({ version }) => version)).toEqual(['version-1']);
});

it('what an agent delivers last is told by the next pass', async () => {
  const targets = [targetOf({ restart: 'none' }), targetOf({ restart: 'none', cluster: 'edge' })];
  const { harness, told } = await openTold({ targets, clusters: ['lab'], agents: ['edge'] });
  await harness.deploy();
  expect(told).toEqual([]);
  const deployed = describeProgress('version-1', targets.slice(1), ['rolled-out']);
  await harness.store.record('shop', { reports: { edge: { deployed } } });
  await harness.deploy();
  await harness.deploy();
  expect(told).toMatchObject([
    { version: 'version-1', targets: ['lab/shop/shop-tls', 'edge/shop/shop-tls'] },
  ]);
});

/** Lets a run make some writes, and nothing after them. */
class Mortality {
  isDead = false;
  readonly #death = Promise.withResolvers<void>();
  readonly death = this.#death.promise;
  #left: number;

  constructor(writes: number) {
    this.#left = writes;
  }

  async call<T>(act: () => Promise<T>): Promise<T> {
    if (this.isDead) return new Promise<T>(() => undefined);
    const result = await act();
    this.#left -= 1;
    if (this.#left !== 0) return result;
    this.isDead = true;
    this.#death.resolve();
    return new Promise<T>(() => undefined);
  }
}

it('killed after any of its writes, deploy tells of the delivery in the end, each time with the same id', async () => {
  for (let writes = 1; ; writes += 1) {
    let run = new Mortality(writes);
    const told: string[] = [];
    const { harness } = await openTold({
      putEvents: (announcements) =>
        run.call(async () => {
          told.push(...announcements.map((one) => describeEvent(one, 'certrelay').id));
          return announcements.map(() => 'put' as const);
        }),
      seenBy: (store) => ({
        list: () => store.list(),
        describe: (name) => store.describe(name),
        read: (name, which) => store.read(name, which),
        record: (name, state) => run.call(() => store.record(name, state)),
      }),
      wrap: (cluster) => ({
        ...cluster,
        applySecret: (...args) => run.call(() => cluster.applySecret(...args)),
      }),
    });
    await Promise.race([harness.deploy(), run.death]);
    if (!run.isDead) {
      expect(writes).toBeGreaterThan(4);
      return;
    }
    run = new Mortality(Number.POSITIVE_INFINITY);
    await harness.deploy();
    expect(new Set(told).size, `killed after ${writes} writes`).toBe(1);
  }
});

it('an event that is not sent is a warning, and no failure of the delivery', async () => {
  const { harness } = await openTold({}, new EventError('EventFailed', 'the bus is closed'));
  const { certificates, failures } = await harness.deploy();
  expect([certificates[0]?.decision, failures.size]).toEqual(['delivered', 0]);
  expect(harness.log.lines).toContainEqual({
    level: 'warn',
    event: 'delivery not announced',
    fields: { certificate: 'shop', version: 'version-1', problem: 'the bus is closed' },
  });
  expect(harness.store.kept.get('shop')?.state.deployed?.phases).toEqual(['rolled-out', 'rolled-out']);
});

/** A harness over a bus that can be closed. */
async function openBus(options: Partial<HarnessOptions> = {}) {
  const bus = new FakeEventBus();
  const targets = [targetOf({ restart: 'none' }), targetOf({ restart: 'none', cluster: 'east' })];
  const harness = await openHarness({ targets, clusters: ['lab', 'east'], putEvents: bus.put, ...options });
  const owed = () => harness.store.kept.get('shop')?.state.owedEvents;
  return { harness, bus, owed };
}

it('a delivery that the bus did not take is owed, put by the next pass with the id of then, and owed no longer', async () => {
  const { harness, bus, owed } = await openBus();
  bus.isClosed = true;
  await harness.deploy();
  const at = harness.clock.now();
  expect(owed()).toMatchObject([{ kind: 'delivered', at, version: 'version-1', isRepeat: false }]);
  await harness.deploy();
  expect(owed(), 'the bus is still closed').toHaveLength(1);
  bus.isClosed = false;
  harness.clock.pass(3_600_000);
  await harness.deploy({ dryRun: true });
  expect(bus.events).toEqual([]);
  const issued = { kind: 'issued', at, version: 'version-1', notAfter: at } as const;
  bus.afterPut = () => void harness.store.record('shop', { owedEvents: [...(owed() ?? []), issued] });
  await harness.deploy();
  expect(bus.events).toMatchObject([
    { type: 'Certificate Delivered', version: 'version-1', since: at.toISOString() },
  ]);
  expect(owed(), 'what another function owes meanwhile is kept').toEqual([issued]);
  bus.afterPut = () => undefined;
  const writes = harness.store.count('record');
  await harness.deploy();
  expect([bus.events.length, harness.store.count('record')]).toEqual([1, writes]);

  // The id is that of an event which was put at once.
  const other = await openBus();
  await other.harness.deploy();
  const [first] = other.bus.events;
  expect(bus.events[0]).toMatchObject({ id: first?.id, targets: first?.targets });
  expect(first?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
});

it('a version that the next one has replaced is owed no longer: it is at none of its targets any more', async () => {
  const { harness, bus, owed } = await openBus();
  bus.isClosed = true;
  await harness.deploy();
  await harness.issue('shop', 'version-2');
  bus.isClosed = false;
  await harness.deploy();
  expect(bus.events.map(({ version }) => version)).toEqual(['version-2']);
  expect(owed()).toBeUndefined();
});

it('an owed delivery is told of no target that came since, until that has the version too', async () => {
  const targets = [targetOf({ restart: 'none' })];
  const { harness, bus, owed } = await openBus({ targets });
  bus.isClosed = true;
  await harness.deploy();
  targets.push(targetOf({ restart: 'none', cluster: 'east' }));
  bus.isClosed = false;
  await harness.deploy({ clusters: ['lab'] });
  expect([bus.events, owed()], 'east is not tried yet').toEqual([[], undefined]);
  harness.clock.pass(60_000);
  await harness.deploy();
  await harness.deploy();
  expect(bus.events).toMatchObject([
    { targets: ['lab/shop/shop-tls', 'east/shop/shop-tls'], since: harness.clock.now().toISOString() },
  ]);
});

it('an owed delivery that was taken back by hand is told once it is there again', async () => {
  const { harness, bus, owed } = await openBus();
  await harness.deploy();
  await harness.issue('shop', 'version-2');
  bus.isClosed = true;
  await harness.deploy();
  bus.isClosed = false;
  await harness.deploy({ certificates: ['shop'], rollback: true });
  expect(bus.events.map(({ version }) => version)).toEqual(['version-1']);
  expect(owed()).toBeUndefined();
  await harness.deploy({ certificates: ['shop'], resume: true });
  expect(bus.events.map(({ version }) => version)).toEqual(['version-1', 'version-2']);
});

it('targets put right while the bus is closed are one event, which pushes out no other', async () => {
  const { harness, bus, owed } = await openBus();
  bus.isClosed = true;
  await harness.deploy();
  const issued = {
    kind: 'issued',
    at: harness.clock.now(),
    version: 'v0',
    notAfter: harness.clock.now(),
  } as const;
  await harness.store.record('shop', { owedEvents: [issued, ...(owed() ?? [])] });
  for (let pass = 0; pass < 3; pass += 1) {
    harness.clock.pass(3_600_000);
    harness.lab.remove('secrets', 'shop', 'shop-tls');
    await harness.deploy();
  }
  expect(owed()).toMatchObject([issued, { isRepeat: false }, { isRepeat: true, at: harness.clock.now() }]);
  bus.isClosed = false;
  await harness.deploy();
  expect(new Set(bus.events.map(({ id }) => id)).size).toBe(2);
  expect(owed()).toEqual([issued]);
});

it('of invocations for a cluster each, one puts what is owed', async () => {
  const { harness, bus } = await openBus();
  bus.isClosed = true;
  await harness.deploy();
  bus.isClosed = false;
  await harness.deploy({ clusters: ['east'] });
  expect(bus.events).toEqual([]);
  await harness.deploy({ clusters: ['lab'] });
  expect(bus.types()).toEqual(['Certificate Delivered']);
});

it('what cannot be noted is a warning, and no failure of the delivery', async () => {
  const { harness, bus, owed } = await openBus({
    seenBy: (store) => ({
      list: () => store.list(),
      describe: (name) => store.describe(name),
      read: (name, which) => store.read(name, which),
      record: (name, state) =>
        'owedEvents' in state
          ? Promise.reject(new StoreError('Denied', 'AWS denied it'))
          : store.record(name, state),
    }),
  });
  bus.isClosed = true;
  const { failures } = await harness.deploy();
  expect([failures.size, owed()]).toEqual([0, undefined]);
  expect(harness.log.events()).toContain('state not recorded');
  expect(harness.store.kept.get('shop')?.state.deployed?.phases).toEqual(['rolled-out', 'rolled-out']);
});
