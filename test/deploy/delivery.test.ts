// Delivering a certificate to targets whose clusters answer.

import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { tagsOfState } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';
import { decode, only, openHarness, targetsOf } from './harness.ts';

const restarts = (calls: readonly string[]) =>
  calls.filter((call) => /^patch (deploy|stateful|daemon)/.test(call));

test('K34 the Secret is made as design §3 says, and its users are rolled, all before the run ends', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  harness.addWorkload('StatefulSet', 'db', 'shop-tls');
  harness.addWorkload('DaemonSet', 'edge', 'shop-tls');
  harness.addWorkload('Deployment', 'other', 'other-tls');

  const report = await harness.deploy();
  expect(report.failures.size).toBe(0);
  expect(only(report)).toEqual({
    certificate: 'shop',
    target: 'lab/shop/shop-tls',
    outcome: 'delivered',
    action: 'create',
    restarted: ['Deployment web', 'StatefulSet db', 'DaemonSet edge'],
    message: 'Secret created, restarted Deployment web, StatefulSet db, DaemonSet edge',
  });
  const leaf = new X509Certificate(harness.first.chain);
  const fingerprint = leaf.fingerprint256.replaceAll(':', '').toLowerCase();
  const secret = harness.secret();
  expect(secret).toMatchObject({
    type: 'kubernetes.io/tls',
    metadata: {
      labels: { 'app.kubernetes.io/managed-by': 'certrelay' },
      annotations: {
        'certrelay.dev/certificate': 'shop',
        'certrelay.dev/fingerprint': fingerprint,
        'certrelay.dev/version': 'version-1',
        'certrelay.dev/not-after': leaf.validToDate.toISOString(),
      },
    },
  });
  const data = secret?.data ?? {};
  expect(Object.keys(data)).toEqual(['tls.crt', 'tls.key']);
  expect(new X509Certificate(decode(data['tls.crt'] ?? '')).fingerprint256).toBe(leaf.fingerprint256);
  expect(decode(data['tls.key'] ?? '').trim()).toBe(harness.first.key.trim());
  const annotation = { 'certrelay.dev/fingerprint-shop-tls': fingerprint };
  const marked = { spec: { template: { metadata: { annotations: annotation } } } };
  expect(harness.lab.find('deployments', 'shop', 'web')).toMatchObject(marked);
  expect(harness.lab.find('deployments', 'shop', 'other')).not.toMatchObject(marked);
  expect(tagsOfState(harness.store.kept.get('shop')?.state).deployed).toMatch(
    /^version-1\/[0-9a-f]{8}\/r\/\/\/version-\.\w+:0$/,
  );
});

test('delivered twice, nothing is patched: an unchanged target costs one call, and no tag is written', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  await harness.deploy({ certificates: ['shop'] });
  harness.calls();
  const records = harness.store.count('record');
  const report = await harness.deploy({ certificates: ['shop'] });
  expect(only(report)).toMatchObject({ outcome: 'unchanged', action: 'keep', restarted: [] });
  expect(harness.calls()).toEqual(['get secrets']);
  expect(harness.store.count('record')).toBe(records);
});

test('D12 a run ends only when the pods of the new template run', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  await harness.deploy();
  expect(harness.clock.slept.length).toBeGreaterThan(0);
  expect(harness.calls().lastIndexOf('list deployments')).toBeGreaterThan(0);
});

