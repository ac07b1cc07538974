// Delivering when clusters, workloads or time stand in the way.

import { expect, test } from 'vitest';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { argoDefinition, argoRolloutOf } from '../contracts/kubernetes-kinds.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { tagsOfState } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';
import { bindingOf, codesOf, only, openHarness, targetsOf } from './harness.ts';

const changes = (calls: readonly string[]) => calls.filter((call) => !/^(get|list) /.test(call));

test('P19 K44 a cluster that cannot be reached leaves its targets pending and delays no other', async () => {
  const clusters = ['lab', 'down', 'east'];
  const targets = clusters.flatMap((cluster) =>
    ['a', 'b', 'c'].map((secret) => targetOf({ cluster, secret })),
  );
  const harness = await openHarness({ targets, clusters });
  await harness.clusters.get('down')?.stop();
  const report = await harness.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual([
    ...Array(3).fill('delivered'),
    ...Array(3).fill('pending'),
    ...Array(3).fill('delivered'),
  ]);
  expect(targetsOf(report)[3]?.message).toMatch(
    /in cluster down: no answer from 127\.0\.0\.1:\d+ \(ECONNREFUSED: /,
  );
  expect(new Set(codesOf(report))).toEqual(new Set(['Unreachable']));
  expect(report.certificates[0]?.message).toBe('targets: 3 pending, 6 delivered');
  const warnings = harness.log.lines.filter(({ level }) => level === 'warn');
  expect(warnings.map(({ event }) => event)).toEqual(Array(3).fill('delivery failed'));
  expect(tagsOfState(harness.store.kept.get('shop')?.state).deployed).toMatch(/\/rrr---rrr\/1\/2026/);
});

test('a cluster that does not answer is not waited for once a target', async () => {
  const targets = Array.from({ length: 40 }, (_, index) => targetOf({ secret: `copy-${index}` }));
  const harness = await openHarness({ targets });
  await harness.lab.stop();
  const report = await harness.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(Array(40).fill('pending'));
  expect(harness.clock.slept.length, 'waits before trying again, two a call').toBeLessThanOrEqual(16);
});

test.for([
  ['Unavailable', { kind: 'error', code: 'ServiceUnavailable', status: 503 }],
  ['Malformed', { kind: 'malformed' }],
] as const)('an answer that is %s leaves one target pending, not its cluster', async ([code, fault]) => {
  const targets = Array.from({ length: 40 }, (_, index) => targetOf({ secret: `copy-${index}` }));
  const harness = await openHarness({ targets });
  harness.faults.set('kubernetes', 'get secrets', fault, 3, (resource) => resource.endsWith('/copy-0'));
  const report = await harness.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual([
    'pending',
    ...Array(39).fill('delivered'),
  ]);
  expect(codesOf(report)).toEqual([code]);
  expect(only(await harness.deploy({ targets: ['lab/shop/copy-0'] })).outcome).toBe('delivered');
});

test.for([
  ['in one go', targetOf()],
  ['in steps', targetOf({ rollout: { waves: 1, deadlineMs: 60_000, probe: false, windows: [] } })],
] as const)('a run that began before a renewal does not put the older version over the newer one, %s', async ([
  ,
  target,
]) => {
  let renew: (() => Promise<unknown>) | undefined;
  const harness = await openHarness({
    targets: [target],
    wrap: (cluster) => ({
      ...cluster,
      readSecret: async (...call) => {
        const during = renew;
        renew = undefined;
        await during?.();
        return cluster.readSecret(...call);
      },
    }),
  });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  await harness.deploy();
  await harness.issue('shop', 'version-2');
  renew = async () => {
    harness.clock.pass(60_000);
    await harness.issue('shop', 'version-3');
    await harness.deploy();
  };
  const late = await harness.deploy();
  expect(only(late)).toMatchObject({
    outcome: 'pending',
    message: expect.stringContaining('version-3'),
  });
  expect(harness.secret()?.metadata.annotations?.['certrelay.dev/version']).toBe('version-3');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
});

test('a person who makes the version before current again has it delivered over the newer one', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await harness.deploy();
  harness.clock.pass(60_000);
  await harness.issue('shop', 'version-2');
  await harness.deploy();
  const stages = harness.store.kept.get('shop')?.stages;
  stages?.set('AWSCURRENT', 'version-1').set('AWSPREVIOUS', 'version-2');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(harness.secret()?.metadata.annotations?.['certrelay.dev/version']).toBe('version-1');
});

