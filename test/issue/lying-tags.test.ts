// Tags that somebody else wrote: they put no renewal off for good, and what they say is held against the
// value once a day.
import { describe, expect, it } from 'vitest';
import type { CertificateState } from '../../lib/state/state.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const hourMs = 3_600_000;
const shop = specOf('shop', ['shop.example.com']);
const far = new Date('2099-01-01T00:00:00Z');

async function issued(...specs: readonly ReturnType<typeof specOf>[]) {
  const harness = new Harness(specs.length > 0 ? specs : [shop]);
  await harness.run();
  harness.store.calls.length = 0;
  return harness;
}

function write(
  harness: Harness,
  state: { readonly [K in keyof CertificateState]?: CertificateState[K] | null },
) {
  return harness.store.record('shop', state);
}

/** What another run writes where it claims the certificate. */
const claimOf = (harness: Harness, deadline: Date) => ({
  key: 'none',
  keyType: 'ecdsa-p256' as const,
  issuer: harness.ca.directory,
  domains: shop.domains,
  run: 'somebody',
  deadline,
});

const reads = (harness: Harness) => harness.store.calls.filter((call) => call.startsWith('read ')).length;

describe.each<[string, Partial<CertificateState>]>([
  ['its end', { notAfter: new Date('2026-11-21T00:00:00Z') }],
  ['its names', { names: 'others' }],
  ['its issuer', { issuer: 'https://other.example/directory' }],
  ['its key', { key: 'rsa-2048' }],
])('tags that lie about %s', (_, lie) => {
  it('cost no order: the value is read before, and the tags are put right', async () => {
    const harness = await issued();
    const before = harness.state('shop');
    await write(harness, lie);
    const planned = await harness.run({ certificates: ['shop'], dryRun: true });
    expect(planned.report.certificates).toMatchObject([{ decision: 'keep' }]);
    expect(harness.state('shop')).toMatchObject(lie);
    const { report } = await harness.run({ certificates: ['shop'] });
    expect(report.certificates).toMatchObject([{ decision: 'keep' }]);
    const field = Object.keys(lie)[0] as keyof CertificateState;
    const after = harness.state('shop');
    expect([after[field], after.version]).toEqual([before[field], before.version]);
    expect(after.tagsDisagree).toEqual(harness.clock.now());
    expect(harness.ca.count('newOrder')).toBe(1);
  });
});

describe('tags that say too little', () => {
  const stored = ['version', 'names', 'issuer', 'key', 'fingerprint', 'notBefore', 'notAfter'] as const;
  const without = (fields: readonly string[]) => Object.fromEntries(fields.map((field) => [field, null]));
  const described = (harness: Harness) => stored.map((field) => harness.state('shop')[field]);

  it.each([
    ['were all removed', without(stored)],
    ['lack one', without(['notBefore'])],
    [
      'describe another version, as after a restore by hand',
      { version: 'another', names: 'others', notAfter: far },
    ],
  ])('%s: the next pass, or a run by name, writes them from the value', async (_, lack) => {
    const harness = await issued();
    const before = described(harness);
    await write(harness, lack);
    await harness.run({ dryRun: true });
    expect(described(harness)).not.toEqual(before);
    for (const request of [{}, { certificates: ['shop'] }]) {
      await write(harness, lack);
      const { report } = await harness.run(request);
      expect(report.certificates).toMatchObject([{ decision: 'keep' }]);
      expect(described(harness)).toEqual(before);
    }
    expect(harness.state('shop').tagsDisagree).toBeUndefined();
    expect(harness.log.events()).toContain('tags completed');
    harness.store.calls.length = 0;
    await harness.run();
    expect(reads(harness)).toBe(0);
  });

  it('are left to the run that has just claimed the certificate', async () => {
    const harness = await issued();
    await write(harness, { version: null });
    const order = claimOf(harness, new Date(harness.clock.now().getTime() + hourMs));
    await harness.store.claim('shop', order, undefined);
    await harness.run();
    expect(harness.state('shop').version).toBeUndefined();
  });

  it('and lie beside that are an error', async () => {
    const harness = await issued();
    await write(harness, { notBefore: null, names: 'others' });
    await harness.run();
    expect(harness.log.events()).toContain('tags disagreed');
  });
});

