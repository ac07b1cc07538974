// A workload that uses several Secrets, which are renewed in one pass, restarts once for all of them.
import { expect, test } from 'vitest';
import type { RolloutSpec } from '../../lib/certificate/rollout-spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { targetOf } from '../minting/targets.ts';
import { type Harness, type HarnessOptions, openHarness, targetsOf } from './harness.ts';
import { apps, countRevisions, patchesOf, podsOf, readWorkload } from './workloads.ts';

const rollout: RolloutSpec = { waves: 1, deadlineMs: 600_000, probe: false, windows: [] };
const canary = { ...rollout, canary: { kind: 'Deployment', name: 'canary' } } as const;
const keyOf = (secret: string) => `certrelay.dev/fingerprint-${secret}`;

/** Certificates `shop` and `api`, both delivered and then renewed; `web` uses both Secrets. */
async function openRenewed(
  options: Partial<HarnessOptions> = {},
  more: Partial<Parameters<typeof targetOf>[0]> = {},
) {
  const harness = await openHarness({ targets: [targetOf(more)], ...options });
  const api = targetOf({ secret: 'api-tls', ...more });
  await harness.issue('api', 'version-1', [api]);
  harness.addWorkload('Deployment', 'web', 'shop-tls', 'api-tls');
  harness.addWorkload('Deployment', 'canary', 'shop-tls');
  await harness.admin.get(apps('Deployment', 'web'));
  harness.clock.pass(60_000);
  await harness.deploy();
  harness.clock.pass(3_600_000);
  const shop = await harness.issue('shop', 'version-2');
  harness.clock.pass(60_000);
  const storedAt = harness.clock.now();
  const second = await harness.issue('api', 'version-2');
  harness.journal.clear();
  return {
    harness,
    storedAt,
    generation: readWorkload(harness, 'Deployment', 'web').generation,
    fingerprints: {
      'shop-tls': readCertificate(shop.chain).fingerprint,
      'api-tls': readCertificate(second.chain).fingerprint,
    },
  };
}

const webPatches = (harness: Harness) => patchesOf(harness).filter((name) => name === 'web');
const outcomes = async (harness: Harness) =>
  targetsOf(await harness.deploy())
    .toSorted((a, b) => b.certificate.localeCompare(a.certificate))
    .map(({ outcome }) => outcome);
async function forget(harness: Harness) {
  harness.clock.pass(3_600_000);
  for (const name of ['shop', 'api']) await harness.store.record(name, { deployed: null });
}

test.for([
  ['none is watched', [targetOf(), targetOf({ secret: 'api-tls' })]],
  ['one is watched', [targetOf({ rollout }), targetOf({ secret: 'api-tls' })]],
  ['the other is watched', [targetOf(), targetOf({ secret: 'api-tls', rollout })]],
  ['both are watched', [targetOf({ rollout }), targetOf({ secret: 'api-tls', rollout })]],
  ['one has a canary', [targetOf({ rollout: canary }), targetOf({ secret: 'api-tls' })]],
] as const)('one patch and one rollout, where %s', async ([, [shop, api]]) => {
  const harness = await openHarness({ targets: [shop] });
  await harness.issue('api', 'version-1', [api]);
  harness.addWorkload('Deployment', 'web', 'shop-tls', 'api-tls');
  harness.addWorkload('Deployment', 'canary', 'shop-tls');
  for (const version of ['version-1', 'version-2']) {
    if (version === 'version-2') for (const name of ['shop', 'api']) await harness.issue(name, version);
    const { generation } = readWorkload(harness, 'Deployment', 'web');
    harness.journal.clear();
    expect(await outcomes(harness)).toEqual(['delivered', 'delivered']);
    expect(webPatches(harness)).toEqual(['web']);
    expect(readWorkload(harness, 'Deployment', 'web').generation).toBe(generation + 1);
    harness.clock.pass(3_600_000);
  }
  await forget(harness);
  expect(await outcomes(harness)).toEqual(['unchanged', 'unchanged']);
  expect(webPatches(harness)).toEqual(['web']);
});

test('the pods have both certificates, and restartedAt is when the newer one was stored', async () => {
  const { harness, fingerprints, storedAt } = await openRenewed();
  await harness.deploy();
  expect(podsOf(harness, 'web').map(({ marks }) => marks)).toEqual(
    Array(2).fill(expect.objectContaining(fingerprints)),
  );
  const { annotations } = readWorkload(harness, 'Deployment', 'web').template.metadata;
  const second = Math.floor(storedAt.getTime() / 1000) * 1000;
  expect(Date.parse(annotations['kubectl.kubernetes.io/restartedAt'] ?? '')).toBe(second);
});