test.for([
  ['refuses the credentials', 'get secrets', 401, 'SignInFailed', 'pending'],
  ['is too old', 'patch secrets', 415, 'Unsupported', 'refused'],
] as const)('a cluster that %s is not asked once a target', async ([, action, status, code, outcome]) => {
  const targets = Array.from({ length: 40 }, (_, index) => targetOf({ secret: `copy-${index}` }));
  const harness = await openHarness({ targets });
  harness.faults.set('kubernetes', action, { kind: 'error', code: 'any', status }, 40);
  const report = await harness.deploy();
  expect(targetsOf(report).map((target) => target.outcome)).toEqual(Array(40).fill(outcome));
  expect(codesOf(report)).toEqual(Array(40).fill(code));
  expect(harness.calls().filter((call) => call === action).length, 'at once').toBeLessThanOrEqual(8);
});

test('the next pass touches only what was missing', async () => {
  const targets = [targetOf({ secret: 'a' }), targetOf({ secret: 'b', namespace: 'late' })];
  const harness = await openHarness({ targets });
  expect(codesOf(await harness.deploy())).toEqual(['Forbidden']);
  harness.lab.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'late' } });
  harness.lab.create(bindingOf('late', 'certrelay'));
  harness.clock.pass(5 * 60_000);
  harness.calls();
  const report = await harness.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['unchanged', 'delivered']);
  expect(changes(harness.calls())).toEqual(['patch secrets']);
});

test('a kubeconfig that cannot be used fails its own targets only', async () => {
  const harness = await openHarness({ targets: [targetOf({ cluster: 'unknown' }), targetOf()] });
  const report = await harness.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['pending', 'delivered']);
  expect(codesOf(report)).toEqual(['SignInFailed']);
});

test('a rollout that fails is a failure, though the Secret is delivered; it is not started again', async () => {
  const harness = await openHarness({
    targets: [targetOf()],
    areReady: (_, annotations) => !Object.hasOwn(annotations, 'certrelay.dev/fingerprint-shop-tls'),
  });
  const pod = { volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }] };
  const { body } = workloadOf('Deployment', 'shop', { pod, spec: { progressDeadlineSeconds: 60 } });
  await harness.admin.create('/apis/apps/v1/namespaces/shop/deployments', body);
  await harness.admin.get('/apis/apps/v1/namespaces/shop/deployments/web');
  harness.clock.pass(30_000);
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    restarted: ['Deployment web'],
    message: expect.stringMatching(/Deployment web in shop does not roll out; check its pods: .*timed out/),
  });
  expect(codesOf(report)).toEqual(['RolloutFailed']);
  expect(tagsOfState(harness.store.kept.get('shop')?.state).deployed).toMatch(/\/a$/);
  harness.calls();
  expect(codesOf(await harness.deploy())).toEqual(['RolloutFailed']);
  expect(changes(harness.calls())).toEqual([]);
});

test('a list from before the mark does not pass for a finished rollout', async () => {
  let lists = 0;
  const harness = await openHarness({
    targets: [targetOf({ restart: [{ kind: 'Deployment', name: 'web' }] })],
    wrap: (cluster) => {
      let before: Awaited<ReturnType<typeof cluster.listWorkloads>> | undefined;
      return {
        ...cluster,
        listWorkloads: async (...call) => {
          lists += 1;
          before ??= await cluster.listWorkloads(...call);
          return lists <= 3 ? before : cluster.listWorkloads(...call);
        },
      };
    },
  });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  // Its first rollout is over before ours begins.
  await harness.admin.get('/apis/apps/v1/namespaces/shop/deployments/web');
  harness.clock.pass(1000);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(lists).toBe(4);
});

