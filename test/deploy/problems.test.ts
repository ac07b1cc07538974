// What tags remember of a delivery that does not go on, and of a cluster that is not there: once, in words,
// since when, and until it is over.
import { expect, test } from 'vitest';
import { type Cluster, ClusterError } from '../../lib/ports/cluster.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { targetOf } from '../minting/targets.ts';
import { bindingOf, type Harness, only, openHarness, targetsOf } from './harness.ts';
import { apps } from './workloads.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const state = (harness: Harness, name = 'shop') => harness.store.kept.get(name)?.state ?? {};
const problem = (harness: Harness) => state(harness).deliveryProblem;

/** A cluster whose reads fail with the error, as long as there is one. */
function failing(error: () => Error | undefined) {
  return (cluster: Cluster): Cluster => ({
    ...cluster,
    readSecret: async (...call) => {
      const thrown = error();
      if (thrown) throw thrown;
      return cluster.readSecret(...call);
    },
    listSecrets: async (...call) => {
      const thrown = error();
      if (thrown) throw thrown;
      return cluster.listSecrets(...call);
    },
  });
}

test('a target that is refused is remembered with its words, over versions, until it has one', async () => {
  const harness = await openHarness({ targets: [targetOf({ secret: 'a' }), targetOf({ secret: 'b' })] });
  harness.lab.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'b', namespace: 'shop', labels: { 'app.kubernetes.io/managed-by': 'other' } },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': 'x', 'tls.key': 'y' },
  });
  const since = harness.clock.now();
  const report = await harness.deploy();
  const found = problem(harness);
  expect(found).toMatchObject({ code: 'Foreign', cause: 'target/lab/shop/b', since });
  expect(targetsOf(report)[1]?.message).toBe(found?.words);
  expect(state(harness).deliveredTo).toEqual(['lab/shop/a']);
  const writes = harness.store.count('record');
  await harness.deploy();
  expect(harness.store.count('record'), 'nothing is new').toBe(writes);
  harness.clock.pass(day);
  await harness.issue('shop', 'version-2');
  await harness.deploy();
  expect(problem(harness)).toEqual(found);
  await harness.admin.remove('/api/v1/namespaces/shop/secrets/b');
  harness.clock.pass(day);
  await harness.deploy();
  expect(problem(harness)).toBeUndefined();
  expect(state(harness).deployed?.phases).toEqual(['rolled-out', 'rolled-out']);
  expect(state(harness).deliveredTo).toEqual(['lab/shop/a', 'lab/shop/b']);
});

test('what was delivered and cannot be looked at any more is remembered, once, and until it can', async () => {
  let error: Error | undefined;
  const harness = await openHarness({ targets: [targetOf()], wrap: failing(() => error) });
  await harness.deploy();
  expect(state(harness).deployed?.phases).toEqual(['rolled-out']);
  expect(problem(harness)).toBeUndefined();
  error = new ClusterError('Forbidden', 'certrelay may not get secrets, or there is no namespace shop');
  const since = harness.clock.now();
  await harness.deploy();
  expect(problem(harness)).toMatchObject({ code: 'Forbidden', cause: 'target/lab/shop/shop-tls', since });
  expect(state(harness).deployed?.phases, 'it may be there still').toEqual(['rolled-out']);
  const writes = harness.store.count('record');
  harness.clock.pass(hour);
  await harness.deploy();
  expect(harness.store.count('record'), 'nothing is new').toBe(writes);
  error = undefined;
  await harness.deploy();
  expect(problem(harness)).toBeUndefined();
});

