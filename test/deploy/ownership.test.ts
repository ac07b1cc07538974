// Secrets that others own, made or change: what is refused, what is taken over, what is kept.
import { expect, test } from 'vitest';
import type { ClusterSecret } from '../../lib/policy/kubernetes/objects.ts';
import { targetOf } from '../minting/targets.ts';
import { bindingOf, codesOf, decode, only, openHarness } from './harness.ts';

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
    'of another certificate of ours',
    {
      ...theirs,
      metadata: {
        name: 'shop-tls',
        labels: { 'app.kubernetes.io/managed-by': 'certrelay' },
        annotations: { 'certrelay.dev/certificate': 'api' },
      },
    },
    { format: 'combined-pem' },
    'Foreign',
    /lab\/shop\/shop-tls contains certificate api.*"adopt: true"/,
  ],
  [
    'of another type (P07)',
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
] as const)('K38 a Secret %s is refused by name, and nothing is changed', async ([
  ,
  found,
  more,
  code,
  message,
]) => {
  const harness = await openHarness({ targets: [targetOf(more)] });
  await harness.admin.create(secretPath, found);
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  harness.calls();
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'refused',
    action: 'refuse',
    message: expect.stringMatching(message),
  });
  expect(codesOf(report)).toEqual([code]);
  expect(changes(harness.calls())).toEqual([]);
  expect(harness.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
    { event: 'delivery refused', fields: { problem: expect.stringMatching(message) } },
  ]);
});

test('adopt takes a Secret over: our keys and label are set, htpasswd and what else is theirs stays', async () => {
  const harness = await openHarness({ targets: [targetOf({ adopt: true, format: 'ployst' })] });
  await harness.admin.create(secretPath, theirs);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  const secret = harness.secret();
  expect(decode(secret?.data.htpasswd ?? '')).toBe('user:hash');
  expect(decode(secret?.data['tls.crt'] ?? '')).toContain('BEGIN CERTIFICATE');
  expect(secret?.metadata.labels).toEqual({ team: 'shop', 'app.kubernetes.io/managed-by': 'certrelay' });
  expect(secret?.metadata.annotations).toMatchObject({ note: 'theirs', 'certrelay.dev/certificate': 'shop' });
});

test('P07 replace makes a Secret of another type again, with the keys of others in it', async () => {
  const harness = await openHarness({ targets: [targetOf({ adopt: true, replace: true })] });
  harness.lab.create(bindingOf('shop', 'certrelay-replace'));
  await harness.admin.create(secretPath, theirs);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'replace' });
  const secret = harness.secret();
  expect(secret?.type).toBe('kubernetes.io/tls');
  expect(Object.keys(secret?.data ?? {}).toSorted()).toEqual(['htpasswd', 'tls.crt', 'tls.key']);
  expect(decode(secret?.data['tls.crt'] ?? '')).toContain('BEGIN CERTIFICATE');
  expect(secret?.metadata.labels).toMatchObject({ team: 'shop' });
  // What was kept is not ours: it survives the next version too.
  await harness.issue('shop', 'version-2');
  expect(only(await harness.deploy())).toMatchObject({ action: 'apply' });
  expect(decode(harness.secret()?.data.htpasswd ?? '')).toBe('user:hash');
});

test('labels and annotations of the user are set beside ours, and go when the target no longer names them', async () => {
  const labelled = targetOf({ labels: { team: 'shop' }, annotations: { 'example.com/note': 'a b' } });
  const harness = await openHarness({ targets: [labelled] });
  await harness.deploy();
  const label = { 'app.kubernetes.io/managed-by': 'certrelay' };
  expect(harness.secret()?.metadata.labels).toEqual({ ...label, team: 'shop' });
  expect(harness.secret()?.metadata.annotations).toMatchObject({
    'example.com/note': 'a b',
    'certrelay.dev/certificate': 'shop',
  });
  await harness.admin.patch(`${secretPath}/shop-tls`, { metadata: { labels: { theirs: 'yes' } } });
  harness.targets([targetOf({ labels: { tier: 'edge' } })]);
  expect(only(await harness.deploy())).toMatchObject({ action: 'apply' });
  expect(harness.secret()?.metadata.labels).toEqual({ ...label, tier: 'edge', theirs: 'yes' });
  expect(harness.secret()?.metadata.annotations).not.toHaveProperty('example.com/note');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged', action: 'keep' });
});

test('N02 htpasswd in the same Secret is never deleted or overwritten, whatever becomes of the target', async () => {
  const harness = await openHarness({ targets: [targetOf({ adopt: true, format: 'nginx-ssl-proxy' })] });
  await harness.admin.create(secretPath, theirs);
  const formats = ['nginx-ssl-proxy', 'ployst', 'combined-pem'] as const;
  for (const [index, format] of formats.entries()) {
    harness.targets([targetOf({ adopt: true, format })]);
    await harness.issue('shop', `version-${index + 2}`);
    expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
    expect(decode(harness.secret()?.data.htpasswd ?? '')).toBe('user:hash');
  }
});

