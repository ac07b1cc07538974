// What each target holds, as its certificate's tags remember it: through renewals that some targets miss.
import { expect, test } from 'vitest';
import type { DeliveryRecord, Holding } from '../../lib/state/delivery.ts';
import { stateOfTags, tagsOfState } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';
import { bindingOf, type Harness, openHarness } from './harness.ts';

const day = 86_400_000;
const [one, two, three, four] = [1, 2, 3, 4].map((version) => `${version}0000000-rest`) as [
  string,
  string,
  string,
  string,
];

const recorded = (harness: Harness): DeliveryRecord | undefined =>
  harness.store.kept.get('shop')?.state.deployed;
/** The first character of each version that a target holds, with the day of its end. */
const held = (harness: Harness) => recorded(harness)?.holds?.map(show);
const show = (holding: Holding | undefined) =>
  holding && `${holding.version[0]} until ${holding.notAfter.toISOString().slice(0, 10)}`;

/** A certificate for two targets, of which the second is in a namespace that may not be entered yet. */
async function open() {
  const harness = await openHarness({
    targets: [targetOf(), targetOf({ namespace: 'late', secret: 'late-tls' })],
    namespaces: ['shop'],
  });
  harness.lab.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'late' } });
  const renew = async (version: string) => {
    harness.clock.pass(day);
    await harness.issue('shop', version);
    await harness.deploy({ certificates: ['shop'] });
  };
  return { harness, renew };
}
const role = '/apis/rbac.authorization.k8s.io/v1/namespaces/late/rolebindings/certrelay';

test('through three renewals each target is said to hold what it got last, until when that is valid', async () => {
  const { harness, renew } = await open();
  await renew(one);
  expect(held(harness)).toEqual(['1 until 2027-02-21', undefined]);
  harness.lab.create(bindingOf('late', 'certrelay'));
  await harness.deploy({ certificates: ['shop'] });
  expect(held(harness)).toEqual(['1 until 2027-02-21', '1 until 2027-02-21']);
  await harness.admin.remove(role);
  await renew(two);
  expect(held(harness)).toEqual(['2 until 2027-02-22', '1 until 2027-02-21']);
  await renew(three);
  await renew(four);
  expect(held(harness)).toEqual(['4 until 2027-02-24', '1 until 2027-02-21']);
  harness.lab.create(bindingOf('late', 'certrelay'));
  await harness.deploy({ certificates: ['shop'] });
  expect(held(harness)).toEqual(['4 until 2027-02-24', '4 until 2027-02-24']);
});

test('a pass for another cluster keeps what a target holds, and targets that changed are not known', async () => {
  const targets = ['lab', 'b'].map((cluster) => targetOf({ cluster }));
  const harness = await openHarness({ targets, clusters: ['lab', 'b'] });
  await harness.deploy();
  harness.clock.pass(day);
  await harness.issue('shop', two);
  await harness.deploy({ clusters: ['b'] });
  expect(held(harness)).toEqual(['v until 2027-02-20', '2 until 2027-02-21']);
  harness.targets([...targets, targetOf({ secret: 'more' })]);
  await harness.deploy({ clusters: ['b'] });
  expect(held(harness)).toEqual([undefined, '2 until 2027-02-21', undefined]);
});

test('a target that lost the version is not said to hold it', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await harness.deploy();
  await harness.admin.remove('/api/v1/namespaces/shop/secrets/shop-tls');
  harness.lab.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'shop-tls', namespace: 'shop' },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': 'x', 'tls.key': 'y' },
  });
  await harness.deploy();
  expect(recorded(harness)).toMatchObject({ phases: ['none'] });
  expect(held(harness)).toBeUndefined();
});

test('a target that went back holds the version before, with its end', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await harness.deploy();
  harness.clock.pass(day);
  await harness.issue('shop', two);
  await harness.deploy();
  expect(held(harness)).toEqual(['2 until 2027-02-21']);
  await harness.deploy({ certificates: ['shop'], rollback: true });
  expect(held(harness)).toEqual(['v until 2027-02-20']);
  await harness.deploy();
  expect(held(harness)).toEqual(['v until 2027-02-20']);
});

test('a complete record of the version before is not written again, and holdings come with the next version', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await harness.deploy();
  const { holds: _, ...former } = recorded(harness) ?? { version: '', targets: '', phases: [] };
  const tag = tagsOfState({ deployed: former }).deployed ?? '';
  expect(tag).toMatch(/^version-1\/[0-9a-f]{8}\/r$/);
  await harness.store.record('shop', stateOfTags({ deployed: tag }));
  const writes = harness.store.count('record');
  await harness.deploy();
  expect(harness.store.count('record')).toBe(writes);
  harness.clock.pass(day);
  await harness.issue('shop', two);
  await harness.deploy();
  expect(held(harness)).toEqual(['2 until 2027-02-21']);
});
