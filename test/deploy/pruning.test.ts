// Secrets whose target was removed: they stay, and go only where the inventory says so and they are surely ours.
import { expect, test } from 'vitest';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { targetOf } from '../certificate/targets.ts';
import { bindingOf, openBench } from './bench.ts';

const kept = targetOf({ secret: 'kept-tls' });
const gone = targetOf({ secret: 'gone-tls' });

/** Delivered to both targets, of which one is then taken out of the inventory. */
async function open(prune?: true | readonly string[]) {
  const bench = await openBench({ targets: [kept, gone], ...(prune === undefined ? {} : { prune }) });
  bench.lab.create(bindingOf('shop', 'certrelay-prune'));
  expect((await bench.deploy()).pruned).toEqual([]);
  bench.targets([kept]);
  bench.calls();
  return bench;
}

test('a Secret whose target was removed stays where nothing says prune, and no list is asked for', async () => {
  const bench = await open();
  expect((await bench.deploy()).pruned).toEqual([]);
  expect(bench.secret('gone-tls')).toBeDefined();
  expect(bench.calls()).not.toContain('list secrets');
});

test('with prune it goes, the others stay, and the next run has nothing to do', async () => {
  const bench = await open(true);
  const dry = await bench.deploy({ dryRun: true });
  const subject = { certificate: 'shop', target: 'lab/shop/gone-tls' };
  expect(dry.pruned).toEqual([{ ...subject, outcome: 'planned', message: 'would delete the Secret' }]);
  expect(bench.secret('gone-tls')).toBeDefined();
  expect((await bench.deploy()).pruned).toEqual([
    { ...subject, outcome: 'deleted', message: 'Secret deleted' },
  ]);
  expect(bench.secret('gone-tls')).toBeUndefined();
  expect(bench.secret('kept-tls')).toBeDefined();
  expect((await bench.deploy()).pruned).toEqual([]);
});

test.for([
  ['certificates', { certificates: ['shop'] }],
  ['targets', { targets: ['lab/shop/kept-tls'] }],
] as const)('a run that names %s prunes nothing', async ([, request]) => {
  const bench = await open(true);
  expect((await bench.deploy(request)).pruned).toEqual([]);
  expect(bench.secret('gone-tls')).toBeDefined();
});

test('the Secrets of a certificate that left the inventory go in listed namespaces', async () => {
  const bench = await open(['shop']);
  bench.forget('shop');
  const { pruned } = await bench.deploy();
  expect(pruned.map(({ target }) => target)).toEqual(['lab/shop/gone-tls', 'lab/shop/kept-tls']);
});

test.for<[string, object]>([
  ['without our label', { labels: { 'app.kubernetes.io/managed-by': null } }],
  ['without our annotation', { annotations: { 'certrelay.dev/certificate': null } }],
  ['of a certificate that is not stored here', { annotations: { 'certrelay.dev/certificate': 'other' } }],
  [
    'of a version that is not stored here',
    { annotations: { 'certrelay.dev/version': 'version-of-another' } },
  ],
])('never a Secret %s', async ([, metadata]) => {
  const bench = await open(['shop']);
  await bench.admin.patch('/api/v1/namespaces/shop/secrets/gone-tls', { metadata });
  expect((await bench.deploy()).pruned).toEqual([]);
  expect(bench.secret('gone-tls')).toBeDefined();
});

test('never a Secret whose certificate was registered by webhook and still has the target', async () => {
  const bench = await open(['shop']);
  const stored = await bench.store.read('shop', 'AWSCURRENT');
  if (stored?.value.kind !== 'certificate') throw new Error('nothing is stored');
  const spec: StoredSpec = {
    name: 'shop',
    domains: ['shop.example.com'],
    issuer: 'default',
    key: 'ecdsa-p256',
    targets: [gone],
    source: 'registration',
  };
  bench.forget('shop');
  await bench.store.put('shop', { ...stored.value.certificate, spec }, 'version-2');
  const { pruned } = await bench.deploy();
  expect(pruned.map(({ target }) => target)).toEqual(['lab/shop/kept-tls']);
  expect(bench.secret('gone-tls')).toBeDefined();
});

test('a Secret that a workload still uses stays, and the report names the workload', async () => {
  const bench = await open(true);
  bench.addWorkload('Deployment', 'web', 'gone-tls');
  expect((await bench.deploy()).pruned).toMatchObject([
    { outcome: 'kept', message: expect.stringContaining('Deployment web still uses it') },
  ]);
  expect(bench.secret('gone-tls')).toBeDefined();
});

test('without the right to list, the missing rule is named, and what has targets is delivered all the same', async () => {
  const bench = await openBench({ targets: [kept], prune: true });
  const { certificates, pruned, failures } = await bench.deploy();
  expect(certificates).toMatchObject([{ decision: 'delivered' }]);
  expect(pruned).toMatchObject([
    { target: 'lab', outcome: 'pending', message: expect.stringContaining('verb "list" on "secrets"') },
  ]);
  expect([...failures.keys()]).toEqual(['lab']);
});