test('a renewed certificate replaces the old one and rolls the workloads again', async () => {
  const harness = await openHarness({ targets: [targetOf({ format: 'combined-pem' })] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  await harness.deploy();
  harness.calls();
  const renewed = await harness.issue('shop', 'version-2');
  expect(only(await harness.deploy())).toMatchObject({
    outcome: 'delivered',
    action: 'apply',
    restarted: ['Deployment web'],
  });
  expect(decode(harness.secret()?.data['tls-combined.pem'] ?? '')).toContain(renewed.key.trim());
  expect(restarts(harness.calls())).toEqual(['patch deployments']);
});

test('P07 the scheduled and the manual path leave byte-identical Secrets', async () => {
  const stored = async (event: { certificates?: readonly string[]; targets?: readonly string[] }) => {
    const harness = await openHarness({ targets: [targetOf({ format: 'ployst' })] });
    await harness.store.put('shop', { ...fixed, issuer: 'https://ca.example/directory' }, 'version-2');
    await harness.deploy(event);
    return JSON.stringify(harness.secret());
  };
  const { first: fixed } = await openHarness({ targets: [] });
  const scheduled = await stored({});
  expect(scheduled).toContain('dhparam');
  expect(await stored({ certificates: ['shop'] })).toBe(scheduled);
  expect(await stored({ targets: ['lab/shop/shop-tls'] })).toBe(scheduled);
});

test.for([
  ['K35', { restart: 'none' }],
  ['P08', { restart: [] }],
] as const)('%s %o restarts nothing, is a success, and says so', async ([, restart]) => {
  const harness = await openHarness({ targets: [targetOf(restart)] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'delivered',
    restarted: [],
    message: 'Secret created, restart: none',
  });
  expect(report.failures.size).toBe(0);
  expect(harness.calls()).toEqual(['get secrets', 'patch secrets']);
});

test('N03 with format nginx-ssl-proxy the pods that read the files at start are restarted', async () => {
  const harness = await openHarness({ targets: [targetOf({ format: 'nginx-ssl-proxy' })] });
  harness.addWorkload('Deployment', 'proxy', 'shop-tls');
  expect(only(await harness.deploy())).toMatchObject({ restarted: ['Deployment proxy'] });
});

test('P11 the env strategy sets the fingerprint, so that a second run restarts nothing', async () => {
  const harness = await openHarness({ targets: [targetOf({ restartStrategy: 'env' })] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  expect(only(await harness.deploy())).toMatchObject({ restarted: ['Deployment web'] });
  const value = new X509Certificate(harness.first.chain).fingerprint256.replaceAll(':', '').toLowerCase();
  const env = [{ name: 'LETSENCRYPT_CERT_REFRESH', value }];
  const template = { spec: { containers: [{ name: 'main', env }, { name: 'side' }] } };
  expect(harness.lab.find('deployments', 'shop', 'web')).toMatchObject({ spec: { template } });
  // As if the run had died before it could write down what it did.
  await harness.store.record('shop', { deployed: null });
  harness.calls();
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged', restarted: [] });
  expect(restarts(harness.calls())).toEqual([]);
});

test('two certificates in one workload do not undo each other', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await harness.issue('api', 'version-1', [targetOf({ secret: 'api-tls' })]);
  harness.addWorkload('Deployment', 'web', 'shop-tls', 'api-tls');
  await harness.deploy();
  for (const name of ['shop', 'api']) await harness.store.record(name, { deployed: null });
  harness.calls();
  expect(targetsOf(await harness.deploy()).map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged']);
  expect(restarts(harness.calls())).toEqual([]);
});

test('listed workloads are restarted whether they use the Secret or not, and others are not', async () => {
  const restart = [{ kind: 'Deployment', name: 'listed' }] as const;
  const harness = await openHarness({ targets: [targetOf({ restart })] });
  harness.addWorkload('Deployment', 'listed');
  harness.addWorkload('Deployment', 'user', 'shop-tls');
  expect(only(await harness.deploy())).toMatchObject({
    outcome: 'delivered',
    restarted: ['Deployment listed'],
  });
  expect(harness.calls().filter((call) => call.startsWith('list'))).toEqual(
    expect.not.arrayContaining(['list statefulsets', 'list daemonsets']),
  );
});

test('D02 twenty targets: at most three calls each besides shared lists, over one TLS connection', async () => {
  const targets = Array.from({ length: 20 }, (_, index) => targetOf({ secret: `copy-${index}` }));
  const harness = await openHarness({ targets });
  for (const { secret } of targets) harness.addWorkload('Deployment', secret, secret);
  const report = await harness.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(Array(20).fill('delivered'));
  const calls = harness.calls();
  const lists = calls.filter((call) => call.startsWith('list'));
  expect(calls.length - lists.length).toBe(60);
  expect(lists.filter((call) => /deployments|statefulsets|daemonsets/.test(call)).length).toBeLessThanOrEqual(
    6,
  );
  // ReplicationControllers, ReplicaSets, CronJobs and Pods, once each.
  expect(lists.length).toBeLessThanOrEqual(10);
  expect(harness.lab.connections()).toBe(1);
});

test('what was changed in the cluster is put right, and a Secret that was deleted is made again', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await harness.deploy();
  const good = harness.secret();
  const path = '/api/v1/namespaces/shop/secrets/shop-tls';
  await harness.admin.patch(path, { data: { 'tls.crt': 'AAAA' } });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(harness.secret()).toEqual(good);
  await harness.admin.remove(path);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'create' });
  expect(harness.secret()).toEqual(good);
});

test('a format with fewer keys takes the others away: no copy of the private key stays behind', async () => {
  const before = await openHarness({ targets: [targetOf({ format: 'ployst' })] });
  await before.deploy();
  before.targets([targetOf({ format: 'nginx-ssl-proxy' })]);
  expect(only(await before.deploy())).toMatchObject({ action: 'apply' });
  expect(Object.keys(before.secret()?.data ?? {}).toSorted()).toEqual(['dhparam', 'proxycert', 'proxykey']);
});

test('a dry run changes nothing, and says what the next run then does', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  const plan = only(await harness.deploy({ dryRun: true }));
  expect(plan).toMatchObject({ outcome: 'planned', action: 'create', restarted: ['Deployment web'] });
  expect(plan.message).toBe('would create the Secret, would restart Deployment web');
  expect(harness.calls().every((call) => /^(get|list) /.test(call))).toBe(true);
  expect(harness.store.count('record')).toBe(0);
  expect(only(await harness.deploy())).toMatchObject({ action: plan.action, restarted: plan.restarted });
});

