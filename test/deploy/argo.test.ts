// Rollouts of Argo that use a Secret: restarted in place where an extra role is bound, named where it is not.

import { expect, test } from 'vitest';
import * as z from 'zod';
import { argoDefinition, argoRolloutOf } from '../contracts/kubernetes-kinds.ts';
import { targetOf } from '../minting/targets.ts';
import { bindingOf, codesOf, type Harness, type HarnessOptions, only, openHarness } from './harness.ts';

const rollout = { waves: 1, deadlineMs: 600_000, probe: false, windows: [] };
const advice = 'Rollout web uses it too: Argo Rollouts rolls it; run "kubectl argo rollouts restart" for it';
const path = '/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts';

interface Setup extends Partial<HarnessOptions> {
  /** Whether certrelay may patch Rollouts; true if not given. */
  readonly isBound?: boolean;
  readonly replicas?: number;
}

async function open({ isBound = true, replicas = 3, ...options }: Setup = {}) {
  const harness = await openHarness({ targets: [targetOf()], ...options });
  if (isBound) harness.lab.create(bindingOf('shop', 'certrelay-rollouts'));
  harness.lab.create(argoDefinition);
  addRollout(harness, 'web', replicas);
  await harness.clock.sleep(1_000, AbortSignal.timeout(30_000));
  return harness;
}

function addRollout({ lab }: Harness, name: string, replicas = 3, more: object = {}) {
  const { spec, ...body } = argoRolloutOf('shop', name, 'shop-tls');
  lab.create({ ...body, spec: { ...spec, replicas, ...more } });
}

const argo = z.object({
  metadata: z.object({
    annotations: z.record(z.string(), z.string()).default({}),
    resourceVersion: z.string().optional(),
    generation: z.number(),
  }),
  spec: z.object({ restartAt: z.string().optional(), template: z.unknown() }),
  status: z.object({ restartedAt: z.string().optional(), availableReplicas: z.number().default(0) }).default({
    availableReplicas: 0,
  }),
});

const named = z.array(z.object({ metadata: z.object({ name: z.string() }) }));

const read = async ({ admin }: Harness, name = 'web') => argo.parse(await admin.get(`${path}/${name}`));

/** When the pods of a Rollout were made. */
async function agesOf({ admin }: Harness, name = 'web'): Promise<readonly string[]> {
  const { items } = await admin.get('/api/v1/namespaces/shop/pods');
  const pod = z.object({ metadata: z.object({ name: z.string(), creationTimestamp: z.string() }) });
  const pods = z.array(pod).parse(items);
  return pods
    .filter(({ metadata }) => metadata.name.startsWith(`${name}-`))
    .map(({ metadata }) => metadata.creationTimestamp);
}

test('where the role is bound a Rollout is restarted once for a version, and awaited until its pods are new', async () => {
  const harness = await open();
  const before = await read(harness);
  const plan = only(await harness.deploy({ dryRun: true }));
  expect(plan).toMatchObject({ restarted: ['Rollout web'] });
  expect(plan.message).toContain('Rollout web only where the role certrelay-rollouts is bound');
  const report = only(await harness.deploy());
  expect(report).toMatchObject({
    outcome: 'delivered',
    restarted: ['Rollout web'],
    message: 'Secret created, restarted Rollout web',
  });
  const { spec, status, metadata } = await read(harness);
  expect(spec.restartAt).toMatch(/^2026-11-22T10:00:\d\dZ$/);
  expect(status).toEqual({ restartedAt: spec.restartAt, availableReplicas: 3 });
  expect(spec.template, 'a changed template would begin an update by Argo').toEqual(before.spec.template);
  const ages = await agesOf(harness);
  expect(ages).toHaveLength(3);
  for (const age of ages) expect(Date.parse(age)).toBeGreaterThanOrEqual(Date.parse(spec.restartAt ?? ''));
  harness.calls();
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(harness.calls(), 'an unchanged target asks for none of it').toEqual(['get secrets']);
  await harness.store.record('shop', { deployed: null });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged', restarted: [] });
  expect((await read(harness)).metadata.resourceVersion).toBe(metadata.resourceVersion);
  await harness.issue('shop', 'version-2');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', restarted: ['Rollout web'] });
  expect((await read(harness)).spec.restartAt).not.toBe(spec.restartAt);
});

test('without the role it is named with what to do, and nothing else is different, in steps neither', async () => {
  const harness = await open({
    isBound: false,
    targets: [targetOf({ rollout: { ...rollout, waves: 2 } })],
  });
  for (const name of ['a', 'b']) harness.addWorkload('Deployment', name, 'shop-tls');
  const { metadata } = await read(harness);
  const plan = only(await harness.deploy({ dryRun: true }));
  expect(plan.message).toContain('in 2 steps: Deployment a, Rollout web, then Deployment b');
  const report = await harness.deploy();
  expect(report.failures.size).toBe(0);
  expect(only(report)).toMatchObject({
    outcome: 'delivered',
    restarted: ['Deployment a', 'Deployment b'],
    message: expect.stringContaining(advice),
  });
  expect((await read(harness)).metadata.resourceVersion).toBe(metadata.resourceVersion);
  harness.calls();
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(harness.calls()).toEqual(['get secrets']);
});