test('a rollout that is not finished in time is pending and no failure; the next run finds it done', async () => {
  const time = new AbortController();
  const harness = await openHarness({
    targets: [targetOf()],
    wrap: (cluster) => ({
      ...cluster,
      restartWorkload: async (...call) => {
        const workload = await cluster.restartWorkload(...call);
        time.abort(new Error('time is up'));
        return workload;
      },
    }),
  });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  const report = await harness.deploy({}, time.signal);
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    message: expect.stringMatching(/restarted Deployment web; .*still rolling out/),
  });
  expect(report.failures.size).toBe(0);
  expect(harness.log.events()).toEqual(['delivery planned', 'delivery pending', 'deploy finished']);
  expect(tagsOfState(harness.store.kept.get('shop')?.state).deployed).toMatch(/\/a$/);
  harness.clock.pass(1000);
  harness.calls();
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(changes(harness.calls())).toEqual([]);
  expect(tagsOfState(harness.store.kept.get('shop')?.state).deployed).toMatch(/\/r\/\/\//);
});

test('when time is up before a target had its turn, that is a failure, and what is done is recorded', async () => {
  const time = new AbortController();
  const hang = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const targets = [targetOf({ secret: 'a' }), targetOf({ cluster: 'slow', secret: 'b' })];
  const harness = await openHarness({
    targets,
    clusters: ['lab', 'slow'],
    wrap: (cluster, name) =>
      name === 'slow'
        ? { ...cluster, readSecret: (_namespace, _name, signal) => hang(signal) }
        : { ...cluster, close: async () => time.abort(new Error('time is up')) },
  });
  const report = await harness.deploy({}, time.signal);
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['delivered', 'pending']);
  expect(targetsOf(report)[1]?.message).toBe('time ran out before it was delivered; the next run continues');
  expect(codesOf(report)).toEqual(['Deadline']);
  expect(tagsOfState(harness.store.kept.get('shop')?.state).deployed).toMatch(/\/r-\/1\/2026/);
});

test('a connection is closed once, whether its targets were delivered or not', async () => {
  const closed: string[] = [];
  const harness = await openHarness({
    targets: [targetOf(), targetOf({ cluster: 'down' })],
    clusters: ['lab', 'down'],
    wrap: (cluster, name) => ({
      ...cluster,
      close: async () => {
        closed.push(name);
        await cluster.close();
      },
    }),
  });
  await harness.clusters.get('down')?.stop();
  await harness.deploy();
  expect(closed.toSorted()).toEqual(['down', 'lab']);
});

test('a workload that is listed and does not exist is named; the Secret is delivered all the same', async () => {
  const restart = [
    { kind: 'Deployment', name: 'gone' },
    { kind: 'Deployment', name: 'web' },
  ] as const;
  const harness = await openHarness({ targets: [targetOf({ restart })] });
  harness.addWorkload('Deployment', 'web');
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    action: 'create',
    restarted: ['Deployment web'],
    message: expect.stringContaining(
      'Deployment gone does not exist in lab/shop; correct the target\'s "restart"',
    ),
  });
  expect(codesOf(report)).toEqual(['NotFound']);
});

test('workloads that roll out only when a person acts are marked and named, and have the certificate once they have', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  const pod = { volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }] };
  const { body } = workloadOf('Deployment', 'shop', { pod, spec: { paused: true } });
  await harness.admin.create('/apis/apps/v1/namespaces/shop/deployments', body);
  const first = await harness.deploy();
  expect(only(first)).toMatchObject({
    outcome: 'pending',
    restarted: [],
    message: expect.stringMatching(
      /Deployment web needs a person: 0 of 2 pods are new; it is paused: resume it/,
    ),
  });
  expect(first.failures.size, 'a person who paused it is not called').toBe(0);
  await harness.admin.patch('/apis/apps/v1/namespaces/shop/deployments/web', { spec: { paused: false } });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
});

