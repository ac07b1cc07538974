// A version that is not valid yet is not put over one that is: what is there stays until then, and both
// report and log say so.
import { describe, expect, it, test } from 'vitest';
import type { RolloutSpec } from '../../lib/certificate/rollout-spec.ts';
import type { SecretTarget } from '../../lib/certificate/spec.ts';
import { mintChain } from '../minting/certificates.ts';
import { targetOf } from '../minting/targets.ts';
import { type Harness, only, openHarness } from './harness.ts';

const secondMs = 1000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const skewMs = 5 * minuteMs;

/** Stores `version-2`, which begins in `ms`. */
async function issueLater(harness: Harness, ms: number) {
  const notBefore = new Date(Math.floor(harness.clock.now().getTime() / secondMs) * secondMs + ms);
  await harness.issue('shop', 'version-2', [], { notBefore });
  return notBefore;
}

const versionIn = (harness: Harness) => harness.secret()?.metadata.annotations?.['certrelay.dev/version'];
const warnings = (harness: Harness) =>
  harness.log.lines.filter(({ level }) => level === 'warn').map(({ event }) => event);

describe('over a certificate that is valid a later one is not put', () => {
  const rollout: RolloutSpec = { waves: 1, deadlineMs: 600_000, probe: false, windows: [] };
  const secret = 'certrelay/passwords/shop';

  it.each<[what: string, target: Partial<SecretTarget>]>([
    ['of format tls', {}],
    ['of format ployst', { format: 'ployst' }],
    ['of format combined-pem', { format: 'combined-pem' }],
    ['with keys of other names', { keys: { cert: 'a.crt', key: 'a.key', chain: 'chain' } }],
    ['with a keystore', { format: 'pkcs12', password: { secret } }],
    ['that goes in steps', { rollout }],
  ])('in a target %s, until it begins', async (_, target) => {
    const harness = await openHarness({ targets: [targetOf(target)] });
    harness.texts.set(secret, 'sixteen or more characters');
    harness.addWorkload('Deployment', 'web', 'shop-tls');
    await harness.deploy();
    harness.log.lines.length = 0;
    harness.calls();
    const begins = await issueLater(harness, hourMs);
    for (let pass = 0; pass < 2; pass += 1) {
      const report = await harness.deploy();
      expect(only(report)).toMatchObject({
        outcome: 'pending',
        message: expect.stringContaining(`version-2 of shop is not valid before ${begins.toISOString()}`),
      });
      expect(report.failures.size).toBe(0);
    }
    expect(versionIn(harness)).toBe('version-1');
    expect(harness.calls().filter((call) => !/^(get|list) /.test(call))).toEqual([]);
    expect(warnings(harness)).toEqual(['delivery pending', 'delivery pending']);
    harness.clock.pass(hourMs);
    expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
    expect(versionIn(harness)).toBe('version-2');
  });

  it.each([
    [skewMs, 'delivered'],
    [skewMs + secondMs, 'pending'],
  ])('where it begins in %i ms, it is %s', async (ms, outcome) => {
    const harness = await openHarness({ targets: [targetOf()] });
    await harness.deploy();
    await issueLater(harness, ms);
    expect(only(await harness.deploy())).toMatchObject({ outcome });
  });

  it('that somebody else put into a Secret which is to be adopted', async () => {
    const harness = await openHarness({ targets: [targetOf({ adopt: true })] });
    const now = harness.clock.now();
    const times = { notBefore: now, notAfter: new Date(now.getTime() + dayMs) };
    const other = await mintChain({ domains: ['shop.example.com'], ...times });
    harness.lab.create(secretOf(other.chain, other.key));
    await issueLater(harness, hourMs);
    expect(only(await harness.deploy())).toMatchObject({ outcome: 'pending' });
    expect(versionIn(harness)).toBeUndefined();
  });
});

describe('over nothing that is valid it is put at once, for there is nothing to lose', () => {
  it('where there is no Secret', async () => {
    const harness = await openHarness({ targets: [targetOf()] });
    await issueLater(harness, hourMs);
    expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'create' });
    expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
  });

  it('where what is there has ended', async () => {
    const harness = await openHarness({ targets: [targetOf()] });
    await harness.deploy();
    harness.clock.pass(90 * dayMs);
    await issueLater(harness, hourMs);
    expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  });

  it('where what is there is no certificate', async () => {
    const harness = await openHarness({ targets: [targetOf({ adopt: true })] });
    harness.lab.create(secretOf('none', 'none'));
    await issueLater(harness, hourMs);
    expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  });
});

function secretOf(chain: string, key: string): object {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'shop-tls', namespace: 'shop' },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': encode(chain), 'tls.key': encode(key) },
  };
}

test.each([
  hourMs,
  minuteMs,
])('ACM gets what begins in %i ms once it is valid, and keeps what it has', async (ms) => {
  const harness = await openHarness({ targets: [{ acm: { region: 'us-east-1' } }], acm: true });
  await harness.deploy();
  const before = harness.acm?.entries[0]?.leaf;
  await issueLater(harness, ms);
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    message: expect.stringContaining('is not valid before'),
  });
  expect([report.failures.size, harness.acm?.entries[0]?.leaf]).toEqual([0, before]);
  harness.clock.pass(ms);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
});

test('nothing goes back to a version that begins later', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await issueLater(harness, hourMs);
  await harness.issue('shop', 'version-3');
  await harness.deploy();
  const report = only(await harness.deploy({ certificates: ['shop'], rollback: true }));
  expect(report).toMatchObject({ outcome: 'held', message: expect.stringContaining('is valid only from') });
  expect(versionIn(harness)).toBe('version-3');
});

test('an authority of its path that has ended by then keeps it from everywhere', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  const now = harness.clock.now().getTime();
  await harness.issue('shop', 'version-2', [], {
    notBefore: new Date(now + 2 * hourMs),
    notAfter: new Date(now + hourMs),
  });
  expect([...(await harness.deploy()).failures.keys()]).toEqual(['shop']);
  expect(harness.secret()).toBeUndefined();
});
