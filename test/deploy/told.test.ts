// Which failures of a delivery `status` tells as long as they last: a schedule's call does not fail for
// these, and fails for every other.
import { describe, expect, it } from 'vitest';
import { judgeCertificate } from '../../lib/policy/health/certificate.ts';
import { findClusterTrouble } from '../../lib/policy/health/others.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { PartError } from '../../lib/ports/errors.ts';
import { StoreError } from '../../lib/ports/store.ts';
import type { HealthWord } from '../../lib/state/health.ts';
import { targetOf } from '../minting/targets.ts';
import { type Harness, type HarnessOptions, openHarness } from './harness.ts';

const hour = 3_600_000;
const targets = [targetOf()];

/** Runs a pass; each failure with whether `status` tells it. */
async function deploy(harness: Harness) {
  const { failures } = await harness.deploy();
  return [...failures.values()].flat().map((error) => {
    const isTold = error instanceof PartError && error.isTold;
    return `${error.message.split(':')[0]} ${isTold ? 'is told' : 'fails the call'}`;
  });
}

/** What `status` says of everything more than an hour after the trouble began. */
function judgeLater({ store, clock, operations }: Harness): readonly HealthWord[] {
  const { state = {}, stages } = store.kept.get('shop') ?? {};
  const now = new Date(clock.now().getTime() + 1.1 * hour);
  const entry = { state, current: stages?.get('AWSCURRENT') };
  const spec = { name: 'shop', domains: [], issuer: 'default', key: 'ecdsa-p256', targets } as const;
  const clusters = { lab: { kubeconfig: { secret: 'lab' } } };
  const others = { clusters, clusterTroubles: operations.clusters, agents: new Map<string, HealthWord>() };
  const context = { now, staleAfterMs: hour, probeFreshMs: 24 * hour, retiresGone: false, ...others };
  const lab = findClusterTrouble('lab', operations.clusters.lab, now);
  return [
    judgeCertificate({ name: 'shop', spec, entry }, context).health,
    ...lab.map(({ health }) => health),
  ];
}

/** A harness whose cluster fails with the error while there is one. */
async function openFailing(options: Partial<HarnessOptions> = {}) {
  const failing: { error?: Error | undefined } = {};
  const harness = await openHarness({
    targets,
    wrap: (cluster) => ({
      ...cluster,
      readSecret: (...call) => (failing.error ? Promise.reject(failing.error) : cluster.readSecret(...call)),
      listSecrets: (...call) =>
        failing.error ? Promise.reject(failing.error) : cluster.listSecrets(...call),
    }),
    ...options,
  });
  return { harness, failing };
}

describe('`status` tells, and a schedule’s call does not fail for,', () => {
  it.each([
    ['a target that never had it', new ClusterError('Forbidden', 'no right'), false],
    ['a target that had it', new ClusterError('Forbidden', 'no right'), true],
    ['a target that a person must change', new ClusterError('Foreign', 'of another'), false],
    ['a cluster that never answered', new ClusterError('Unreachable', 'no answer'), false],
    ['a cluster that answered before', new ClusterError('Unreachable', 'no answer'), true],
  ])('%s', async (_, error, isDelivered) => {
    const { harness, failing } = await openFailing();
    if (isDelivered) expect(await deploy(harness)).toEqual([]);
    failing.error = error;
    expect(await deploy(harness)).toEqual(['lab/shop/shop-tls is told']);
    expect(judgeLater(harness)).toContain('Degraded');
  });

  it.each([
    ['that is delivered nowhere', false],
    ['that is delivered everywhere', true],
  ])('a certificate that cannot be loaded, %s', async (_, isDelivered) => {
    const { harness } = await openFailing();
    if (isDelivered) await deploy(harness);
    harness.store.failures.next('read', new StoreError('Denied', 'AWS denied it'));
    expect(await deploy(harness)).toEqual(['shop is told']);
    expect(judgeLater(harness)).toEqual(['Degraded']);
  });

  it('a cluster that is pruned and is not reached', async () => {
    const { harness, failing } = await openFailing({ prune: true });
    failing.error = new ClusterError('Unreachable', 'no answer');
    expect(await deploy(harness)).toEqual(['lab/shop/shop-tls is told', 'lab/shop is told']);
  });
});

describe('`status` could not tell, and a schedule’s call fails for,', () => {
  it('what could not be noted on tags', async () => {
    const { harness, failing } = await openFailing();
    failing.error = new ClusterError('Forbidden', 'no right');
    harness.store.failures.next('record', new StoreError('Denied', 'AWS denied it'));
    const fails = ['lab/shop/shop-tls fails the call', 'shop fails the call'];
    expect(await deploy(harness)).toEqual(fails);
  });

  it('a cluster that could not be noted', async () => {
    const { harness, failing } = await openFailing();
    failing.error = new ClusterError('Unreachable', 'no answer');
    harness.operations.failures.next('recordCluster', new StoreError('Denied', 'AWS denied it'));
    expect(await deploy(harness)).toEqual(['lab/shop/shop-tls fails the call']);
  });

  it('a version that a person has taken back and that does not go', async () => {
    const { harness, failing } = await openFailing();
    await deploy(harness);
    await harness.issue('shop', 'version-2');
    await deploy(harness);
    await harness.store.record('shop', { freeze: { version: 'version-2', target: '*', reason: 'by hand' } });
    failing.error = new ClusterError('Forbidden', 'no right');
    expect(await deploy(harness)).toEqual(['lab/shop/shop-tls fails the call']);
    expect(judgeLater(harness)).toEqual(['Suspended']);
  });

  it('Secrets that are to be pruned and may not be listed', async () => {
    const { harness } = await openFailing({ prune: true });
    expect(await deploy(harness)).toEqual(['lab/shop fails the call']);
  });
});