test('strategy Recreate, which stops every pod first, is a warning in the plan', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  const pod = { volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }] };
  const spec = { replicas: 3, strategy: { type: 'Recreate' } };
  const { body } = workloadOf('Deployment', 'shop', { pod, spec });
  await harness.admin.create('/apis/apps/v1/namespaces/shop/deployments', body);
  expect(only(await harness.deploy({ dryRun: true })).message).toMatch(
    /Deployment web .*Recreate: it does not answer while it restarts/,
  );
});

test.for([
  'lose',
  'drop',
] as const)('when the answer of the apply is lost (%s), it is delivered once', async (kind) => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  harness.faults.set('kubernetes', 'patch secrets', { kind });
  harness.faults.set('kubernetes', 'patch deployments', { kind });
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ outcome: 'delivered', restarted: ['Deployment web'] });
  expect(harness.lab.find('deployments', 'shop', 'web')?.metadata.generation).toBe(2);
});

test('N14 a certificate without its own key is delivered nowhere, and keeps no other from it', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  const broken = await harness.issue('broken', 'version-1', [targetOf({ secret: 'broken-tls' })]);
  const { key } = harness.first;
  await harness.store.put('broken', { chain: broken.chain, key, issuer: 'https://ca.example' }, 'version-2');
  const report = await harness.deploy();
  expect(report.certificates).toMatchObject([
    { name: 'broken', decision: 'refused', message: expect.stringMatching(/KeyMismatch/) },
    { name: 'shop', decision: 'delivered' },
  ]);
  expect([...report.failures.keys()]).toEqual(['broken']);
  expect(harness.secret('broken-tls')).toBeUndefined();
});

test('names of certificates and targets that nobody knows are failures of their own', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  const report = await harness.deploy({
    certificates: ['shop', 'typo'],
    targets: ['lab/shop/shop-tls', 'lab/shop/typo'],
  });
  expect(only(report)).toMatchObject({ outcome: 'delivered' });
  expect([...report.failures.keys()]).toEqual(['typo', 'lab/shop/typo']);
});

test('a tag that cannot be written is a failure, though everything is delivered', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.store.failures.next('record', new ClusterError('Rejected', 'throttled'));
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ outcome: 'delivered' });
  expect(report.failures.get('shop')).toHaveLength(1);
  expect(harness.log.lines).toContainEqual({
    level: 'error',
    event: 'state not recorded',
    fields: { certificate: 'shop', problem: 'throttled' },
  });
});

test('P09 what uses the Secret and cannot be rolled is named, as far as its listing is allowed', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  const labels = { app: 'old' };
  const volumes = [{ name: 'tls', secret: { secretName: 'shop-tls' } }];
  const pod = { containers: [{ name: 'main', image: 'registry.invalid/x:1' }], volumes };
  const spec = { selector: labels, template: { metadata: { labels }, spec: pod } };
  const metadata = { name: 'old', namespace: 'shop' };
  harness.lab.create({ apiVersion: 'v1', kind: 'ReplicationController', metadata, spec });
  harness.lab.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: pod });
  harness.lab.create(argoDefinition);
  harness.lab.create(argoRolloutOf('shop', 'canary', 'shop-tls'));
  const forbidden = { kind: 'error', code: 'Forbidden', status: 403 } as const;
  harness.faults.set('kubernetes', 'list pods', forbidden);
  const report = await harness.deploy();
  expect(report.failures.size).toBe(0);
  expect(only(report)).toMatchObject({
    outcome: 'delivered',
    message:
      'Secret created, nothing to restart; Rollout canary uses it too: Argo Rollouts rolls it; run "kubectl argo rollouts restart" for it, or bind the role certrelay-rollouts, with which Certrelay does; ReplicationController old uses it too: it cannot be rolled; convert it to a Deployment',
  });
  harness.calls();
  await harness.deploy();
  expect(harness.calls(), 'an unchanged target asks for none of them').toEqual(['get secrets']);
});

