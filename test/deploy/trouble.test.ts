// Delivering when targets, clusters, workloads or time stand in the way.
import { expect, test } from 'vitest';
import { ClusterError } from '../../lib/errors.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { bindingOf, codesOf, decode, only, openBench, targetOf, targetsOf } from './bench.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');
const secretPath = '/api/v1/namespaces/shop/secrets';
const theirs = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'shop-tls', labels: { team: 'shop' }, annotations: { note: 'theirs' } },
  data: { htpasswd: encode('user:hash'), 'tls.crt': encode('old') },
};
const changes = (calls: readonly string[]) => calls.filter((call) => !/^(get|list) /.test(call));

test.for([
  [
    'of somebody else',
    theirs,
    {},
    'Foreign',
    /lab\/shop\/shop-tls exists and is not Certrelay's.*"adopt: true"/,
  ],
  [
    'of another type',
    theirs,
    { adopt: true, format: 'tls' },
    'TypeConflict',
    /Opaque.*kubernetes.io\/tls.*"replace: true"/,
  ],
  [
    'that is immutable',
    { ...theirs, immutable: true },
    { adopt: true, format: 'combined-pem' },
    'Rejected',
    /lab\/shop\/shop-tls is immutable/,
  ],
] as const)('a Secret %s is refused by name, and nothing is changed', async ([
  ,
  found,
  more,
  code,
  message,
]) => {
  const bench = await openBench({ targets: [targetOf(more)] });
  await bench.admin.create(secretPath, found);
  bench.addWorkload('Deployment', 'web', 'shop-tls');
  bench.calls();
  const report = await bench.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'refused',
    action: 'refuse',
    message: expect.stringMatching(message),
  });
  expect(codesOf(report)).toEqual([code]);
  expect(changes(bench.calls())).toEqual([]);
  expect(bench.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
});

test('adopt takes a Secret over: our keys and label are set, htpasswd and what else is theirs stays', async () => {
  const bench = await openBench({ targets: [targetOf({ adopt: true, format: 'ployst' })] });
  await bench.admin.create(secretPath, theirs);
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  const secret = bench.secret();
  expect(decode(secret?.data.htpasswd ?? '')).toBe('user:hash');
  expect(decode(secret?.data['tls.crt'] ?? '')).toContain('BEGIN CERTIFICATE');
  expect(secret?.metadata.labels).toEqual({ team: 'shop', 'app.kubernetes.io/managed-by': 'certrelay' });
  expect(secret?.metadata.annotations).toMatchObject({ note: 'theirs', 'certrelay.dev/certificate': 'shop' });
});

test('P07 replace makes a Secret of another type again, with the keys of others in it', async () => {
  const bench = await openBench({ targets: [targetOf({ adopt: true, replace: true })] });
  bench.lab.create(bindingOf('shop', 'certrelay-replace'));
  await bench.admin.create(secretPath, theirs);
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'replace' });
  const secret = bench.secret();
  expect(secret?.type).toBe('kubernetes.io/tls');
  expect(Object.keys(secret?.data ?? {}).toSorted()).toEqual(['htpasswd', 'tls.crt', 'tls.key']);
  expect(decode(secret?.data['tls.crt'] ?? '')).toContain('BEGIN CERTIFICATE');
  expect(secret?.metadata.labels).toMatchObject({ team: 'shop' });
  // What was kept is not ours: it survives the next version too.
  await bench.issue('shop', 'version-2');
  expect(only(await bench.deploy())).toMatchObject({ action: 'apply' });
  expect(decode(bench.secret()?.data.htpasswd ?? '')).toBe('user:hash');
});

test('replace without the right to delete says which rule is missing, and the Secret stays', async () => {
  const bench = await openBench({ targets: [targetOf({ adopt: true, replace: true })] });
  await bench.admin.create(secretPath, theirs);
  const report = await bench.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    message: expect.stringContaining('add verb "delete" on "secrets"'),
  });
  expect(codesOf(report)).toEqual(['Forbidden']);
  expect(bench.secret()?.type).toBe('Opaque');
});

test('P19 K44 a cluster that cannot be reached leaves its targets pending and delays no other', async () => {
  const clusters = ['lab', 'down', 'east'];
  const targets = clusters.flatMap((cluster) =>
    ['a', 'b', 'c'].map((secret) => targetOf({ cluster, secret })),
  );
  const bench = await openBench({ targets, clusters });
  await bench.clusters.get('down')?.stop();
  const report = await bench.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual([
    ...Array(3).fill('delivered'),
    ...Array(3).fill('pending'),
    ...Array(3).fill('delivered'),
  ]);
  expect(targetsOf(report)[3]?.message).toMatch(/in cluster down: no answer \(ECONNREFUSED\)/);
  expect(new Set(codesOf(report))).toEqual(new Set(['Unreachable']));
  expect(report.certificates[0]?.message).toBe('targets: 3 pending, 6 delivered');
  expect(bench.store.kept.get('shop')?.state.deployed).toMatch(/\/rrr---rrr$/);
});

