// Letting a certificate go, as far as `deploy` and agents do it: Secrets go where the cluster says prune,
// once nothing uses them, and the tags say when that is done.
import { describe, expect, test } from 'vitest';
import type { SecretTarget } from '../../lib/certificate/spec.ts';
import type { SpecSource, StoredSpec } from '../../lib/certificate/stored.ts';
import { isLetGo } from '../../lib/policy/retirement/retirement.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import type { RetireDecision } from '../../lib/state/retirement.ts';
import { permissionsKey } from '../../lib/state/targets.ts';
import { openAgent } from '../agent/harness.ts';
import { discoveryOf } from '../minting/discovery.ts';
import { targetOf } from '../minting/targets.ts';
import { bindingOf, type HarnessOptions, openHarness, targetsOf } from './harness.ts';

const goes = targetOf({ namespace: 'front', secret: 'customer-tls' });
const specOf = (...targets: readonly SecretTarget[]): StoredSpec => ({
  name: 'customer',
  domains: ['customer.example.com'],
  issuer: 'default',
  key: 'ecdsa-p256',
  targets,
  source: 'registration',
});

const discovery = discoveryOf({ places: [{ cluster: 'lab', namespace: 'front' }], retire: true });

/** `customer` is registered and delivered to one namespace where nothing else is delivered. */
async function open(options: Partial<HarnessOptions> = {}, ...targets: readonly SecretTarget[]) {
  const harness = await openHarness({
    targets: [targetOf({ secret: 'shop-tls' })],
    namespaces: ['shop', 'front'],
    ...options,
  });
  harness.allow({
    registration: {
      zones: ['example.com'],
      issuer: 'default',
      key: 'ecdsa-p256',
      targets: [goes, ...targets],
    },
  });
  for (const namespace of ['shop', 'front']) harness.lab.create(bindingOf(namespace, 'certrelay-prune'));
  await harness.issueStored(specOf(goes, ...targets), 'customer-1');
  await harness.deploy();
  const state = () => harness.store.kept.get('customer')?.state ?? {};
  return {
    ...harness,
    state,
    retire: () => decide({ kind: 'retire', at: harness.clock.now(), revoke: false }),
    restore: (version: string) => decide({ kind: 'restored', at: harness.clock.now(), version }),
    /** As if another source had asked for it. */
    async rewriteSource(source: SpecSource) {
      const kept = harness.store.kept.get('customer');
      const value = kept?.versions.get('customer-1');
      if (value?.kind !== 'certificate') throw new Error('nothing is stored');
      const spec: StoredSpec = { ...specOf(goes), source };
      const certificate = { ...value.certificate, spec };
      kept?.versions.set('customer-1', { kind: 'certificate', certificate });
      await harness.store.record('customer', { source });
      harness.allow({ discovery });
    },
    isDone: () => isLetGo(state().deployed, 'customer-1'),
    customer: () => harness.secret('customer-tls', 'lab', 'front'),
  };
  function decide(retire: RetireDecision) {
    return harness.store.record('customer', { retire });
  }
}

test('with prune its Secret goes, also in a namespace that no other certificate has, and the tags say that it is done', async () => {
  const harness = await open({ prune: true });
  expect(harness.customer()).toBeDefined();
  await harness.retire();
  await harness.deploy({ dryRun: true });
  expect(harness.isDone(), 'a dry run writes nothing').toBe(false);
  const { pruned, certificates } = await harness.deploy();
  expect(pruned).toMatchObject([{ target: 'lab/front/customer-tls', outcome: 'deleted' }]);
  expect(certificates.find(({ name }) => name === 'customer')).toMatchObject({
    decision: 'skip',
    message: expect.stringContaining('waits for deploy'),
  });
  expect(harness.isDone()).toBe(true);
  expect(harness.secret('shop-tls'), 'of another certificate').toBeDefined();
  const writes = harness.store.count('record');
  expect((await harness.deploy()).pruned).toEqual([]);
  expect(harness.store.count('record'), 'once').toBe(writes);
});

test('a Secret of one that an object asks for again comes back as it was, with the same version', async () => {
  const harness = await open({ prune: true });
  await harness.rewriteSource('discovery');
  const at = harness.clock.now();
  await harness.store.record('customer', { gone: { kind: 'retire', at, since: at } });
  await harness.deploy();
  expect([harness.customer(), harness.isDone()]).toEqual([undefined, true]);
  await harness.store.record('customer', { gone: null });
  await harness.deploy();
  expect(harness.customer()?.metadata.annotations?.['certrelay.dev/version']).toBe('customer-1');
});

test('without prune its Secret stays, and nothing is left to do', async () => {
  const harness = await open();
  await harness.retire();
  await harness.deploy();
  expect(harness.customer()).toBeDefined();
  expect(harness.isDone()).toBe(true);
});

test('as long as something uses its Secret it is not done', async () => {
  const harness = await open({ prune: true }, targetOf({ secret: 'used-tls' }));
  harness.addWorkload('Deployment', 'web', 'used-tls');
  await harness.retire();
  expect((await harness.deploy()).pruned).toMatchObject([
    { target: 'lab/front/customer-tls', outcome: 'deleted' },
    { target: 'lab/shop/used-tls', outcome: 'kept' },
  ]);
  expect(harness.isDone()).toBe(false);
  await harness.admin.remove('/apis/apps/v1/namespaces/shop/deployments/web');
  await harness.deploy();
  expect(harness.isDone()).toBe(true);
});