test.for([
  ['lists it', { restart: [{ kind: 'Rollout', name: 'web' }] }],
  ['makes it the canary', { rollout: { ...rollout, canary: { kind: 'Rollout', name: 'web' } } }],
] as const)('a target that %s needs the role', async ([, target]) => {
  const harness = await open({ isBound: false, targets: [targetOf(target)] });
  const refused = await harness.deploy();
  expect(only(refused)).toMatchObject({ outcome: 'pending', restarted: [] });
  expect(only(refused).message).toMatch(/add verb "patch" on "rollouts" to the role/);
  expect(codesOf(refused)).toEqual(['Forbidden']);
  harness.lab.create(bindingOf('shop', 'certrelay-rollouts'));
  expect(only(await harness.deploy({ certificates: ['shop'] }))).toMatchObject({
    outcome: 'delivered',
    restarted: ['Rollout web'],
  });
});

test('a Rollout of one pod is restarted with a warning, one that refuses or has a restart planned is left', async () => {
  const harness = await open({ replicas: 1 });
  const planned = '2026-11-22T22:00:00Z';
  addRollout(harness, 'later', 3, { restartAt: planned });
  const { spec, ...body } = argoRolloutOf('shop', 'own', 'shop-tls');
  const metadata = { ...body.metadata, annotations: { 'certrelay.dev/restart': 'false' } };
  harness.lab.create({ ...body, metadata, spec });
  const report = only(await harness.deploy());
  expect(report).toMatchObject({ outcome: 'delivered', restarted: ['Rollout web'] });
  expect(report.message.split('; ').slice(1)).toEqual([
    'Rollout later is not restarted: somebody has planned its restart for 2026-11-22T22:00:00.000Z (spec.restartAt)',
    'Rollout own is not restarted: it has the annotation certrelay.dev/restart: "false"',
    'Rollout web does not answer while it restarts: Argo Rollouts evicts its only pod before others are there',
  ]);
  expect((await read(harness, 'later')).spec.restartAt).toBe(planned);
});

test('pods that are not replaced in time leave the target pending; the next run waits and restarts nothing again', async () => {
  let isReady = true;
  const harness = await open({ areReady: () => isReady });
  isReady = false;
  const late = only(await harness.deploy());
  expect(late.outcome).toBe('pending');
  expect(late.message).toMatch(
    /Rollout web is still rolling out.*: Argo Rollouts has not replaced all pods from before 2026-11-22T10:0\d:\d\d.000Z; 0 of 3 replicas are available/,
  );
  const { restartAt } = (await read(harness)).spec;
  isReady = true;
  expect(only(await harness.deploy({ certificates: ['shop'] }))).toMatchObject({ outcome: 'unchanged' });
  expect((await read(harness)).spec.restartAt).toBe(restartAt);
});

test('a Rollout is complete only if it stays so: Argo counts pods for a moment that it has evicted', async () => {
  let isReady = true;
  let isRestarted = false;
  const harness = await open({
    areReady: () => isReady,
    wrap: (cluster) => ({
      ...cluster,
      restartWorkload: (...call) => {
        isRestarted = true;
        return cluster.restartWorkload(...call);
      },
      listWorkloads: async (...call) => {
        const listed = await cluster.listWorkloads(...call);
        if (isRestarted && listed.some(({ rollout: { state } }) => state === 'complete')) isReady = false;
        return listed;
      },
    }),
  });
  const report = only(await harness.deploy());
  expect(report.outcome).toBe('pending');
  expect(report.message).toContain('Rollout web is still rolling out: 0 of 3 replicas are available');
});

test('what others put back is told, and a restart of theirs counts once the Secret had the version', async () => {
  let isReady = true;
  const harness = await open({ areReady: () => isReady });
  isReady = false;
  await harness.deploy();
  await harness.admin.patch(`${path}/web`, { spec: { restartAt: null } });
  const undone = only(await harness.deploy({ certificates: ['shop'] }));
  expect(undone).toMatchObject({ outcome: 'pending', restarted: [] });
  expect(undone.message).toContain('run kubectl argo rollouts restart web -n shop');
  isReady = true;
  const restartAt = harness.clock
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
  await harness.admin.patch(`${path}/web`, { spec: { restartAt } });
  const done = only(await harness.deploy({ certificates: ['shop'] }));
  expect(done).toMatchObject({ outcome: 'unchanged', restarted: [] });
  expect((await read(harness)).spec.restartAt).toBe(restartAt);
});