test('at a renewal whoever has pods with the Secret is named once, but for what restarts anyway', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  const volumes = [{ name: 'tls', secret: { secretName: 'shop-tls' } }];
  const spec = { containers: [{ name: 'main', image: 'registry.invalid/x:1' }], volumes };
  const own = (name: string, kind: string, apiVersion: string, owner: string) => ({
    name,
    namespace: 'shop',
    ownerReferences: [{ apiVersion, kind, name: owner, uid: 'u', controller: true }],
  });
  const labels = { app: 'web' };
  const revision = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } };
  const metadata = own('web-1', 'Deployment', 'apps/v1', 'web');
  harness.lab.create({ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec: revision });
  for (const one of [
    own('web-1-a', 'ReplicaSet', 'apps/v1', 'web-1'),
    own('events-0', 'Kafka', 'strimzi.io/v1', 'events'),
    own('events-1', 'Kafka', 'strimzi.io/v1', 'events'),
  ]) {
    harness.lab.create({ apiVersion: 'v1', kind: 'Pod', metadata: one, spec });
  }
  const message =
    'Secret created, restarted Deployment web; Kafka.strimzi.io events uses it too: Certrelay does not restart this kind; restart it with its own tool';
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ restarted: ['Deployment web'], message });
  expect(report.failures.size).toBe(0);
});

test('a list of pods that cannot be read to its end costs the advice, and nothing else', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  const expired = { kind: 'error', code: 'Expired', status: 410 } as const;
  harness.faults.set('kubernetes', 'list pods', expired, Number.POSITIVE_INFINITY);
  const report = await harness.deploy();
  expect(report.failures.size).toBe(0);
  expect(only(report)).toMatchObject({
    outcome: 'delivered',
    message: 'Secret created, restarted Deployment web',
  });
  expect(harness.log.lines).toContainEqual({
    level: 'debug',
    event: 'other users not listed',
    fields: { namespace: 'shop', problem: expect.stringContaining('list pods shop/*') },
  });
});

test('a workload that refuses to be restarted is named, and one scaled to zero is not waited for', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  const pod = { volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }] };
  const create = (name: string, metadata: object, spec: object) => {
    const { body } = workloadOf('Deployment', 'shop', { name, pod, spec });
    return harness.admin.create('/apis/apps/v1/namespaces/shop/deployments', {
      ...body,
      metadata: { name, ...metadata },
    });
  };
  await create('own', { annotations: { 'certrelay.dev/restart': 'false' } }, {});
  await create('zero', {}, { replicas: 0 });
  expect(only(await harness.deploy())).toMatchObject({
    outcome: 'delivered',
    restarted: ['Deployment zero'],
    message: expect.stringContaining(
      'Deployment own is not restarted: it has the annotation certrelay.dev/restart: "false"',
    ),
  });
  expect(harness.clock.slept).toEqual([]);
});

test('a report stays short, however many objects of a namespace use the Secret', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  for (let index = 0; index < 300; index += 1) {
    harness.addWorkload('Deployment', `${'w'.repeat(200)}-${index}`, 'shop-tls');
    harness.lab.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${'p'.repeat(200)}-${index}`, namespace: 'shop' },
      spec: { containers: [], volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }] },
    });
  }
  const { message, restarted } = only(await harness.deploy({}, AbortSignal.timeout(60_000)));
  expect(message.length).toBeLessThan(5_000);
  expect(restarted).toHaveLength(101);
  expect(restarted.at(-1)).toBe('and 200 more');
}, 60_000);