test('while a certificate backs off its failure is remembered, and one write tells it all', async () => {
  let error: Error | undefined = new ClusterError('Forbidden', 'certrelay may not get secrets');
  const harness = await openHarness({ targets: [targetOf()], wrap: failing(() => error) });
  await harness.deploy();
  expect(harness.store.count('record')).toBe(1);
  const found = problem(harness);
  expect(found).toMatchObject({ code: 'Forbidden', cause: 'target/lab/shop/shop-tls' });
  expect(harness.operations.written, 'an answer is an answer').toEqual([]);
  error = undefined;
  await harness.deploy();
  expect(only(await harness.deploy()).message).toContain('not delivered after 1 failed attempt');
  expect(problem(harness)).toEqual(found);
  harness.clock.pass(5 * minute);
  await harness.deploy();
  expect(problem(harness)).toBeUndefined();
});

test('once a cluster answers again, a pass tries what waited for it, and nothing else that backs off', async () => {
  let isDown = true;
  const error = () => (isDown ? new ClusterError('Unreachable', 'no answer') : undefined);
  const harness = await openHarness({ targets: [targetOf()], wrap: failing(error) });
  await harness.issue('two', 'version-1', [targetOf({ secret: 'two' })]);
  await harness.issue('own', 'version-1', [targetOf({ secret: 'own' })]);
  harness.lab.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'own', namespace: 'shop', labels: { 'app.kubernetes.io/managed-by': 'other' } },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': 'x', 'tls.key': 'y' },
  });
  const outcomes = async (call = {}) =>
    (await harness.deploy(call)).certificates.map(({ name, decision }) => `${name} ${decision}`).toSorted();
  isDown = false;
  expect(await outcomes({ certificates: ['own'] })).toEqual(['own refused']);
  isDown = true;
  const waiting = ['own pending', 'shop pending', 'two pending'];
  expect(await outcomes()).toEqual(waiting);
  const writes = harness.store.count('record');
  expect(await outcomes(), 'it is still down').toEqual(waiting);
  expect(harness.store.count('record'), 'a look at the cluster writes nothing').toBe(writes);
  isDown = false;
  expect(await outcomes({ clusters: ['lab'], dryRun: true })).toEqual([
    'own pending',
    'shop planned',
    'two planned',
  ]);
  expect(await outcomes()).toEqual(['own pending', 'shop delivered', 'two delivered']);
  expect(problem(harness)).toBeUndefined();
  expect(state(harness, 'own').deliveryProblem).toMatchObject({
    code: 'Foreign',
    cause: 'target/lab/shop/own',
  });
});

test('what waited for a cluster is tried also if another pass has found that it answers', async () => {
  let isDown = true;
  const error = () => (isDown ? new ClusterError('Unreachable', 'no answer') : undefined);
  const harness = await openHarness({ targets: [targetOf()], wrap: failing(error) });
  await harness.issue('two', 'version-1', [targetOf({ secret: 'two' })]);
  await harness.deploy();
  isDown = false;
  await harness.deploy({ certificates: ['two'] });
  expect(harness.operations.clusters).toEqual({});
  harness.operations.failures.next('read', new StoreError('Throttled', 'slow down'));
  expect((await harness.deploy({ clusters: ['lab'] })).certificates).toMatchObject([
    { name: 'shop', decision: 'delivered' },
    { name: 'two', decision: 'unchanged' },
  ]);
});

test('300 certificates in a cluster that is down cost one write, and one when it is back', async () => {
  let isDown = false;
  const error = () => (isDown ? new ClusterError('Unreachable', `no answer at ${++calls}`) : undefined);
  let calls = 0;
  const harness = await openHarness({ targets: [targetOf()], wrap: failing(error) });
  for (let index = 1; index < 300; index += 1)
    await harness.issue(`c${index}`, 'version-1', [targetOf({ secret: `c${index}` })]);
  await harness.deploy();
  const written = () => harness.store.count('record') + harness.operations.written.length;
  const before = written();
  isDown = true;
  const since = harness.clock.now();
  for (const _ of [1, 2, 3]) {
    await harness.deploy();
    harness.clock.pass(hour);
  }
  expect(written() - before).toBe(1);
  expect(harness.operations.clusters.lab).toMatchObject({ code: 'Unreachable', since });
  expect(problem(harness), 'nothing is due there').toBeUndefined();
  await harness.issue('shop', 'version-2');
  await harness.deploy();
  expect(problem(harness)).toMatchObject({ code: 'Unreachable', cause: 'cluster/lab' });
  expect(written() - before).toBe(2);
  isDown = false;
  await harness.deploy({ certificates: ['shop'] });
  expect(harness.operations.clusters).toEqual({});
  expect(problem(harness)).toBeUndefined();
  // What is delivered, what is served, and the cluster.
  expect(written() - before).toBe(2 + 3);
}, 60_000);