test('the next pass touches only what was missing', async () => {
  const targets = [targetOf({ secret: 'a' }), targetOf({ secret: 'b', namespace: 'late' })];
  const bench = await openBench({ targets });
  expect(codesOf(await bench.deploy())).toEqual(['Forbidden']);
  bench.lab.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'late' } });
  bench.lab.create(bindingOf('late', 'certrelay'));
  bench.calls();
  const report = await bench.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['unchanged', 'delivered']);
  expect(changes(bench.calls())).toEqual(['patch secrets']);
});

test('a kubeconfig that cannot be used fails its own targets only', async () => {
  const bench = await openBench({ targets: [targetOf({ cluster: 'unknown' }), targetOf()] });
  const report = await bench.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['pending', 'delivered']);
  expect(codesOf(report)).toEqual(['BadKubeconfig']);
});

test('a rollout that fails is a failure, though the Secret is delivered; it is not started again', async () => {
  const bench = await openBench({ targets: [targetOf()] });
  const volumes = [{ name: 'tls', secret: { secretName: 'shop-tls' } }];
  const pod = { volumes, nodeSelector: { disk: 'none' } };
  const { body } = workloadOf('Deployment', 'shop', { pod, spec: { progressDeadlineSeconds: 60 } });
  await bench.admin.create('/apis/apps/v1/namespaces/shop/deployments', body);
  const report = await bench.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    restarted: ['Deployment web'],
    message: expect.stringMatching(/Deployment web in shop does not roll out, look at its pods: .*timed out/),
  });
  expect(codesOf(report)).toEqual(['RolloutFailed']);
  expect(bench.store.kept.get('shop')?.state.deployed).toMatch(/\/a$/);
  bench.calls();
  expect(codesOf(await bench.deploy())).toEqual(['RolloutFailed']);
  expect(changes(bench.calls())).toEqual([]);
});

test('a rollout that is not finished in time is pending and no failure; the next run finds it done', async () => {
  const time = new AbortController();
  const bench = await openBench({
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
  bench.addWorkload('Deployment', 'web', 'shop-tls');
  const report = await bench.deploy({}, time.signal);
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    message: expect.stringMatching(/restarted Deployment web; .*still rolling out/),
  });
  expect(report.failures.size).toBe(0);
  expect(bench.store.kept.get('shop')?.state.deployed).toMatch(/\/a$/);
  bench.clock.pass(1000);
  bench.calls();
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(changes(bench.calls())).toEqual([]);
  expect(bench.store.kept.get('shop')?.state.deployed).toMatch(/\/r$/);
});

test('when time is up before a target had its turn, that is a failure, and what is done is recorded', async () => {
  const time = new AbortController();
  const hang = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const targets = [targetOf({ secret: 'a' }), targetOf({ cluster: 'slow', secret: 'b' })];
  const bench = await openBench({
    targets,
    clusters: ['lab', 'slow'],
    wrap: (cluster, name) =>
      name === 'slow'
        ? { ...cluster, readSecret: (_namespace, _name, signal) => hang(signal) }
        : { ...cluster, close: async () => time.abort(new Error('time is up')) },
  });
  const report = await bench.deploy({}, time.signal);
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['delivered', 'pending']);
  expect(targetsOf(report)[1]?.message).toBe('time was up before it was delivered');
  expect(codesOf(report)).toEqual(['slow/shop/b: time was up before it was delivered']);
  expect(bench.store.kept.get('shop')?.state.deployed).toMatch(/\/r-$/);
});

test('a workload that is listed and does not exist is named; the Secret is delivered all the same', async () => {
  const restart = [
    { kind: 'Deployment', name: 'gone' },
    { kind: 'Deployment', name: 'web' },
  ] as const;
  const bench = await openBench({ targets: [targetOf({ restart })] });
  bench.addWorkload('Deployment', 'web');
  const report = await bench.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    action: 'create',
    restarted: ['Deployment web'],
    message: expect.stringContaining(
      'Deployment gone does not exist in lab/shop: correct the target\'s "restart"',
    ),
  });
  expect(codesOf(report)).toEqual(['NotFound']);
});

test('workloads that roll out only when a person acts are marked, named, and not waited for', async () => {
  const bench = await openBench({ targets: [targetOf()] });
  const pod = { volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }] };
  const { body } = workloadOf('Deployment', 'shop', { pod, spec: { paused: true } });
  await bench.admin.create('/apis/apps/v1/namespaces/shop/deployments', body);
  expect(only(await bench.deploy())).toMatchObject({
    outcome: 'delivered',
    message: expect.stringMatching(/Deployment web does not restart by itself: it is paused/),
  });
});

