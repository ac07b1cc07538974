// A version that is not valid yet is not put over one that is: what is there stays until then, and both
// report and log say so.
import { describe, expect, it, test } from 'vitest';
import type { RolloutSpec, SecretTarget } from '../../lib/certificate/spec.ts';
import { mintChain } from '../minting/certificates.ts';
import { targetOf } from '../minting/targets.ts';
import { type Bench, only, openBench } from './harness.ts';

const secondMs = 1000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const skewMs = 5 * minuteMs;

/** Stores `version-2`, which begins in `ms`. */
async function issueLater(bench: Bench, ms: number) {
  const notBefore = new Date(Math.floor(bench.clock.now().getTime() / secondMs) * secondMs + ms);
  await bench.issue('shop', 'version-2', [], { notBefore });
  return notBefore;
}

const versionIn = (bench: Bench) => bench.secret()?.metadata.annotations?.['certrelay.dev/version'];
const warnings = (bench: Bench) =>
  bench.log.lines.filter(({ level }) => level === 'warn').map(({ event }) => event);

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
    const bench = await openBench({ targets: [targetOf(target)] });
    bench.texts.set(secret, 'sixteen or more characters');
    bench.addWorkload('Deployment', 'web', 'shop-tls');
    await bench.deploy();
    bench.log.lines.length = 0;
    bench.calls();
    const begins = await issueLater(bench, hourMs);
    for (let pass = 0; pass < 2; pass += 1) {
      const report = await bench.deploy();
      expect(only(report)).toMatchObject({
        outcome: 'pending',
        message: expect.stringContaining(`version-2 of shop is valid only from ${begins.toISOString()} on`),
      });
      expect(report.failures.size).toBe(0);
    }
    expect(versionIn(bench)).toBe('version-1');
    expect(bench.calls().filter((call) => !/^(get|list) /.test(call))).toEqual([]);
    expect(warnings(bench)).toEqual(['delivery pending', 'delivery pending']);
    bench.clock.pass(hourMs);
    expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
    expect(versionIn(bench)).toBe('version-2');
  });

  it.each([
    [skewMs, 'delivered'],
    [skewMs + secondMs, 'pending'],
  ])('where it begins in %i ms, it is %s', async (ms, outcome) => {
    const bench = await openBench({ targets: [targetOf()] });
    await bench.deploy();
    await issueLater(bench, ms);
    expect(only(await bench.deploy())).toMatchObject({ outcome });
  });

  it('that somebody else put into a Secret which is to be adopted', async () => {
    const bench = await openBench({ targets: [targetOf({ adopt: true })] });
    const now = bench.clock.now();
    const times = { notBefore: now, notAfter: new Date(now.getTime() + dayMs) };
    const other = await mintChain({ domains: ['shop.example.com'], ...times });
    bench.lab.create(secretOf(other.chain, other.key));
    await issueLater(bench, hourMs);
    expect(only(await bench.deploy())).toMatchObject({ outcome: 'pending' });
    expect(versionIn(bench)).toBeUndefined();
  });
});

describe('over nothing that is valid it is put at once, for there is nothing to lose', () => {
  it('where there is no Secret', async () => {
    const bench = await openBench({ targets: [targetOf()] });
    await issueLater(bench, hourMs);
    expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'create' });
    expect(only(await bench.deploy())).toMatchObject({ outcome: 'unchanged' });
  });

  it('where what is there has ended', async () => {
    const bench = await openBench({ targets: [targetOf()] });
    await bench.deploy();
    bench.clock.pass(90 * dayMs);
    await issueLater(bench, hourMs);
    expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  });

  it('where what is there is no certificate', async () => {
    const bench = await openBench({ targets: [targetOf({ adopt: true })] });
    bench.lab.create(secretOf('none', 'none'));
    await issueLater(bench, hourMs);
    expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
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
  const bench = await openBench({ targets: [{ acm: { region: 'us-east-1' } }], acm: true });
  await bench.deploy();
  const before = bench.acm?.entries[0]?.leaf;
  await issueLater(bench, ms);
  const report = await bench.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    message: expect.stringContaining('valid only from'),
  });
  expect([report.failures.size, bench.acm?.entries[0]?.leaf]).toEqual([0, before]);
  bench.clock.pass(ms);
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
});

test('nothing goes back to a version that begins later', async () => {
  const bench = await openBench({ targets: [targetOf()] });
  await issueLater(bench, hourMs);
  await bench.issue('shop', 'version-3');
  await bench.deploy();
  const report = only(await bench.deploy({ certificates: ['shop'], rollback: true }));
  expect(report).toMatchObject({ outcome: 'held', message: expect.stringContaining('is valid only from') });
  expect(versionIn(bench)).toBe('version-3');
});

test('an authority of its path that has ended by then keeps it from everywhere', async () => {
  const bench = await openBench({ targets: [targetOf()] });
  const now = bench.clock.now().getTime();
  await bench.issue('shop', 'version-2', [], {
    notBefore: new Date(now + 2 * hourMs),
    notAfter: new Date(now + hourMs),
  });
  expect([...(await bench.deploy()).failures.keys()]).toEqual(['shop']);
  expect(bench.secret()).toBeUndefined();
});