describe('a full pass', () => {
  it('holds each value against its tags once a day, whatever the schedule, and reads no other', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
    const harness = await issued(...names.map((name) => specOf(name, [`${name}.example.com`])));
    const seen: number[] = [];
    for (let pass = 0; pass < 8; pass += 1) {
      harness.clock.pass(pass % 2 === 0 ? 5 * hourMs : 7 * hourMs);
      const before = reads(harness);
      await harness.run();
      seen.push(reads(harness) - before);
    }
    // Two days; the first value is not read at the very instant of the first pass.
    expect(seen.reduce((sum, one) => sum + one, 0)).toBe(80);
    expect(new Set(harness.store.calls.filter((call) => call.startsWith('read '))).size).toBe(40);
    expect(Math.max(...seen)).toBeLessThan(30);
    expect(harness.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('writes tags anew that say otherwise than their value, as an error, and judges by the value at once', async () => {
    const harness = await issued();
    await write(harness, { notAfter: far, names: 'others', domains: ['evil.example.com'] });
    harness.clock.pass(70 * dayMs);
    const tagsDisagree = harness.clock.now();
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ reason: 'RenewalDue', outcome: 'issued' }]);
    const [line] = harness.log.lines.filter(({ event }) => event === 'tags disagreed');
    expect(line).toMatchObject({ level: 'error', fields: { certificate: 'shop' } });
    expect(line?.fields.problem).toMatch(/: names, notAfter, domains; /);
    expect(harness.state('shop')).toMatchObject({ tagsDisagree });
    expect(harness.state('shop').domains).toBeUndefined();
  });

  it('describes the certificate before it calls its tags wrong, because a list may lag', async () => {
    const harness = await issued();
    harness.clock.pass(dayMs);
    const list = harness.store.list.bind(harness.store);
    harness.store.list = async () =>
      (await list()).map((entry) => ({ ...entry, state: { ...entry.state, notAfter: far } }));
    await harness.run();
    expect(harness.store.calls).toContain('describe shop');
    expect(harness.log.events()).not.toContain('tags disagreed');
    expect(harness.state('shop').tagsDisagree).toBeUndefined();
  });

  it('finds a registered certificate again whose tag that says so was emptied', async () => {
    const harness = new Harness([]);
    const spec = { ...specOf('shop', shop.domains), source: 'registration' as const };
    await harness.store.create('shop', spec);
    await harness.run({ certificates: ['shop'] });
    await harness.run();
    await write(harness, { source: null });
    harness.clock.pass(dayMs);
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ name: 'shop', decision: 'keep' }]);
    expect(harness.state('shop').source).toBe('registration');
    expect(harness.log.events()).toContain('tags disagreed');
  });

  it('holds nothing against a certificate of the file that was never issued', async () => {
    const harness = new Harness([shop]);
    harness.ca.failures.next('newOrder', new Error('the CA does not answer'));
    await harness.run();
    harness.clock.pass(dayMs);
    harness.ca.failures.next('newOrder', new Error('the CA does not answer'));
    await harness.run();
    expect(harness.log.events()).not.toContain('tags disagreed');
    expect(harness.state('shop').tagsDisagree).toBeUndefined();
  });

  it('judges by the tags where a value cannot be read, and an error says so', async () => {
    const harness = await issued();
    harness.clock.pass(dayMs);
    harness.store.failures.next('read', new Error('KMS denied it'));
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
    expect(harness.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { event: 'value not compared', fields: { certificate: 'shop' } },
    ]);
  });

  it('takes an absent tag for no disagreement', async () => {
    const harness = await issued();
    await write(harness, { certificateId: null });
    harness.clock.pass(dayMs);
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
    expect(harness.log.events()).not.toContain('tags disagreed');
  });

  it('orders anew where tags describe a value that no server can use', async () => {
    const harness = await issued();
    const version = harness.store.kept.get('shop')?.stages.get('AWSCURRENT') ?? '';
    harness.store.kept.get('shop')?.versions.set(version, { kind: 'unparsable', problem: 'not JSON' });
    harness.clock.pass(dayMs);
    const { report } = await harness.run();
    expect(report.certificates).toMatchObject([{ reason: 'Unparsable', outcome: 'issued' }]);
  });

  it('reads 1,000 values at most, and sends the rest to its own queue, which only holds values against tags', async () => {
    const first = await issued();
    const kept = first.store.kept.get('shop');
    if (!kept) throw new Error('nothing was stored');
    const names = Array.from({ length: 1_203 }, (_, index) => `c${index}`);
    const harness = new Harness(names.map((name) => specOf(name, shop.domains)));
    for (const name of names) harness.store.kept.set(name, { ...kept });
    await harness.run();
    harness.store.calls.length = 0;
    harness.sent.length = 0;
    harness.clock.pass(dayMs);
    await harness.run();
    expect(reads(harness)).toBe(1_000);
    expect(harness.sent).toMatchObject([{ compare: true }]);
    expect(harness.sent[0]?.names).toHaveLength(203);
    await harness.run({ certificates: harness.sent[0]?.names, compare: true });
    expect(new Set(harness.store.calls.filter((call) => call.startsWith('read '))).size).toBe(1_203);
  });

  it.each([{ certificates: ['shop'] }, { dryRun: true }])('reads no value for %j', async (request) => {
    const harness = await issued();
    harness.clock.pass(dayMs);
    await harness.run(request);
    expect(reads(harness)).toBe(0);
  });
});

