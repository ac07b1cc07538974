// What a cluster refuses of a Secret: each with a code, a sentence and what would mend it, and nothing else
// is touched.
import { expect, test } from 'vitest';
import { targetOf } from '../minting/targets.ts';
import { codesOf, only, openHarness } from './harness.ts';

const hook = 'admission webhook "policy.example" denied the request: label team is missing';
const quota =
  'secrets "shop-tls" is forbidden: exceeded quota: small, requested: count/secrets=1, limited: 1';

test.for<[string, number, string, RegExp]>([
  ['an admission webhook, as validation does', 400, hook, /policy.*labels and annotations.*team is missing/],
  ['an admission webhook, as RBAC does', 403, hook, /policy.*labels and annotations.*team is missing/],
  ['a quota', 403, quota, /quota is used up: raise it.*count\/secrets=1/],
  [
    'a quota that must be told what is asked for',
    403,
    'secrets "shop-tls" is forbidden: failed quota: small: must specify limits.cpu',
    /quota is used up.*must specify limits\.cpu/,
  ],
  [
    'a limit range',
    403,
    'secrets "shop-tls" is forbidden: maximum size per Secret is 1Ki, but limit is 5Ki',
    /lab: secrets "shop-tls" is forbidden: maximum size per Secret is 1Ki/,
  ],
  [
    'a namespace on its way out',
    403,
    'secrets "shop-tls" is forbidden: unable to create new content in namespace shop because it is being terminated',
    /namespace is being deleted: wait until it exists again, or remove the target/,
  ],
  [
    'admission that speaks as RBAC does',
    403,
    'admission webhook "policy.example" denied the request: User "eve" cannot patch resource "roles" in API group ""',
    /policy does not allow it.*User "eve" cannot patch/,
  ],
])('a Secret refused by %s is refused for good, with what would mend it', async ([
  ,
  status,
  message,
  words,
]) => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  harness.faults.set('kubernetes', 'patch secrets', { kind: 'error', code: 'Forbidden', status, message });
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ outcome: 'refused', message: expect.stringMatching(words) });
  expect(codesOf(report)).toEqual(['Rejected']);
  expect(harness.calls()).not.toContain('patch deployments');
  // Nobody needs to tell us that the cluster was mended.
  harness.clock.pass(5 * 60_000);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
});

test.for<[string, string, RegExp]>([
  [
    'an authorizer that adds its own words, of a user with a long name',
    `secrets "shop-tls" is forbidden: User "arn:aws:iam::123456789012:role/${'path-'.repeat(90)}deploy" cannot patch resource "secrets" in API group "" in the namespace "shop": no opinion`,
    /forbidden: user "arn:aws:iam:.*" may not; add verb "patch" on "secrets" to the role/,
  ],
  ['an authorizer without words', '', /forbidden: status 403/],
])('a Secret refused by %s is a missing right, which the next run tries again', async ([
  ,
  message,
  words,
]) => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.faults.set('kubernetes', 'patch secrets', {
    kind: 'error',
    code: 'Forbidden',
    status: 403,
    message,
  });
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ outcome: 'pending', message: expect.stringMatching(words) });
  expect(codesOf(report)).toEqual(['Forbidden']);
});

test('a Secret in which the keys of others leave no room is refused: it can hold 1 MiB', async () => {
  const harness = await openHarness({ targets: [targetOf({ adopt: true, format: 'combined-pem' })] });
  const data = { large: Buffer.alloc(1_048_576).toString('base64') };
  const metadata = { name: 'shop-tls' };
  const theirs = { apiVersion: 'v1', kind: 'Secret', metadata, data };
  await harness.admin.create('/api/v1/namespaces/shop/secrets', theirs);
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'refused',
    message: expect.stringMatching(/name another Secret at the target.*1048576/),
  });
  expect(codesOf(report)).toEqual(['Rejected']);
  expect(harness.secret()?.data).toEqual(data);
});

test('a namespace that does not exist is named, and what would mend it', async () => {
  const harness = await openHarness({ targets: [targetOf({ namespace: 'gone' })], namespaces: ['shop'] });
  harness.lab.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'everywhere' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'certrelay' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'certrelay' }],
  });
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    message: expect.stringContaining('namespace gone does not exist: create it, or correct the target'),
  });
  expect(codesOf(report)).toEqual(['NotFound']);
});