test('D12 one replica with strategy Recreate is a warning in the plan', async () => {
  const bench = await openBench({ targets: [targetOf()] });
  const pod = { volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }] };
  const spec = { replicas: 1, strategy: { type: 'Recreate' } };
  const { body } = workloadOf('Deployment', 'shop', { pod, spec });
  await bench.admin.create('/apis/apps/v1/namespaces/shop/deployments', body);
  expect(only(await bench.deploy({ dryRun: true })).message).toMatch(/does not answer while it restarts/);
});

test('a Secret that changes between the look and the apply is looked at again', async () => {
  const bench = await openBench({ targets: [targetOf()] });
  await bench.deploy();
  await bench.issue('shop', 'version-2');
  let times = 0;
  bench.journal.after(async (call) => {
    if (call.action !== 'get secrets' || call.principal === 'admin' || times > 0) return;
    times += 1;
    await bench.admin.patch(`${secretPath}/shop-tls`, { data: { extra: encode('new') } });
  });
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(bench.secret()?.data.extra).toBe(encode('new'));
  expect(bench.secret()?.metadata.annotations).toMatchObject({ 'certrelay.dev/version': 'version-2' });
});

test('a Secret that somebody makes while ours is under way is theirs: it is refused, not overwritten', async () => {
  const bench = await openBench({ targets: [targetOf()] });
  let times = 0;
  bench.journal.after(async (call) => {
    if (call.action !== 'get secrets' || times > 0) return;
    times += 1;
    await bench.admin.create(secretPath, theirs);
  });
  expect(codesOf(await bench.deploy())).toEqual(['Foreign']);
  expect(bench.secret()?.data).toEqual(theirs.data);
});

test('a Secret that admission changes on the way is refused, and no workload is restarted', async () => {
  const bench = await openBench({
    targets: [targetOf()],
    wrap: (cluster) => ({
      ...cluster,
      applySecret: async (...call) => {
        const stored = await cluster.applySecret(...call);
        return { ...stored, data: { ...stored.data, 'tls.key': encode('other') } };
      },
    }),
  });
  bench.addWorkload('Deployment', 'web', 'shop-tls');
  const report = await bench.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'refused',
    message: expect.stringMatching(
      /stored tls\.key of Secret lab\/shop\/shop-tls otherwise .*admission webhook/,
    ),
  });
  expect(changes(bench.calls())).toEqual(['patch secrets']);
});

test.for([
  'lose',
  'drop',
] as const)('when the answer of the apply is lost (%s), it is delivered once', async (kind) => {
  const bench = await openBench({ targets: [targetOf()] });
  bench.addWorkload('Deployment', 'web', 'shop-tls');
  bench.faults.set('kubernetes', 'patch secrets', { kind });
  bench.faults.set('kubernetes', 'patch deployments', { kind });
  const report = await bench.deploy();
  expect(only(report)).toMatchObject({ outcome: 'delivered', restarted: ['Deployment web'] });
  expect(bench.lab.find('deployments', 'shop', 'web')?.metadata.generation).toBe(2);
});

test('one certificate that cannot be delivered keeps no other from it', async () => {
  const bench = await openBench({ targets: [targetOf()] });
  const broken = await bench.issue('broken', 'version-1', [targetOf({ secret: 'broken-tls' })]);
  const { key } = bench.first;
  await bench.store.put('broken', { chain: broken.chain, key, issuer: 'https://ca.example' }, 'version-2');
  const report = await bench.deploy();
  expect(report.certificates).toMatchObject([
    { name: 'broken', decision: 'refused', message: expect.stringMatching(/KeyMismatch/) },
    { name: 'shop', decision: 'delivered' },
  ]);
  expect([...report.failures.keys()]).toEqual(['broken']);
  expect(bench.secret('broken-tls')).toBeUndefined();
});

test('names of certificates and targets that nobody knows are failures of their own', async () => {
  const bench = await openBench({ targets: [targetOf()] });
  const report = await bench.deploy({
    certificates: ['shop', 'typo'],
    targets: ['lab/shop/shop-tls', 'lab/shop/typo'],
  });
  expect(only(report)).toMatchObject({ outcome: 'delivered' });
  expect([...report.failures.keys()]).toEqual(['typo', 'lab/shop/typo']);
});

test('a tag that cannot be written is a failure, though everything is delivered', async () => {
  const bench = await openBench({ targets: [targetOf()] });
  bench.store.failures.next('record', new ClusterError('Rejected', 'throttled'));
  const report = await bench.deploy();
  expect(only(report)).toMatchObject({ outcome: 'delivered' });
  expect(report.failures.get('shop')).toHaveLength(1);
});