test.for([
  'SignInFailed',
  'Unsupported',
  'Unavailable',
  'Malformed',
] as const)('a cluster that answers everything with %s is in trouble as a whole', async (code) => {
  let error: Error | undefined = new ClusterError(code, 'it says no');
  const targets = [targetOf({ secret: 'a' }), targetOf({ secret: 'b' })];
  const harness = await openHarness({ targets, wrap: failing(() => error) });
  await harness.deploy();
  expect(harness.operations.clusters.lab).toMatchObject({ code, words: 'it says no' });
  expect(problem(harness)?.cause).toBe('cluster/lab');
  error = undefined;
  harness.clock.pass(day);
  await harness.deploy();
  expect([harness.operations.clusters, problem(harness)]).toEqual([{}, undefined]);
});

test('a cluster of which one target was answered is not in trouble, and time that ran out tells nothing', async () => {
  const targets = [targetOf({ secret: 'a' }), targetOf({ secret: 'b' })];
  let isFirst = true;
  const once = () => {
    const error = isFirst ? new ClusterError('Unreachable', 'no answer') : undefined;
    isFirst = false;
    return error;
  };
  const harness = await openHarness({ targets, wrap: failing(once), concurrency: 2 });
  await harness.deploy();
  expect(harness.operations.clusters).toEqual({});
  expect(problem(harness)).toMatchObject({ code: 'Unreachable', cause: 'target/lab/shop/a' });
  const trouble = { since: harness.clock.now(), code: 'Unreachable', words: 'it was so' };
  harness.operations.clusters.lab = trouble;
  await harness.deploy({ certificates: ['shop'] }, AbortSignal.abort(new Error('time is up')));
  expect(harness.operations.clusters).toEqual({ lab: trouble });
  expect(problem(harness)).toMatchObject({ code: 'Deadline' });
});

test('clusters that are gone, or that get nothing any more, are in no trouble; what is not noted is logged', async () => {
  const harness = await openHarness({ targets: [targetOf()], agents: ['edge'], clusters: ['lab', 'idle'] });
  const trouble = { since: harness.clock.now(), code: 'Unreachable', words: 'it was so' };
  Object.assign(harness.operations.clusters, { gone: trouble, edge: trouble, idle: trouble });
  harness.operations.failures.next('read', new StoreError('Denied', 'AWS denied it'));
  await harness.deploy();
  expect(Object.keys(harness.operations.clusters)).toEqual(['gone', 'edge', 'idle']);
  expect(harness.log.lines).toContainEqual(
    expect.objectContaining({ level: 'error', event: 'installation not recorded' }),
  );
  await harness.deploy({ certificates: ['shop'] });
  expect(Object.keys(harness.operations.clusters)).toEqual(['idle']);
  await harness.deploy();
  expect(harness.operations.clusters).toEqual({});
  const before = harness.operations.written.length;
  await harness.deploy();
  expect(harness.operations.written.length).toBe(before);
});

test('of more clusters in trouble than there are tags for, 30 are noted, and the log names the others', async () => {
  const names = Array.from({ length: 33 }, (_, index) => `down${index}`);
  const targets = names.map((cluster) => targetOf({ cluster }));
  const harness = await openHarness({ targets });
  await harness.deploy();
  expect(Object.keys(harness.operations.clusters)).toHaveLength(30);
  expect(harness.log.lines).toContainEqual(
    expect.objectContaining({
      level: 'error',
      event: 'installation not recorded',
      fields: expect.objectContaining({ clusters: ['down30', 'down31', 'down32'] }),
    }),
  );
});