test('K34 annotations are merged: what kube-lego wrote into its Secret stays beside ours', async () => {
  const harness = await openHarness({ targets: [targetOf({ adopt: true })] });
  const annotations = { 'kubernetes.io/tls-acme': 'true' };
  const data = { 'tls.crt': encode('old'), 'tls.key': encode('old') };
  const metadata = { name: 'shop-tls', annotations };
  await harness.admin.create(secretPath, { ...theirs, metadata, type: 'kubernetes.io/tls', data });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  const secret = harness.secret();
  expect(secret?.metadata.annotations).toMatchObject({
    ...annotations,
    'certrelay.dev/version': 'version-1',
  });
  expect(decode(secret?.data['tls.key'] ?? '')).toBe(harness.first.key);
});

test('replace without the right to delete says which rule is missing, and the Secret stays', async () => {
  const harness = await openHarness({ targets: [targetOf({ adopt: true, replace: true })] });
  await harness.admin.create(secretPath, theirs);
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    message: expect.stringContaining('add verb "delete" on "secrets"'),
  });
  expect(codesOf(report)).toEqual(['Forbidden']);
  expect(harness.secret()?.type).toBe('Opaque');
});

test('a Secret that changes between the look and the apply is looked at again', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await harness.deploy();
  await harness.issue('shop', 'version-2');
  let times = 0;
  harness.journal.after(async (call) => {
    if (call.action !== 'get secrets' || call.principal === 'admin' || times > 0) return;
    times += 1;
    await harness.admin.patch(`${secretPath}/shop-tls`, { data: { extra: encode('new') } });
  });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(harness.secret()?.data.extra).toBe(encode('new'));
  expect(harness.secret()?.metadata.annotations).toMatchObject({ 'certrelay.dev/version': 'version-2' });
});

test('a Secret with an owner is taken over with a warning that names the owner, as long as it has it', async () => {
  const harness = await openHarness({ targets: [targetOf({ adopt: true, format: 'combined-pem' })] });
  const ownerReferences = [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'note', uid: '1' },
    { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', name: 'web\n', uid: '2', controller: true },
  ];
  await harness.admin.create(secretPath, { ...theirs, metadata: { ...theirs.metadata, ownerReferences } });
  const warned = expect.stringMatching(
    /lab\/shop\/shop-tls has an owner \(ownerReferences\), Certificate web : it may overwrite .* deletes both/,
  );
  expect(only(await harness.deploy({ dryRun: true }))).toMatchObject({ outcome: 'planned', message: warned });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', message: warned });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged', message: warned });
  await harness.admin.patch(`${secretPath}/shop-tls`, { metadata: { ownerReferences: null } });
  expect(only(await harness.deploy()).message).not.toContain('owner');
});

test('a Secret that somebody makes while ours is under way is theirs: it is refused, not overwritten', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  let times = 0;
  harness.journal.after(async (call) => {
    if (call.action !== 'get secrets' || times > 0) return;
    times += 1;
    await harness.admin.create(secretPath, theirs);
  });
  expect(codesOf(await harness.deploy())).toEqual(['Foreign']);
  expect(harness.secret()?.data).toEqual(theirs.data);
});

test('a Secret that admission changes on the way is refused, and no workload is restarted', async () => {
  const harness = await openHarness({
    targets: [targetOf()],
    wrap: (cluster) => ({
      ...cluster,
      applySecret: async (...call) => {
        const stored = await cluster.applySecret(...call);
        return { ...stored, data: { ...stored.data, 'tls.key': encode('other') } };
      },
    }),
  });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'refused',
    message: expect.stringMatching(
      /changed tls\.key of Secret lab\/shop\/shop-tls before .*admission webhook/,
    ),
  });
  expect(changes(harness.calls())).toEqual(['patch secrets']);
});

test('a label that admission takes away is named in each pass, the Secret stays ours, and a dry run tells it', async () => {
  let isTaken = true;
  const take = <T extends ClusterSecret | undefined>(secret: T): T =>
    secret && isTaken ? { ...secret, labels: {} } : secret;
  const harness = await openHarness({
    targets: [targetOf()],
    wrap: (cluster) => ({
      ...cluster,
      readSecret: async (...call) => take(await cluster.readSecret(...call)),
      applySecret: async (...call) => take(await cluster.applySecret(...call)),
    }),
  });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  const now = { certificates: ['shop'] };
  const refused = {
    outcome: 'refused',
    message: expect.stringContaining('the cluster removed label app.kubernetes.io/managed-by of Secret lab'),
  };
  expect(only(await harness.deploy(now))).toMatchObject(refused);
  expect(only(await harness.deploy(now))).toMatchObject(refused);
  expect(only(await harness.deploy({ ...now, dryRun: true }))).toMatchObject({
    outcome: 'planned',
    message: expect.stringContaining('admission removed label app.kubernetes.io/managed-by of Secret lab'),
  });
  isTaken = false;
  expect(only(await harness.deploy(now))).toMatchObject({
    outcome: 'delivered',
    restarted: ['Deployment web'],
  });
});