describe('times that only tags tell are brought back into what the rules give:', () => {
  it('a next attempt in 2099 is one of a day from now, and once only', async () => {
    const harness = await issued();
    await write(harness, { failures: 3, error: 'unauthorized', nextAttempt: far });
    harness.clock.pass(61 * dayMs);
    const { report } = await harness.run();
    const until = new Date(harness.clock.now().getTime() + dayMs);
    expect(report.certificates).toMatchObject([{ reason: 'BackingOff', until }]);
    expect(harness.log.events()).toContain('tags disagreed');
    harness.clock.pass(dayMs);
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
  });

  it.each([
    ['rateLimited', 6.9, 6.9],
    ['rateLimited', 8, 7],
    ['unauthorized', 0.9, 0.9],
    ['unauthorized', 1.1, 1],
  ])('after %s a next attempt in %d days is one in %d', async (error, days, believed) => {
    const harness = await issued();
    harness.clock.pass(61 * dayMs);
    const inDays = (count: number) => new Date(harness.clock.now().getTime() + count * dayMs);
    await write(harness, { failures: 3, error, nextAttempt: inDays(days) });
    const { report } = await harness.run({ dryRun: true });
    expect(report.certificates).toMatchObject([{ reason: 'BackingOff', until: inDays(believed) }]);
  });

  it('the CA is asked about a renewal although a tag says not before 2099', async () => {
    const harness = await issued();
    await write(harness, { askAfter: far });
    const asked = harness.ca.count('renewalInfo');
    await harness.run();
    expect(harness.ca.count('renewalInfo')).toBe(asked + 1);
  });

  it('a window that begins after the end is none, and one near it puts renewal off to half of what is left at most', async () => {
    const harness = await issued();
    const end = harness.state('shop').notAfter?.getTime() ?? 0;
    const windowOf = harness.state('shop').certificateId ?? '';
    await write(harness, { windowStart: new Date(end), windowEnd: far, windowOf });
    harness.clock.pass(61 * dayMs);
    expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'RenewalDue' }]);

    const other = await issued();
    const askAfter = new Date(other.clock.now().getTime() + 76 * dayMs);
    const window = {
      windowStart: new Date(end - 2),
      windowEnd: far,
      windowOf: other.state('shop').certificateId ?? '',
    };
    other.clock.pass(75 * dayMs - hourMs);
    await write(other, { ...window, askAfter });
    other.ca.failures.next('renewalInfo', new Error('the CA does not answer'));
    expect((await other.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
    other.clock.pass(hourMs);
    other.ca.failures.next('renewalInfo', new Error('the CA does not answer'));
    expect((await other.run()).report.certificates).toMatchObject([{ reason: 'RenewalDue' }]);
  });

  it('a late window that the CA confirms when it is asked again is kept to', async () => {
    const harness = await issued();
    const end = harness.state('shop').notAfter?.getTime() ?? 0;
    const id = harness.state('shop').certificateId ?? '';
    const window = { start: new Date(end - 3 * hourMs), end: new Date(end - 2 * hourMs) };
    harness.ca.windows.set(id, { ...window, retryAfterMs: dayMs });
    harness.clock.pass(74.5 * dayMs);
    await harness.run();
    harness.clock.pass(0.7 * dayMs);
    const asked = harness.ca.count('renewalInfo');
    expect((await harness.run()).report.certificates).toMatchObject([{ decision: 'keep' }]);
    expect(harness.ca.count('renewalInfo')).toBe(asked + 1);
  });

  it('orders of days to come, which would never grow old, spend nothing of the CA’s limits', async () => {
    const harness = new Harness([shop], { directory: 'https://acme-v02.api.letsencrypt.org/directory' });
    await harness.run();
    const { orders } = harness.state('shop');
    const times = Array.from({ length: 5 }, (_, index) => new Date(far.getTime() + index * 1000));
    await harness.store.record('shop', { orders: orders && { ...orders, times } });
    const { report } = await harness.run({ certificates: ['shop'], force: true });
    expect(report.certificates).toMatchObject([{ outcome: 'issued' }]);
  });

  it('a claim until 2099 keeps nobody out', async () => {
    const harness = await issued();
    const order = claimOf(harness, far);
    await harness.store.claim('shop', order, undefined);
    expect((await harness.run()).report.certificates).not.toMatchObject([{ reason: 'InFlight' }]);
    expect(harness.pending('shop')).toBeUndefined();
  });
});