test('pods that a person deleted have the certificate, although the restart was put back', async () => {
  let isReady = true;
  const harness = await open({ areReady: () => isReady });
  isReady = false;
  await harness.deploy();
  await harness.admin.patch(`${path}/web`, { spec: { restartAt: null } });
  isReady = true;
  expect(only(await harness.deploy({ certificates: ['shop'] }))).toMatchObject({ outcome: 'pending' });
  const { items } = await harness.admin.get('/api/v1/namespaces/shop/pods');
  for (const { metadata } of named.parse(items)) {
    await harness.admin.remove(`/api/v1/namespaces/shop/pods/${metadata.name}`);
  }
  await harness.clock.sleep(1_000, AbortSignal.timeout(30_000));
  expect(only(await harness.deploy({ certificates: ['shop'] }))).toMatchObject({ outcome: 'unchanged' });
});

test.for([
  ['without'],
  ['with'],
] as const)('a Secret that others changed is put right %s the role, and binding it restarts nothing by itself', async ([
  word,
]) => {
  const isBound = word === 'with';
  const harness = await open({ isBound });
  await harness.deploy();
  if (!isBound) harness.lab.create(bindingOf('shop', 'certrelay-rollouts'));
  await harness.clock.sleep(60_000, AbortSignal.timeout(30_000));
  const before = (await read(harness)).spec.restartAt;
  await harness.admin.patch('/api/v1/namespaces/shop/secrets/shop-tls', { data: { 'tls.crt': 'eA==' } });
  expect(only(await harness.deploy())).toMatchObject({ action: 'apply', restarted: [] });
  expect((await read(harness)).spec.restartAt, 'no pod started meanwhile').toBe(before);
});

test.for([
  ['Forbidden', 403, 'delivered'],
  ['Unavailable', 503, 'pending'],
] as const)('Rollouts that cannot be listed (%s, %i) leave the target %s', async ([
  code,
  status,
  outcome,
]) => {
  const harness = await open();
  harness.faults.set('kubernetes', 'list rollouts', { kind: 'error', code, status }, 3);
  expect(only(await harness.deploy())).toMatchObject({ outcome, restarted: [] });
});

test('a namespace without Rollouts is asked for them once, whatever the number of steps', async () => {
  const listed: string[] = [];
  const harness = await openHarness({
    targets: [targetOf({ rollout: { ...rollout, waves: 3 } })],
    wrap: (cluster) => ({
      ...cluster,
      listWorkloads: (namespace, kind, signal) => {
        listed.push(kind);
        return cluster.listWorkloads(namespace, kind, signal);
      },
    }),
  });
  for (const name of ['a', 'b', 'c']) harness.addWorkload('Deployment', name, 'shop-tls');
  expect(only(await harness.deploy()).restarted).toHaveLength(3);
  expect(listed.filter((kind) => kind === 'Rollout')).toHaveLength(1);
});

test('two Secrets of a Rollout that are renewed together restart it once', async () => {
  const harness = await open({ targets: [targetOf()] });
  await harness.issue('pay', 'version-1', [targetOf({ secret: 'pay-tls' })]);
  const { spec, ...body } = argoRolloutOf('shop', 'both', 'shop-tls');
  const volumes = ['shop-tls', 'pay-tls'].map((name) => ({ name, secret: { secretName: name } }));
  const template = { ...spec.template, spec: { ...spec.template.spec, volumes } };
  harness.lab.create({ ...body, spec: { ...spec, replicas: 2, template } });
  harness.calls();
  await harness.deploy();
  const { annotations } = (await read(harness, 'both')).metadata;
  expect(Object.keys(annotations)).toEqual(
    expect.arrayContaining(['certrelay.dev/fingerprint-pay-tls', 'certrelay.dev/fingerprint-shop-tls']),
  );
  expect(harness.calls().filter((action) => action === 'patch rollouts')).toHaveLength(2);
});

test('a version that is taken back restarts the Rollout once more', async () => {
  const harness = await open({
    targets: [targetOf({ rollout: { ...rollout, probe: true, deadlineMs: 60_000 } })],
  });
  harness.sightings.push(['served']);
  await harness.deploy();
  const first = await read(harness);
  await harness.issue('shop', 'version-2');
  harness.sightings.push(['mismatch']);
  const report = only(await harness.deploy());
  expect(report).toMatchObject({ outcome: 'held', restarted: ['Rollout web'] });
  const back = await read(harness);
  const since = Date.parse(first.spec.restartAt ?? '');
  expect(back.metadata.generation, 'restarted for each version, and for the way back').toBe(4);
  const key = 'certrelay.dev/fingerprint-shop-tls';
  expect(back.metadata.annotations[key]).toBe(`back.${first.metadata.annotations[key]}`);
  for (const age of await agesOf(harness)) expect(Date.parse(age)).toBeGreaterThan(since);
  harness.calls();
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'held', restarted: [] });
  expect(harness.calls()).not.toContain('patch rollouts');
});