test("with ployst's variable it is one patch, too, and none in the passes after", async () => {
  const { harness, generation } = await openRenewed({}, { restartStrategy: 'env' });
  expect(await outcomes(harness)).toEqual(['delivered', 'delivered']);
  await forget(harness);
  expect(await outcomes(harness)).toEqual(['unchanged', 'unchanged']);
  expect(webPatches(harness)).toEqual(['web']);
  expect(readWorkload(harness, 'Deployment', 'web').generation).toBe(generation + 1);
});

test('a Secret that fails is left out, and has its own rollout once it is there', async () => {
  let isDead = true;
  const { harness, fingerprints } = await openRenewed({
    wrap: (cluster) => ({
      ...cluster,
      applySecret: async (...call) => {
        const isRenewed = call[0].annotations['certrelay.dev/version'] === 'version-2';
        if (isDead && isRenewed && call[0].name === 'api-tls')
          throw new ClusterError('Unavailable', 'try again');
        return cluster.applySecret(...call);
      },
    }),
  });
  expect(await outcomes(harness)).toEqual(['delivered', 'pending']);
  const marks = () => readWorkload(harness, 'Deployment', 'web').template.metadata.annotations;
  expect(marks()[keyOf('shop-tls')]).toBe(fingerprints['shop-tls']);
  expect(marks()[keyOf('api-tls')]).not.toBe(fingerprints['api-tls']);
  isDead = false;
  harness.clock.pass(3_600_000);
  expect(await outcomes(harness)).toEqual(['unchanged', 'delivered']);
  expect(webPatches(harness)).toEqual(['web', 'web']);
});

test.for([
  'lose',
  'drop',
] as const)('an answer of the patch that is lost (%s) makes no second rollout', async (kind) => {
  const { harness, generation } = await openRenewed();
  harness.faults.set('kubernetes', 'patch deployments', { kind }, 1, (resource) => resource.endsWith('/web'));
  expect(await outcomes(harness)).toEqual(['delivered', 'delivered']);
  expect(readWorkload(harness, 'Deployment', 'web').generation).toBe(generation + 1);
  await forget(harness);
  expect(await outcomes(harness)).toEqual(['unchanged', 'unchanged']);
});

test('a run that ends between the Secrets and the restarts leaves one restart to the next', async () => {
  let isDead = false;
  const { harness, generation } = await openRenewed({
    wrap: (cluster) => ({
      ...cluster,
      restartWorkload: async (...call) => {
        if (isDead) throw new ClusterError('Unreachable', 'no answer');
        return cluster.restartWorkload(...call);
      },
    }),
  });
  isDead = true;
  await harness.deploy();
  // As if it had been killed: nothing of it was recorded.
  await forget(harness);
  isDead = false;
  harness.journal.clear();
  expect(await outcomes(harness)).toEqual(['delivered', 'delivered']);
  expect(webPatches(harness)).toEqual(['web']);
  expect(readWorkload(harness, 'Deployment', 'web').generation).toBe(generation + 1);
});

test.for([
  'annotation',
  'env',
] as const)('a shared workload that fails goes back to the template of before, by %s', async (restartStrategy) => {
  const bad: string[] = [];
  const { harness, fingerprints } = await openRenewed(
    {
      areReady: (_, __, template) =>
        !bad.some((fingerprint) => JSON.stringify(template).includes(fingerprint)),
    },
    { rollout: { ...rollout, deadlineMs: 60_000 }, restartStrategy },
  );
  bad.push(...Object.values(fingerprints));
  const { template } = readWorkload(harness, 'Deployment', 'web');
  const revisions = countRevisions(harness, 'web');
  expect(await outcomes(harness)).toEqual(['held', 'held']);
  expect(readWorkload(harness, 'Deployment', 'web').template).toEqual(template);
  harness.clock.pass(3_600_000);
  expect(await outcomes(harness)).toEqual(['held', 'held']);
  expect(readWorkload(harness, 'Deployment', 'web').template).toEqual(template);
  expect(podsOf(harness, 'web').map(({ phase }) => phase)).toEqual(['Running', 'Running']);
  expect(
    countRevisions(harness, 'web'),
    'the one that failed, and at most one on the way',
  ).toBeLessThanOrEqual(revisions + 2);
});