test('only the certificates and targets that are asked for are touched', async () => {
  const harness = await openHarness({ targets: [targetOf({ secret: 'a' }), targetOf({ secret: 'b' })] });
  await harness.issue('api', 'version-1', [targetOf({ secret: 'c' })]);
  const report = await harness.deploy({ targets: ['lab/shop/b'] });
  expect(targetsOf(report).map(({ target }) => target)).toEqual(['lab/shop/b']);
  expect(report.certificates.map(({ name }) => name)).toEqual(['shop']);
  expect(harness.store.count('read')).toBe(1);
  await harness.deploy({ certificates: ['api'] });
  expect(['a', 'b', 'c'].map((name) => harness.secret(name) !== undefined)).toEqual([false, true, true]);
  expect(tagsOfState(harness.store.kept.get('shop')?.state).deployed).toMatch(/\/-r\/\/\/version-\.\w+:-0$/);
});

test('the log tells a pass over everything from one over what was named', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  for (const request of [
    {},
    { certificates: ['shop'] },
    { targets: ['lab/shop/shop-tls', 'lab/shop/typo'] },
  ]) {
    await harness.deploy(request);
  }
  const finished = harness.log.lines.filter(({ event }) => event === 'deploy finished');
  expect(finished.map(({ level, fields }) => [level, fields])).toMatchObject([
    ['info', { certificates: 1, failed: 0, asked: undefined }],
    ['info', { certificates: 1, failed: 0, asked: 1 }],
    ['info', { certificates: 1, failed: 1, asked: 2 }],
  ]);
});

test('what has no certificate yet, no targets or no definition is passed over', async () => {
  const harness = await openHarness({ targets: [] });
  await harness.store.create('waiting', undefined);
  await harness.issue('orphan', 'version-1');
  harness.forget('orphan');
  const report = await harness.deploy();
  expect(report.failures.size).toBe(0);
  expect(report.certificates).toMatchObject([
    {
      name: 'orphan',
      decision: 'skip',
      reason: 'Unused',
      message: 'it is neither in the inventory nor registered',
    },
    { name: 'shop', decision: 'skip', message: 'it has no targets' },
    { name: 'waiting', decision: 'skip', reason: 'NotIssued', message: 'it has not been issued yet' },
  ]);
  expect(report.certificates.map(({ reason }) => reason)).toEqual(['Unused', undefined, 'NotIssued']);
});

test('what is stored alone is no line of a delivery to one cluster', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await harness.store.create('waiting', undefined);
  await harness.issue('orphan', 'version-1');
  harness.forget('orphan');
  const report = await harness.deploy({ clusters: ['lab'] });
  expect(report.certificates.map(({ name }) => name)).toEqual(['shop']);
});

test('D08 the log says what was delivered where, and holds no key', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  const report = await harness.deploy();
  expect(harness.log.lines).toContainEqual({
    level: 'info',
    event: 'certificate delivered',
    fields: {
      certificate: 'shop',
      target: 'lab/shop/shop-tls',
      version: 'version-1',
      result: 'Secret created, nothing to restart',
    },
  });
  const written = JSON.stringify([harness.log.lines, report]);
  const body = harness.first.key.split('\n')[1] ?? '';
  expect(body.length).toBeGreaterThan(40);
  expect(written).not.toContain(body);
  expect(written).not.toContain('PRIVATE KEY');
});
