// Targets in AWS Certificate Manager: one ARN for a certificate and region, found again after a crash, put
// right after drift.
import { expect, test } from 'vitest';
import type { AcmTarget } from '../../lib/certificate/spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { mintChain } from '../minting/certificates.ts';
import { targetOf } from '../minting/targets.ts';
import { codesOf, only, openHarness, targetsOf } from './harness.ts';

const region = 'us-east-1';
const name = `acm/${region}/shop`;

async function open(more: Partial<AcmTarget['acm']> = {}) {
  const harness = await openHarness({ targets: [{ acm: { region, ...more } }], acm: true });
  const { acm } = harness;
  if (!acm) throw new Error('no ACM');
  const fingerprints = () => acm.entries.map(({ leaf }) => readCertificate(leaf).fingerprint);
  return { harness, acm, fingerprints };
}

/** What somebody else might import: PEM for the same name. */
async function mint(
  keyType: 'ecdsa-p256' | 'rsa-2048' = 'ecdsa-p256',
  now = new Date('2026-11-22T09:00:00Z'),
) {
  const notAfter = new Date(now.getTime() + 90 * 86_400_000);
  const { certificates, key } = await mintChain({
    domains: ['shop.example.com'],
    notBefore: now,
    notAfter,
    keyType,
  });
  const [leaf = '', ...chain] = certificates;
  return { leaf, chain: chain.join(''), key };
}

test('D01 a load balancer gets its certificate by ACM: imported once, then again under the same ARN', async () => {
  const { harness, acm, fingerprints } = await open();
  const report = only(await harness.deploy());
  expect(report).toMatchObject({ target: name, outcome: 'delivered', action: 'create' });
  const [first] = acm.entries;
  expect(report.message).toBe(`imported as ${first?.arn}`);
  expect(first?.tags).toEqual(new Map([['certrelay:certificate', 'certrelay/shop']]));
  const second = await harness.issue('shop', 'version-2');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(acm.entries.map(({ arn, tags }) => ({ arn, tags }))).toEqual([
    { arn: first?.arn, tags: first?.tags },
  ]);
  expect(fingerprints()).toEqual([readCertificate(second.chain).fingerprint]);
});

test('one that is up to date costs one call, and nothing is written', async () => {
  const { harness } = await open();
  await harness.deploy();
  harness.calls();
  harness.store.calls.length = 0;
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged', action: 'keep' });
  expect(harness.calls()).toEqual(['GetCertificate']);
  expect(harness.store.calls.filter((call) => call.startsWith('record'))).toEqual([]);
});

test('a dry run says what would be imported, and calls nothing that changes', async () => {
  const { harness, acm } = await open();
  const report = only(await harness.deploy({ dryRun: true }));
  expect(report).toMatchObject({ outcome: 'planned', action: 'create' });
  expect(report.message).toBe('would be imported under a new ARN');
  expect(acm.entries).toEqual([]);
});

test('a crash before the ARN is remembered makes no second one: it is found by its tag', async () => {
  const { harness, acm } = await open();
  harness.faults.set('acm', 'ImportCertificate', { kind: 'lose' });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'pending' });
  expect(acm.entries).toHaveLength(1);
  // Others of the same names, which are not ours.
  acm.add(region, 'IMPORTED', await mint('rsa-2048'));
  acm.add(region, 'AMAZON_ISSUED', await mint());
  harness.clock.pass(5 * 60_000);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged', action: 'keep' });
  harness.calls();
  await harness.deploy();
  expect(harness.calls()).toEqual(['GetCertificate']);
});

test('what another installation in the account has imported for the same name stays as it is', async () => {
  const { harness, acm } = await open();
  acm.add(region, 'IMPORTED', await mint(), new Map([['certrelay:certificate', 'staging/shop']]));
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'create' });
  expect(acm.entries).toHaveLength(2);
});

test('of two that carry the tag the same one is always taken, and the other is named', async () => {
  const { harness, acm } = await open();
  const tags = new Map([['certrelay:certificate', 'certrelay/shop']]);
  const made = [await mint(), await mint()].map(
    (material) => acm.add(region, 'IMPORTED', material, tags).arn,
  );
  const [first = '', second = ''] = made.toSorted();
  const report = only(await harness.deploy());
  expect(report).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(report.message).toBe(
    `imported again under ${first}; ${second} has the same tag; delete it once nothing uses it`,
  );
});

test('drift: another certificate that somebody imported under the ARN is put right', async () => {
  const { harness, acm, fingerprints } = await open();
  await harness.deploy();
  const [entry] = acm.entries;
  acm.import(region, await mint(), entry?.arn, new Map());
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(fingerprints()).toEqual([readCertificate(harness.first.chain).fingerprint]);
});

test('one that somebody deleted is imported again, under a new ARN', async () => {
  const { harness, acm } = await open();
  await harness.deploy();
  const [before] = acm.entries;
  acm.remove(before?.arn ?? '');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'create' });
  expect(acm.entries).toHaveLength(1);
  expect(acm.entries[0]?.arn).not.toBe(before?.arn);
});