test('as long as a cluster cannot be looked at it is not done, and an invocation for some certificates decides nothing', async () => {
  let isDown = false;
  const harness = await open({
    prune: true,
    wrap: (cluster) => ({
      ...cluster,
      async listSecrets(...call) {
        if (isDown) throw new ClusterError('Unreachable', 'no route');
        return cluster.listSecrets(...call);
      },
    }),
  });
  await harness.retire();
  isDown = true;
  await harness.deploy();
  expect(harness.isDone()).toBe(false);
  isDown = false;
  await harness.deploy({ certificates: ['customer'] });
  expect(harness.isDone()).toBe(false);
  await harness.deploy();
  expect(harness.isDone()).toBe(true);
});

test('a Secret of one that is restored stays, although a list still shows that it is let go', async () => {
  const harness = await open({ prune: true });
  await harness.retire();
  const stale = await harness.store.list();
  await harness.restore('customer-1');
  harness.store.list = async () => stale;
  expect((await harness.deploy()).pruned).toEqual([]);
  expect(harness.customer()).toBeDefined();
});

test('a sender’s wish lets nothing go that another source asked for, whatever the tags say', async () => {
  const harness = await open({ prune: true });
  await harness.rewriteSource('import');
  await harness.store.record('customer', { source: 'registration', unregister: harness.clock.now() });
  expect((await harness.deploy()).pruned).toEqual([]);
  expect(harness.customer()).toBeDefined();
});

test('a restored certificate is delivered nowhere before a new version is stored, and never rolled back to the old one', async () => {
  const harness = await open({ prune: true });
  await harness.retire();
  await harness.deploy();
  await harness.restore('customer-1');
  const { certificates } = await harness.deploy();
  expect(harness.customer()).toBeUndefined();
  expect(certificates.find(({ name }) => name === 'customer')?.message).toContain('with a new key');
  await harness.issueStored(specOf(goes), 'customer-2');
  await harness.deploy();
  expect(harness.customer()?.metadata.annotations?.['certrelay.dev/version']).toBe('customer-2');
  const rolled = await harness.deploy({ certificates: ['customer'], rollback: true });
  expect(JSON.stringify(targetsOf(rolled))).toContain('somebody else may have its key');
  expect(harness.customer()?.metadata.annotations?.['certrelay.dev/version']).toBe('customer-2');
});

describe('the agent of a cluster', () => {
  const own = targetOf({ secret: 'shop-tls' });

  async function openRegistered(source: SpecSource = 'registration') {
    const agent = await openAgent({ lists: true, names: [] }, { prune: true });
    agent.forget('shop');
    agent.lab.create(bindingOf('shop', 'certrelay-prune'));
    const read = await agent.store.read('shop', 'AWSCURRENT');
    if (read?.value.kind !== 'certificate') throw new Error('nothing is stored');
    const spec: StoredSpec = { ...specOf(own), name: 'shop', domains: ['shop.example.com'], source };
    const certificate = { ...read.value.certificate, spec };
    agent.store.kept.get('shop')?.versions.set('version-1', { kind: 'certificate', certificate });
    await agent.store.record('shop', { source });
    await agent.sign({ targets: permissionsKey([own]) });
    await agent.deploy();
    expect(agent.secret()).toBeDefined();
    const at = agent.clock.now();
    return {
      ...agent,
      retire: () =>
        agent.store.record(
          'shop',
          source === 'discovery'
            ? { gone: { kind: 'retire', at, since: at } }
            : { retire: { kind: 'retire', at, revoke: false } },
        ),
      report: () => agent.store.kept.get('shop')?.state.reports?.lab?.deployed,
    };
  }

  test.each<SpecSource>([
    'registration',
    'discovery',
  ])('deletes the Secret once a statement without targets is signed, and reports that: %s', async (source) => {
    const agent = await openRegistered(source);
    await agent.retire();
    expect(targetsOf(await agent.deploy()), 'tags alone let nothing go').toMatchObject([
      { outcome: 'unchanged' },
    ]);
    agent.clock.pass(60_000);
    await agent.sign({ targets: permissionsKey([]) });
    const { pruned, failures } = await agent.deploy();
    expect([...failures.values()]).toEqual([]);
    expect(pruned).toMatchObject([{ target: 'lab/shop/shop-tls', outcome: 'deleted' }]);
    expect(agent.secret()).toBeUndefined();
    expect(isLetGo(agent.report(), 'version-1')).toBe(true);
  });

  test('deletes nothing for a statement that nobody it trusts has signed', async () => {
    const agent = await openRegistered();
    await agent.retire();
    const statement = await agent.sign({ targets: permissionsKey([]) });
    const forged = `${statement.slice(0, -86)}${'A'.repeat(86)}`;
    await agent.store.record('shop', { signatures: { lab: forged } });
    const { failures } = await agent.deploy();
    expect(JSON.stringify([...failures.values()].flat().map(String))).toContain('was not signed');
    expect(agent.secret()).toBeDefined();
  });

  test('deletes nothing for a statement alone, where the tags do not say that it is let go', async () => {
    const agent = await openRegistered();
    await agent.sign({ targets: permissionsKey([]) });
    await agent.deploy();
    expect(agent.secret()).toBeDefined();
  });
});