test('passes for one cluster each keep the trouble of another cluster, and end their own', async () => {
  const targets = ['lab', 'b', 'c'].map((cluster) =>
    targetOf({ cluster, namespace: cluster === 'lab' ? 'shop' : 'closed' }),
  );
  const harness = await openHarness({ targets, clusters: ['lab', 'b', 'c'] });
  const all = () => Promise.all(['lab', 'b', 'c'].map((cluster) => harness.deploy({ clusters: [cluster] })));
  const open = (name: string) => {
    const cluster = harness.clusters.get(name);
    cluster?.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'closed' } });
    cluster?.create(bindingOf('closed', 'certrelay'));
  };
  await all();
  const first = problem(harness);
  const [, firstCluster = ''] = first?.cause?.split('/') ?? [];
  expect(['b', 'c']).toContain(firstCluster);
  const other = firstCluster === 'b' ? 'c' : 'b';
  for (const cluster of ['lab', other, 'lab', other]) {
    harness.clock.pass(day);
    await harness.deploy({ clusters: [cluster] });
    expect(problem(harness), cluster).toEqual(first);
  }
  open(firstCluster);
  harness.clock.pass(day);
  await all();
  harness.clock.pass(day);
  await all();
  expect(problem(harness)).toMatchObject({ cause: `target/${other}/closed/shop-tls` });
  open(other);
  harness.clock.pass(day);
  await all();
  expect(problem(harness)).toBeUndefined();
  expect(state(harness).deployed?.phases).toEqual(['rolled-out', 'rolled-out', 'rolled-out']);
});

test('a rollout that waits for a person is remembered as that, and a failure elsewhere is worse', async () => {
  const harness = await openHarness({
    targets: [targetOf(), targetOf({ cluster: 'b', namespace: 'closed' })],
    clusters: ['lab', 'b'],
  });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  await harness.admin.patch(apps('Deployment', 'web'), { spec: { paused: true } });
  harness.clock.pass(minute);
  await harness.deploy({ clusters: ['lab'] });
  expect(problem(harness)).toMatchObject({
    code: 'Waiting',
    cause: 'target/lab/shop/shop-tls',
    since: harness.clock.now(),
    words: expect.stringContaining('Deployment web needs a person'),
  });
  harness.clock.pass(hour);
  const failed = harness.clock.now();
  await harness.deploy({ clusters: ['b'] });
  const failure = { code: 'Forbidden', cause: 'target/b/closed/shop-tls', since: failed };
  expect(problem(harness)).toMatchObject(failure);
  await harness.deploy({ clusters: ['lab'] });
  expect(problem(harness)).toMatchObject(failure);
  harness.targets([targetOf()]);
  await harness.deploy();
  expect(problem(harness)).toMatchObject({ code: 'Waiting', since: harness.clock.now() });
  await harness.admin.patch(apps('Deployment', 'web'), { spec: { paused: false } });
  await harness.deploy();
  expect(problem(harness)).toBeUndefined();
});

test('a certificate that cannot be loaded is remembered with why, and one without targets is in no trouble', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.store.failures.next('read', new StoreError('Denied', 'AWS denied it'));
  await harness.deploy();
  expect(problem(harness)).toMatchObject({
    code: 'Denied',
    cause: 'function/deploy',
    words: 'AWS denied it',
  });
  await harness.deploy();
  expect(problem(harness)).toBeUndefined();
  harness.clock.pass(100 * day);
  await harness.deploy();
  expect(problem(harness)).toMatchObject({ code: 'Unusable' });
  harness.targets([]);
  await harness.deploy();
  expect(problem(harness)).toBeUndefined();
});