test('regions are served side by side, each with an ARN of its own that is remembered', async () => {
  const regions = ['eu-central-1', 'us-east-1'];
  const harness = await openHarness({ targets: regions.map((one) => ({ acm: { region: one } })), acm: true });
  await harness.deploy();
  expect(harness.acm?.entries.map((one) => one.region).toSorted()).toEqual(regions);
  harness.calls();
  const again = targetsOf(await harness.deploy());
  expect(again.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged']);
  expect(harness.calls()).toEqual(['GetCertificate', 'GetCertificate']);
  // One target alone, asked for by its name.
  await harness.issue('shop', 'version-2');
  expect(only(await harness.deploy({ targets: ['acm/eu-central-1/shop'] }))).toMatchObject({
    action: 'apply',
  });
});

test("the inventory's ARN is imported over, with the tags that are there", async () => {
  const { harness, acm } = await open();
  const tags = new Map([['team', 'shop']]);
  const { arn } = acm.add(region, 'IMPORTED', await mint(), tags);
  harness.targets([{ acm: { region, arn } }]);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(acm.entries.map((one) => [one.arn, one.tags])).toEqual([[arn, tags]]);
});

test.for<[string, 'IMPORTED' | 'AMAZON_ISSUED', 'ecdsa-p256' | 'rsa-2048', string, RegExp]>([
  [
    'with a key of another type',
    'IMPORTED',
    'rsa-2048',
    'KeyTypeConflict',
    /has a key of type rsa-2048, certificate shop has ecdsa-p256/,
  ],
  ['that ACM issued', 'AMAZON_ISSUED', 'ecdsa-p256', 'NotImported', /ACM issued and renews itself/],
])('a certificate %s is refused by name and left alone', async ([, type, keyType, code, message]) => {
  const { harness, acm, fingerprints } = await open();
  const { arn } = acm.add(region, type, await mint(keyType));
  const before = fingerprints();
  harness.targets([{ acm: { region, arn } }]);
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ outcome: 'refused', message: expect.stringMatching(message) });
  expect(only(report).message).toContain(arn);
  expect(codesOf(report)).toEqual([code]);
  expect(fingerprints()).toEqual(before);
});

test('an ARN of the inventory that is gone is refused, and none is made in its place', async () => {
  const { harness, acm } = await open({ arn: `arn:aws:acm:${region}:123456789012:certificate/gone` });
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ outcome: 'refused', message: expect.stringContaining('correct') });
  expect(codesOf(report)).toEqual(['NotFound']);
  expect(acm.entries).toEqual([]);
});

test('a full account leaves the target pending, and says what would help', async () => {
  const { harness, acm } = await open();
  acm.limit = 0;
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ outcome: 'pending', message: expect.stringContaining('quota') });
  expect(codesOf(report)).toEqual(['LimitExceeded']);
});

test('a denial names the action and the tag that the role asks for', async () => {
  const { harness, acm } = await open();
  const { arn } = acm.add(region, 'IMPORTED', await mint());
  harness.targets([{ acm: { region, arn } }]);
  harness.faults.set('acm', 'GetCertificate', { kind: 'error', code: 'AccessDeniedException', status: 400 });
  const report = await harness.deploy();
  expect(only(report).message).toMatch(/acm:GetCertificate.*Key=certrelay:certificate/);
  expect(codesOf(report)).toEqual(['Denied']);
});

test('ACM and clusters are served side by side: one that fails does not keep the other from it', async () => {
  const { harness, acm } = await open();
  harness.targets([targetOf({ cluster: 'gone' }), { acm: { region } }]);
  const outcomes = targetsOf(await harness.deploy()).map(({ target, outcome }) => [target, outcome]);
  expect(outcomes).toEqual([
    ['gone/shop/shop-tls', 'pending'],
    [name, 'delivered'],
  ]);
  expect(acm.entries).toHaveLength(1);
});

test('a run that is overtaken by a newer version does not import the older one over it', async () => {
  const { harness, acm, fingerprints } = await open();
  await harness.deploy();
  await harness.issue('shop', 'version-2');
  const newer = { fingerprint: '' };
  const stop = harness.journal.before(async ({ action }) => {
    if (action !== 'GetCertificate') return;
    stop();
    newer.fingerprint = readCertificate((await harness.issue('shop', 'version-3')).chain).fingerprint;
    expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  });
  const late = await harness.deploy();
  expect(only(late)).toMatchObject({
    outcome: 'pending',
    message: 'a newer version is current now; its own invocation imports it',
  });
  expect([late.failures.size, acm.entries.length]).toEqual([0, 1]);
  expect(fingerprints()).toEqual([newer.fingerprint]);
});

test('D13 a version that is taken back by hand is taken back in ACM, until it is resumed', async () => {
  const { harness, acm, fingerprints } = await open();
  await harness.deploy();
  const second = await harness.issue('shop', 'version-2');
  await harness.deploy();
  expect(only(await harness.deploy({ certificates: ['shop'], rollback: true }))).toMatchObject({
    outcome: 'held',
    action: 'apply',
    message: expect.stringMatching(
      /^it was taken back by hand; imported again under arn:.*certrelay resume /,
    ),
  });
  expect(fingerprints()).toEqual([readCertificate(harness.first.chain).fingerprint]);
  await harness.deploy({ certificates: ['shop'], resume: true });
  expect(fingerprints()).toEqual([readCertificate(second.chain).fingerprint]);
  expect(acm.entries).toHaveLength(1);
});
