// The health of certificates, on both sides of every boundary.
import { beforeEach, describe, expect, it, test } from 'vitest';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import { pausedByCa } from '../../lib/policy/issuance/pause.ts';
import { describeLetGo } from '../../lib/policy/retirement/retirement.ts';
import { judgeTargets } from '../../lib/policy/serving/served-targets.ts';
import type { InstallationRecord } from '../../lib/ports/installation.ts';
import type { DeliveryPhase, DeliveryRecord, ServedWord } from '../../lib/state/delivery.ts';
import type { Trouble } from '../../lib/state/health.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { targetsKey } from '../../lib/state/targets.ts';
import { stateOfTags } from '../fakes/tags.ts';
import { discoveryOf } from '../minting/discovery.ts';
import { targetOf } from '../minting/targets.ts';
import { at, dayMs, hourMs, minuteMs, now, StatusLab } from './harness.ts';

let lab: StatusLab;
beforeEach(() => {
  lab = new StatusLab();
});

async function healthOf(name = 'shop') {
  const { report } = await lab.ask();
  const found = report.certificates.find((certificate) => certificate.name === name);
  if (!found) throw new Error(`${name} is not in the report`);
  return found;
}

const problem = (code: string, sinceMs: number, more: Partial<Trouble> = {}): Trouble => ({
  since: at(-sinceMs),
  code,
  words: 'the CA refused it',
  ...more,
});
const failing = (sinceMs: number): CertificateState => ({
  failures: 2,
  error: 'unauthorized',
  nextAttempt: at(hourMs),
  problem: problem('unauthorized', sinceMs),
});

describe('P14 P24 a certificate of the inventory is', () => {
  test.each<[string, string, CertificateState, RegExp]>([
    ['Healthy Current', 'in the middle of its life', {}, /^up to date, renewed from 2026-12-07/],
    [
      'Healthy Current',
      'just before its renewal',
      { notBefore: at(-60 * dayMs + 1), notAfter: at(30 * dayMs + 1) },
      /./,
    ],
    [
      'Progressing RenewalDue',
      'due',
      { notBefore: at(-60 * dayMs), notAfter: at(30 * dayMs) },
      /^due for renewal since 2026-11-22T10/,
    ],
    [
      'Progressing RenewalDue',
      'with half of its margin left',
      { notBefore: at(-75 * dayMs), notAfter: at(15 * dayMs) },
      /./,
    ],
    [
      'Progressing Ordering',
      'for other names than the inventory says',
      { names: 'others' },
      /^the next pass of issue orders it anew: the stored certificate is not for exactly shop\.example\.com$/,
    ],
    [
      'Progressing Ordering',
      'of another issuer than the inventory says',
      { issuer: 'https://staging.example/directory' },
      /orders it anew: issued by https:\/\/staging\.example\/directory, its specification asks for https/,
    ],
    ['Progressing Ordering', 'with a key of another type', { key: 'rsa-2048' }, /: its key is rsa-2048/],
    [
      'Degraded ExpiresSoon',
      'with less than half of its margin left',
      { notBefore: at(-75 * dayMs - 1), notAfter: at(15 * dayMs - 1) },
      /^valid for 14.9 more days, until 2026-12-07T09:59:59.999Z/,
    ],
    ['Degraded ExpiresSoon', 'a millisecond before its end', { notAfter: at(1) }, /^valid for 0 more days/],
    ['Degraded Expired', 'at its end', { notAfter: now }, /^expired at 2026-11-22T10/],
    ['Degraded Revoked', 'revoked', { revoked: ['v1'] }, /revoked/],
    ['Healthy Current', 'the successor of a revoked one', { revoked: ['v0'] }, /./],
    [
      'Degraded TagsDisagree',
      'one whose tags said otherwise a day ago',
      { tagsDisagree: at(1 - dayMs) },
      /TagsDisagree/,
    ],
    ['Healthy Current', 'one whose tags did so before that', { tagsDisagree: at(-dayMs) }, /./],
    ['Healthy Current', 'one whose tags will, which nobody here wrote', { tagsDisagree: at(minuteMs) }, /./],
    [
      'Progressing BackingOff',
      'refused by the CA for a day',
      failing(dayMs),
      /^2 attempts failed, the last: the CA refused it; next attempt at 2026-11-22T11/,
    ],
    ['Degraded OrderFailing', 'refused by the CA for longer', failing(dayMs + 1), /^2 attempts failed/],
    [
      'Progressing RateLimited',
      'refused by a limit of the CA',
      {
        failures: 2,
        error: 'rateLimited',
        nextAttempt: at(hourMs),
        problem: problem('rateLimited', minuteMs),
      },
      /^2 attempts failed/,
    ],
    [
      'Progressing BackingOff',
      'failing by the tags of an earlier version, which do not say since when',
      { failures: 1, error: 'unauthorized', nextAttempt: at(-hourMs) },
      /^the last attempt failed with unauthorized$/,
    ],
    [
      'Progressing Ordering',
      'one that the CA still works on',
      { failures: 1, error: 'Processing', nextAttempt: at(minuteMs) },
      /still works/,
    ],
    [
      'Degraded PreflightFailed',
      'held back by DNS',
      { problem: problem('PreflightFailed', 0) },
      /^the CA refused it$/,
    ],
    ['Degraded NameTaken', 'one whose name another has', { problem: problem('NameTaken', 0) }, /./],
    ['Progressing RateLimited', 'waiting for a limit', { problem: problem('RateLimited', 9 * dayMs) }, /./],
    [
      'Suspended Paused',
      'paused',
      { pausedSince: at(-dayMs), pauseReason: 'moving' },
      /^paused since .*: moving$/,
    ],
    [
      'Suspended Paused',
      'paused until a time',
      { pausedSince: at(-dayMs), pauseReason: `until ${at(1).toISOString()}: moving` },
      /^paused since .*, until 2026-11-22T10:00:00.001Z: moving$/,
    ],
    [
      'Healthy Current',
      'whose pause has ended by itself',
      { pausedSince: at(-dayMs), pauseReason: `until ${at(0).toISOString()}: moving` },
      /^up to date/,
    ],
    [
      'Suspended Paused',
      'paused while orders fail',
      { pausedSince: at(-dayMs), ...failing(9 * dayMs) },
      /^paused/,
    ],
    [
      'Degraded ExpiresSoon',
      'paused for too long',
      { pausedSince: at(-70 * dayMs), notBefore: at(-76 * dayMs), notAfter: at(14 * dayMs) },
      /14 more days.*: paused since/,
    ],
    [
      'Degraded PausedByCA',
      'paused by the CA',
      {
        pausedSince: now,
        pauseReason: 'the CA has paused it; visit https://ca.example/unpause, then resume it here',
      },
      /visit https/,
    ],
    [
      'Degraded PausedByCA',
      'resumed here, and perhaps not at the CA',
      { ...failing(60_000), problem: { code: 'PausedByCA', since: now, words: 'visit https://ca.example' } },
      /^resumed, and no order has succeeded since: visit https:.*; next attempt at/,
    ],
    [
      'Degraded TakenBack',
      'taken back because it failed somewhere',
      stateOfTags({ deliveryHeld: 'v1 lab/shop/shop-tls Deployment web: 0 of 2 replicas are new' }),
      /^it failed at lab\/shop\/shop-tls and was taken back: Deployment web/,
    ],
    [
      'Degraded TakenBack',
      'taken back in an agent’s cluster',
      stateOfTags({ 'agent-report/edge': '@@@@v1 edge/shop/shop-tls Deployment web: it hung' }),
      /^it failed at edge\/shop\/shop-tls/,
    ],
    [
      'Suspended Frozen',
      'taken back by a person',
      stateOfTags({ deliveryHeld: 'v1 * it was taken back by hand' }),
      /by hand$/,
    ],
    [
      'Suspended Frozen',
      'imported, and nobody asked to deliver it',
      stateOfTags({ deliveryHeld: 'v1 import it was imported' }),
      /./,
    ],
    [
      'Healthy Current',
      'past a freeze of the version before',
      stateOfTags({ deliveryHeld: 'v0 a/b/c it hung' }),
      /./,
    ],
    [
      'Progressing Unread',
      'of another version than its tags',
      { version: 'v0' },
      /^issue did not write its current version/,
    ],
    [
      'Progressing BecomingServed',
      'not served for less than an hour',
      { notServedSince: at(1 - hourMs) },
      /^another certificate has been served since/,
    ],
    ['Degraded NotServed', 'not served for an hour', { notServedSince: at(-hourMs) }, /^another certificate/],
    [
      'Progressing BecomingServed',
      'not served, by the clock of a cluster that is ahead',
      { notServedSince: at(5 * minuteMs) },
      /^another certificate/,
    ],
    [
      'Degraded NotServed',
      'not served since an instant to come',
      { notServedSince: at(5 * minuteMs + 1) },
      /^another certificate/,
    ],
    [
      'Degraded Mismatch',
      'answered for by a certificate for other names',
      { notServedSince: at(-hourMs), served: { version: 'v1', word: 'mismatch' } },
      /^a certificate for other names/,
    ],
    [
      'Healthy Current',
      'one that nobody has probed for longer than a day',
      { notServedSince: at(-9 * dayMs), probedAt: at(-dayMs - 1), served: { version: 'v1', word: 'stale' } },
      /./,
    ],
  ])('%s: %s', async (word, _, state, message) => {
    lab.keep('shop', state);
    const { report, problems } = await lab.ask({ check: true });
    const [health, reason] = word.split(' ');
    expect(report.certificates).toMatchObject([
      { name: 'shop', health, reason, message: expect.stringMatching(message) },
    ]);
    expect(problems).toHaveLength(health === 'Degraded' ? 1 : 0);
    expect(report).toMatchObject({ ok: health !== 'Degraded', health });
  });

  test.each<[string, string, CertificateState]>([
    ['Progressing Ordering', 'before its first order', {}],
    ['Progressing BackingOff', 'an hour after its orders began to fail', failing(hourMs)],
    ['Degraded OrderFailing', 'later than that', failing(hourMs + 1)],
    ['Degraded PreflightFailed', 'held back by DNS at once', { problem: problem('PreflightFailed', 0) }],
    ['Progressing RateLimited', 'a week at a limit', { problem: problem('RateLimited', 7 * dayMs) }],
    ['Degraded OrderFailing', 'longer at a limit', { problem: problem('RateLimited', 7 * dayMs + 1) }],
    [
      'Suspended Paused',
      'longer, and paused by a person',
      { problem: problem('RateLimited', 8 * dayMs), pausedSince: at(-8 * dayMs) },
    ],
  ])('%s, if it was never issued: %s', async (word, _, state) => {
    lab.keep('shop');
    lab.unissued('shop', state);
    const { health, reason } = await healthOf();
    expect(`${health} ${reason}`).toBe(word);
  });
});

test('a certificate of the inventory whose AWS secret nobody can make is told after a week', async () => {
  lab.keep('shop');
  lab.store.kept.delete('shop');
  const look = async () => {
    const { health, reason } = await healthOf();
    return `${health} ${reason}`;
  };
  expect(await look()).toBe('Progressing Ordering');
  lab.clock.pass(7 * dayMs);
  expect(await look()).toBe('Progressing Ordering');
  lab.clock.pass(1);
  expect(await healthOf()).toMatchObject({
    health: 'Degraded',
    reason: 'OrderFailing',
    since: now,
    message: expect.stringMatching(/^never issued, .*not issued yet; the log of issue says more/),
  });
  expect(await look(), 'as long as it lasts').toBe('Degraded OrderFailing');
});

describe('a certificate that was registered and never issued turns no pager on', () => {
  test.each<[string, CertificateState]>([
    ['Progressing Ordering', {}],
    ['Progressing WaitingForDns', { problem: problem('PreflightFailed', 7 * dayMs) }],
    ['Suspended NeverReady', { problem: problem('PreflightFailed', 7 * dayMs + 1) }],
    ['Progressing WaitingForDns', failing(6 * dayMs)],
    ['Suspended NeverReady', failing(8 * dayMs)],
    ['Suspended NameTaken', { problem: problem('NameTaken', 0) }],
    ['Suspended PausedByCA', { pausedSince: now, pauseReason: `${pausedByCa}: visit https://ca.example` }],
  ])('%s for %o', async (word, state) => {
    const registration = {
      zones: ['example.com'],
      issuer: 'default',
      key: 'ecdsa-p256',
      targets: [],
    } as const;
    lab.sections = { registration };
    lab.unissued('shop', { source: 'registration', domains: ['shop.example.com'], ...state });
    const { health, reason, source } = await healthOf();
    expect([`${health} ${reason}`, source]).toEqual([word, 'webhook']);
    expect((await lab.ask()).report.summary.waitingForDns).toBe(reason === 'WaitingForDns' ? 1 : 0);
  });

  test.each([
    ['Progressing BackingOff', 'Progressing', hourMs],
    ['Degraded OrderFailing', 'Degraded', hourMs + 1],
  ])('but an issuer or a function does that fails it: %s', async (word, health, sinceMs) => {
    const causes = { le: 'issuer/le', site: 'function/issue' };
    for (const [name, cause] of Object.entries(causes)) {
      const state = { ...failing(0), problem: problem('Denied', sinceMs, { cause }) };
      lab.unissued(name, { source: 'registration', domains: [`${name}.example.com`], ...state });
    }
    lab.sections = { registration: { zones: ['example.com'], issuer: 'le', key: 'ecdsa-p256', targets: [] } };
    const { certificates, issuers, functions } = (await lab.ask()).report;
    expect(certificates.map((one) => `${one.health} ${one.reason}`)).toEqual([word, word]);
    expect([...issuers.filter(({ name }) => name !== 'default'), functions[0]]).toMatchObject([
      { name: 'le', health, affected: 1 },
      { name: 'issue', health, affected: 1 },
    ]);
  });
});

describe('a certificate that nobody asks for any more', () => {
  const targets = [targetOf()];
  const held = { deployed: describeProgress('v1', targets, ['rolled-out']) };
  test.each<[string, string, CertificateState, RegExp]>([
    ['Degraded Abandoned', 'held by a target', held, /and a target held it.*valid for/],
    [
      'Degraded Abandoned',
      'expired at a target',
      { ...held, notAfter: at(-dayMs) },
      /it expired at 2026-11-21T10:00:00.000Z, 1 day ago/,
    ],
    [
      'Degraded Abandoned',
      'held by targets that are remembered',
      {
        deployed: describeProgress(
          'v1',
          [...targets, ...targets, ...targets],
          ['rolled-out', 'rolled-out', 'rolled-out'],
        ),
        deliveredTo: ['lab/shop/shop-tls', 'lab/shop/two'],
      },
      /^nobody renews it: put it back into the inventory.*retire.* and lab\/shop\/shop-tls, lab\/shop\/two and 1 more held it at the last look/,
    ],
    ['Degraded Abandoned', 'served', { served: { version: 'v1', word: 'served' } }, /./],
    [
      'Degraded Abandoned',
      'held in an agent’s cluster',
      { reports: { edge: held } },
      /a Secret in cluster edge held/,
    ],
    ['Suspended Unused', 'held by nobody', {}, /no target is known to hold it/],
    ['Suspended Unused', 'expired and held by nobody', { notAfter: at(-dayMs) }, /./],
  ])('is %s: %s', async (word, _, state, message) => {
    lab.stored('shop', state);
    const health = await healthOf();
    expect([`${health.health} ${health.reason}`, health.source]).toEqual([word, 'none']);
    expect(health.message).toMatch(message);
  });
});

test('a certificate of the inventory that a person had retired before says that it goes once its entry does', async () => {
  lab.keep('shop', { retire: { kind: 'retire', at: at(-dayMs), revoke: false } });
  const { health, reason, command } = await healthOf();
  expect(`${health} ${reason}`).toBe('Suspended RetirementAhead');
  expect(command).toContain('restore');
});

describe('a certificate that no object asks for any more', () => {
  const found = 'lab-shop-web-0a1b2c3d';
  const counting = (sinceMs: number): CertificateState => ({
    source: 'discovery',
    gone: { kind: 'counting', since: at(-sinceMs), days: 0, countedAt: at(-sinceMs), row: 3 },
  });
  const restored = { retire: { kind: 'restored', at: at(-hourMs) } } as const;
  const retire = true;
  test.each<[string, string, CertificateState, boolean]>([
    ['Healthy Current', 'for less than a day', counting(dayMs - 1), !retire],
    ['Degraded Abandoned', 'for a day', counting(dayMs), !retire],
    ['Suspended Abandoned', 'and that is retired by itself', counting(dayMs), retire],
    ['Suspended Abandoned', 'and that is, for nearly 14 days', counting(14 * dayMs - 1), retire],
    ['Degraded Abandoned', 'and is not retired by itself in time', counting(14 * dayMs), retire],
    ['Healthy Current', 'and that a person restored', { ...counting(2 * dayMs), ...restored }, retire],
    ['Healthy Current', 'by tags of another source', { ...counting(dayMs), source: 'import' }, !retire],
  ])('is %s: %s', async (word, _, state, retires) => {
    lab.sections = { discovery: discoveryOf({ retire: retires }) };
    lab.stored(found, state);
    const { health, reason, message } = await healthOf(found);
    expect(`${health} ${reason}`).toBe(word);
    if (reason === 'Abandoned')
      expect(message).toMatch(/^no object has asked for it since .*inventory.*retire.*ack /);
  });

  it('is Unused if it was never issued: whoever may write an object turns on no alarm', async () => {
    lab.sections = { discovery: discoveryOf() };
    lab.unissued(found, { ...counting(2 * dayMs), domains: ['shop.example.com'] });
    const { health, reason } = await healthOf(found);
    expect(`${health} ${reason}`).toBe('Suspended Unused');
  });
});

test.each<[string, number]>([
  ['Progressing Retiring', 0],
  ['Progressing Retiring', 8],
  ['Degraded RetirementStuck', 9],
])('a certificate that is being let go is %s after %i days, whatever else is wrong', async (word, days) => {
  const retire = { kind: 'retire', at: at(-days * dayMs), revoke: false } as const;
  lab.stored('shop', {
    retire,
    deployed: describeProgress('v1', [targetOf()], ['rolled-out']),
    notAfter: now,
  });
  const { health, reason, message } = await healthOf();
  expect(`${health} ${reason}`).toBe(word);
  expect(message).toContain('retired by a person');
});

test('one whose parts are done says that issue may wait for the event bus, and where that is to be seen', async () => {
  const retire = { kind: 'retire', at: at(-dayMs), revoke: false } as const;
  lab.stored('shop', { retire, deployed: describeProgress('v1', [], []) });
  const { message } = await healthOf();
  expect(message).toMatch(/every part is done, and issue deletes .* or waits for the event bus \(the log/);
});

describe('a certificate that is let go and whose revocation fails', () => {
  const hour = 3_600_000;
  const failing = (revoke: boolean, since: Date): CertificateState => ({
    retire: { kind: 'retire', at: at(-10 * dayMs), revoke },
    problem: { code: 'RevocationFailed', since, words: 'the CA says <b>no</b>' },
    deployed: describeProgress('v1', [], []),
  });

  test.each<[string, string, CertificateState]>([
    ['Progressing Retiring', 'for an hour', failing(true, at(-hour))],
    ['Degraded RevocationFailing', 'for longer', failing(true, at(-hour - 1))],
    ['Degraded RetirementStuck', 'and that is not to be revoked any more', failing(false, at(-hour - 1))],
  ])('is %s: %s', async (word, _, state) => {
    lab.stored('shop', state);
    const { health, reason, message, command, since } = await healthOf();
    expect(`${health} ${reason}`).toBe(word);
    if (reason !== 'RevocationFailing') return;
    expect(since).toEqual(at(-hour - 1));
    expect(message).toMatch(
      /not revoked \(the CA says .*\).*or let it go unrevoked: .* retire shop --no-revoke/,
    );
    expect(command).toContain('shop');
  });
});

test('a revocation that failed before a person restored the certificate is no trouble of its orders', async () => {
  const since = at(-10 * dayMs);
  const problem = { code: 'RevocationFailed', since, words: 'the CA said no' };
  lab.keep('shop', { retire: { kind: 'restored', at: now, version: 'v0' }, problem });
  expect(await healthOf()).toMatchObject({ health: 'Healthy', reason: 'Current' });
  lab.change('shop', { failures: 1, error: 'unauthorized', nextAttempt: at(3_600_000) });
  const { health, reason, message } = await healthOf();
  expect(`${health} ${reason}`).toBe('Progressing BackingOff');
  expect(message).toMatch(/^the last attempt failed with unauthorized/);
});

describe('a target', () => {
  const spec = (targets: CertificateSpec['targets']) => ({ targets });
  const both = [targetOf(), targetOf({ secret: 'two' })];
  const holds = (end: Date) => ({ version: 'v0', notAfter: end });
  const delivering = (ms: number) =>
    ({ health: 'Progressing', reason: 'Delivering', since: at(-ms), told: [] }) as const;
  const record = (
    phases: DeliveryRecord['phases'],
    more: Partial<DeliveryRecord> = {},
  ): CertificateState => ({
    deployed: { ...describeProgress('v1', both, phases), ...more },
  });

  test.each<[string, string, CertificateState, RegExp]>([
    ['Healthy Current', 'that has the version', record(['rolled-out', 'rolled-out']), /up to date/],
    [
      'Progressing Delivering',
      'that does not',
      record(['rolled-out', 'none']),
      /^lab\/shop\/two does not have it yet$/,
    ],
    [
      'Progressing Delivering',
      'whose workloads do not run with it',
      record(['rolled-out', 'applied']),
      /workloads do not run/,
    ],
    [
      'Progressing Delivering',
      'that failed twice in less than an hour',
      {
        ...record(['rolled-out', 'none'], { retry: { failures: 2, after: at(minuteMs) } }),
        deliveryProblem: problem('Denied', hourMs, { cause: 'target/lab/shop/two', words: 'no right' }),
      },
      /^lab\/shop\/two: no right; next attempt at 2026-11-22T10:01/,
    ],
    [
      'Degraded DeliveryFailing',
      'that failed three times',
      {
        ...record(['rolled-out', 'none'], { retry: { failures: 3, after: at(minuteMs) } }),
        deliveryProblem: problem('Denied', minuteMs, { cause: 'target/lab/shop/two' }),
      },
      /^lab\/shop\/two: the CA/,
    ],
    [
      'Degraded DeliveryFailing',
      'that failed for longer than an hour',
      {
        ...record(['rolled-out', 'none'], { retry: { failures: 1, after: at(-minuteMs) } }),
        deliveryProblem: problem('Denied', hourMs + 1, { cause: 'target/lab/shop/two' }),
      },
      /refused it$/,
    ],
    [
      'Progressing Delivering',
      'whose workloads have restarted for six hours',
      { ...record(['rolled-out', 'applied']), health: delivering(6 * hourMs) },
      /do not run with it yet$/,
    ],
    [
      'Degraded DeliveryFailing',
      'whose workloads have restarted for longer',
      { ...record(['rolled-out', 'applied']), health: delivering(6 * hourMs + 1) },
      /two has the Secret, and its workloads do not run with it since 2026-11-22T03:59:59.999Z: look at/,
    ],
    [
      'Progressing Delivering',
      'that has waited for a day, and nothing fails',
      { ...record(['rolled-out', 'none']), health: delivering(dayMs) },
      /does not have it yet$/,
    ],
    [
      'Degraded DeliveryFailing',
      'that has waited for longer',
      { ...record(['rolled-out', 'none']), health: delivering(dayMs + 1) },
      /two waits for it since 2026-11-21T09:59:59.999Z, and no failure is recorded/,
    ],
    [
      'Progressing Delivering',
      'that waits for the certificate to begin, however long',
      { ...record(['rolled-out', 'none']), notBefore: at(1), health: delivering(9 * dayMs) },
      /does not have it yet/,
    ],
    [
      'Progressing Delivering',
      'that waits for a person, however long',
      {
        ...record(['rolled-out', 'applied']),
        health: delivering(9 * dayMs),
        deliveryProblem: problem('Waiting', 9 * dayMs, {
          cause: 'target/lab/shop/two',
          words: 'Deployment web is paused',
        }),
      },
      /: Deployment web is paused$/,
    ],
    [
      'Progressing Delivering',
      'whose certificate has half of the margin left',
      record(['rolled-out', 'none'], { holds: [undefined, holds(at(15 * dayMs))] }),
      /./,
    ],
    [
      'Degraded ExpiresSoon',
      'whose certificate has less',
      record(['rolled-out', 'none'], { holds: [undefined, holds(at(15 * dayMs - 1000))] }),
      /^lab\/shop\/two holds a certificate that is valid for 14.9 more days/,
    ],
    [
      'Degraded Expired',
      'whose certificate has expired',
      record(['rolled-out', 'none'], { holds: [undefined, holds(now)] }),
      /holds a certificate that expired at/,
    ],
  ])('makes its certificate %s: one %s', async (word, _, state, message) => {
    lab.keep('shop', state, spec(both));
    const { health, reason, message: told, targets } = await healthOf();
    expect(`${health} ${reason}`).toBe(word);
    expect(told === 'up to date' ? told : told.replace(/^up to date, .*/, 'up to date')).toMatch(message);
    expect(targets.map((target) => target.target)).toEqual(['lab/shop/shop-tls', 'lab/shop/two']);
    expect(targets[0]).toMatchObject({
      health: 'Healthy',
      holds: { version: 'v1', notAfter: at(45 * dayMs) },
    });
    expect(targets[1]).toMatchObject({ health, reason });
  });

  it.each([
    ['none', 2 * dayMs],
    ['applied', 7 * hourMs],
  ] as const)('is blamed on the function that cannot deliver it, for however long: %s', async (phase, age) => {
    lab.keep(
      'shop',
      {
        ...record(['rolled-out', phase]),
        deliveryProblem: problem('Denied', age, { cause: 'function/deploy', words: 'no right' }),
        health: { ...delivering(age), health: 'Degraded', reason: 'DeliveryFailing' },
      },
      spec(both),
    );
    expect(await healthOf()).toMatchObject({ reason: 'DeliveryFailing', cause: 'function/deploy' });
  });

  it('waits for a version since that began, whatever was noted of the version before', async () => {
    lab.keep(
      'shop',
      { ...record(['rolled-out', 'none']), notBefore: at(-hourMs), health: delivering(9 * dayMs) },
      spec(both),
    );
    expect(await healthOf()).toMatchObject({ health: 'Progressing', reason: 'Delivering' });
  });

  it('that its agent does not know is told after a day, though the agent is well', async () => {
    lab.keep('shop', {}, spec([targetOf({ cluster: 'edge' })]));
    const look = async () => {
      lab.agents = [{ cluster: 'edge', lastSeen: lab.clock.now() }];
      return healthOf();
    };
    await look();
    lab.clock.pass(dayMs);
    expect(await look()).toMatchObject({ health: 'Progressing', reason: 'Delivering' });
    lab.clock.pass(1);
    expect(await look()).toMatchObject({
      health: 'Degraded',
      reason: 'DeliveryFailing',
      since: now,
      message: expect.stringMatching(/its agent reports that all is well: give .* part of the inventory/),
    });
    const report = { deployed: describeProgress('v1', [targetOf({ cluster: 'edge' })], ['rolled-out']) };
    lab.change('shop', { reports: { edge: report } });
    expect(await look()).toMatchObject({ health: 'Healthy' });
  });

  it('whose restart has a deadline of its own is left to that', async () => {
    const targets = [targetOf({ rollout: { waves: 1, deadlineMs: 8 * hourMs, probe: false, windows: [] } })];
    const deployed = describeProgress('v1', targets, ['applied']);
    lab.keep('shop', { deployed, health: delivering(7 * hourMs) }, spec(targets));
    expect(await healthOf()).toMatchObject({ health: 'Progressing', reason: 'Delivering' });
  });

  it('that has the version and cannot be looked at is told of: it may be gone there', async () => {
    const forbidden = (sinceMs: number) => ({
      deliveryProblem: problem('Forbidden', sinceMs, { cause: 'target/lab/shop/two', words: 'no namespace' }),
    });
    lab.keep('shop', { ...record(['rolled-out', 'rolled-out']), ...forbidden(hourMs) }, spec(both));
    expect(await healthOf()).toMatchObject({ health: 'Progressing', reason: 'Delivering' });
    lab.change('shop', forbidden(hourMs + 1));
    expect(await healthOf()).toMatchObject({
      health: 'Degraded',
      reason: 'DeliveryFailing',
      message: 'lab/shop/two: no namespace',
      targets: [{ health: 'Healthy' }, { health: 'Degraded' }],
    });
  });

  it('that holds the version before, by yesterday’s record, is told of once half of that margin is over', async () => {
    const before = describeProgress('v0', both, ['rolled-out', 'rolled-out']);
    lab.keep('shop', { deployed: before, notBefore: at(-15 * dayMs), notAfter: at(75 * dayMs) }, spec(both));
    expect(await healthOf()).toMatchObject({ health: 'Progressing', reason: 'Delivering' });
    lab.change('shop', { notBefore: at(-15 * dayMs - hourMs), notAfter: at(75 * dayMs - hourMs) });
    expect(await healthOf()).toMatchObject({ health: 'Degraded', reason: 'ExpiresSoon' });
    lab.change('shop', { deployed: describeProgress('v0', both, ['none', 'none']) });
    expect(await healthOf(), 'new targets hold nothing').toMatchObject({ health: 'Progressing' });
  });

  it('of a cluster that cannot be looked at stays as it is for a day, and says so', async () => {
    lab.keep('shop', record(['rolled-out', 'rolled-out']), spec(both));
    const reach = (since: Date) => ({
      ...lab.operations,
      clusters: { lab: { since, code: 'Unreachable', words: 'connect ECONNREFUSED' } },
    });
    lab.operations = reach(at(-dayMs));
    expect(await healthOf()).toMatchObject({
      health: 'Healthy',
      targets: [{ health: 'Healthy', message: 'not looked at since 2026-11-21T10:00:00.000Z' }, {}],
    });
    lab.operations = reach(at(-dayMs - 1));
    expect(await healthOf()).toMatchObject({
      health: 'Degraded',
      reason: 'NotLookedAt',
      cause: 'cluster/lab',
    });
    const { report } = await lab.ask();
    expect(report.clusters).toMatchObject([
      {
        name: 'lab',
        health: 'Degraded',
        reason: 'ClusterFailing',
        message: 'connect ECONNREFUSED',
        affected: 1,
      },
    ]);
    lab.change('shop', record(['rolled-out', 'none']));
    expect(await healthOf()).toMatchObject({
      reason: 'DeliveryFailing',
      message: expect.stringContaining('because of cluster lab'),
    });
  });

  it('that waited for a cluster which answers again says so, and blames it no longer', async () => {
    lab.keep(
      'shop',
      {
        ...record(['rolled-out', 'none']),
        deliveryProblem: {
          since: at(-2 * hourMs),
          code: 'Unreachable',
          cause: 'cluster/lab',
          words: 'no answer',
        },
      },
      spec(both),
    );
    const health = await healthOf();
    expect(health).toMatchObject({ reason: 'DeliveryFailing' });
    expect(health.cause).toBeUndefined();
    expect(health.message).toMatch(/^lab\/shop\/two: cluster lab stopped .* next pass of deploy .*no answer/);
  });

  it('W14 says whether the version is there, by deploy or by the agent, and what is served', async () => {
    const targets = [targetOf(), targetOf({ secret: 'two' }), targetOf({ cluster: 'edge' })];
    const deployed = describeProgress('v1', targets, ['rolled-out', 'none', 'none']);
    const ownReport = {
      deployed: describeProgress('v1', targets.slice(2), ['applied']),
      served: { word: 'stale' },
    } as const;
    lab.keep(
      'shop',
      { deployed, served: { version: 'v1', word: 'served' }, reports: { edge: ownReport } },
      spec(targets),
    );
    expect(await healthOf()).toMatchObject({
      health: 'Progressing',
      message: 'lab/shop/two does not have it yet (and 1 more of 3 targets)',
      served: 'served',
      targets: [
        { target: 'lab/shop/shop-tls', health: 'Healthy', served: 'served' },
        { target: 'lab/shop/two', health: 'Progressing', served: 'served' },
        { target: 'edge/shop/shop-tls', health: 'Progressing', served: 'stale' },
      ],
    });
    lab.agents = [{ cluster: 'edge', lastSeen: at(-2 * hourMs) }];
    lab.change('shop', { deployed: describeProgress('v1', targets, ['rolled-out', 'rolled-out', 'none']) });
    expect(await healthOf(), 'of a silent agent').toMatchObject({
      cause: 'agent/edge',
      message: expect.stringContaining('because of agent edge'),
    });
  });

  it('serves what its own addresses show, in an agent’s cluster too', async () => {
    const addresses = [{ address: '203.0.113.7' }];
    const targets = [
      targetOf({ addresses }),
      targetOf({ secret: 'two' }),
      targetOf({ cluster: 'edge', addresses }),
      targetOf({ cluster: 'edge', secret: 'two', addresses }),
    ];
    const seen = (served: ServedWord) => [
      { name: 'shop.example.com', address: '203.0.113.7', served, message: '' },
    ];
    const own = judgeTargets(seen('stale'), targets.slice(0, 2), {});
    const served = (word: ServedWord): CertificateState => ({
      served: { version: 'v1', word, ...(own && { targets: own }) },
    });
    const words = async (of: CertificateSpec['targets'], state: CertificateState) => {
      lab = new StatusLab();
      lab.keep('shop', state, { targets: of });
      return (await healthOf()).targets.map((target) => target.served);
    };
    const [reached, edge] = [targets.slice(0, 2), targets.slice(2)];
    expect(await words(reached, served('unreachable'))).toEqual(['stale', 'unreachable']);
    const moved = [targetOf({ addresses: [{ address: '203.0.113.8' }] }), ...reached.slice(1)];
    expect(await words(moved, served('served')), 'of other addresses').toEqual(['served', 'served']);
    const inside = judgeTargets(seen('mismatch'), edge, {});
    const report = { served: { word: 'mismatch', ...(inside && { targets: inside }) } } as const;
    expect(await words(edge, { reports: { edge: report } })).toEqual(['mismatch', 'mismatch']);
    expect(await words(edge, stateOfTags({ 'agent-report/edge': '@nonsense/ab@@' }))).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe('a certificate that was registered for the usual targets', () => {
  const usual = [targetOf({ cluster: 'lab', secret: 'shop-tls' })];
  const targets = [targetOf({ cluster: 'lab', secret: '{name}-tls' })];
  const registered: CertificateState = { source: 'registration', targets: targetsKey(usual) };
  beforeEach(() => {
    lab.sections = {
      registration: { zones: ['example.com'], issuer: 'default', key: 'ecdsa-p256', targets },
    };
  });

  it('has each of them judged, and waits because of their cluster', async () => {
    lab.stored('shop', { ...registered, deployed: describeProgress('v1', usual, ['none']) });
    const trouble = { since: at(-2 * hourMs), code: 'Unreachable', words: 'no answer' };
    lab.operations = { ...lab.operations, clusters: { lab: trouble } };
    const { report } = await lab.ask();
    const [found] = report.certificates;
    expect(found).toMatchObject({ health: 'Degraded', reason: 'DeliveryFailing', cause: 'cluster/lab' });
    expect(found?.targets).toMatchObject([{ target: 'lab/shop/shop-tls', reason: 'DeliveryFailing' }]);
    expect(report.clusters).toMatchObject([{ name: 'lab', affected: 1 }]);
  });

  test.each<[string, number, CertificateState]>([
    ['one that has it', 1, { deployed: describeProgress('v1', usual, ['rolled-out']) }],
    ['none of another registration', 0, { targets: targetsKey([]) }],
    ['none while it is being let go', 0, { retire: { kind: 'retire', at: at(-hourMs), revoke: false } }],
  ])('shows %s', async (_, count, state) => {
    lab.stored('shop', { ...registered, deliveredTo: ['lab/shop/shop-tls'], ...state });
    const found = await healthOf();
    expect(found.targets.map(({ health }) => health)).toEqual(Array(count).fill('Healthy'));
    expect(found.deliveredTo).toEqual(count > 0 ? undefined : ['lab/shop/shop-tls']);
  });
});

describe('a registered certificate', () => {
  const registration = { zones: ['example.com'], issuer: 'default', key: 'ecdsa-p256', targets: [] } as const;
  const past = { firstRun: at(-dayMs), isUpgraded: true, lastPass: at(-minuteMs) };
  const outside = { registration: { ...registration, zones: ['example.org'] } };
  const line = /add "- a.example.com" to registration.zones/;

  test.each<
    [string, string, CertificateState, StatusLab['sections'], InstallationRecord | undefined, RegExp]
  >([
    ['Healthy Current', 'that fits', {}, { registration }, past, /^up to date/],
    ['Degraded NotAllowed', 'outside the zones', {}, outside, past, line],
    ['Degraded NotAllowed', 'whose section is gone', {}, {}, past, /no section "registration"/],
    [
      'Degraded NotAllowed',
      'whose grace is over',
      { graceUntil: now },
      outside,
      past,
      /its grace ended at 2026-11-22T10/,
    ],
    [
      'Degraded NotAllowed',
      'by what issue has read',
      { error: 'NotAllowed' },
      { registration },
      past,
      /--against-store/,
    ],
    [
      'Degraded NotAllowed',
      'in its time of grace',
      { graceUntil: at(dayMs) },
      outside,
      past,
      /delivered until 2026-11-23T10.*a.example.com/,
    ],
    [
      'Degraded NotAllowed',
      'before the first full pass',
      {},
      outside,
      undefined,
      /90 days after the first full pass/,
    ],
  ])('is %s: one %s', async (word, _, state, allowed, record, message) => {
    lab.stored('shop', { source: 'registration', domains: ['a.example.com'], ...state });
    [lab.sections, lab.installation] = [allowed, record];
    const { health, reason, message: told } = await healthOf();
    expect(`${health} ${reason}`).toBe(word);
    expect(told).toMatch(message);
  });

  const agents = (phase: DeliveryPhase, failures = 0) =>
    describeProgress(
      'v1',
      [targetOf({ cluster: 'edge' })],
      [phase],
      failures > 0 ? { failures, after: at(hourMs) } : undefined,
    );
  const noted = (ms: number): CertificateState => ({
    health: { health: 'Progressing', reason: 'Delivering', since: at(-ms), told: [] },
  });
  const delivered = { deployed: describeProgress('v1', [targetOf()], ['rolled-out']) };
  const restored: CertificateState = {
    targets: 'abcdef01',
    deployed: describeLetGo('v1'),
    retire: { kind: 'restored', at: now, version: 'v1' },
  };
  const old = { ...agents('rolled-out'), version: 'v0', holds: [{ version: 'v0', notAfter: now }] };
  test.each<[string, string, CertificateState]>([
    ['Healthy Current', 'without targets', { targets: '00000000' }],
    ['Progressing Delivering', 'not delivered yet', { targets: 'abcdef01' }],
    [
      'Progressing Delivering',
      'of which nothing is noted for a day',
      { targets: 'abcdef01', ...noted(dayMs) },
    ],
    ['Degraded DeliveryFailing', 'and for longer', { targets: 'abcdef01', ...noted(dayMs + 1) }],
    [
      'Progressing Delivering',
      'that waits for a window, as deploy has noted',
      { deployed: describeProgress('v1', [targetOf()], ['none']), ...noted(9 * dayMs) },
    ],
    ['Progressing Delivering', 'that was let go everywhere, and restored', restored],
    ['Degraded DeliveryFailing', 'that was, and stays so for a day', { ...restored, ...noted(dayMs + 1) }],
    [
      'Progressing Delivering',
      'not delivered everywhere',
      { deployed: describeProgress('v1', [targetOf()], ['applied']) },
    ],
    ['Healthy Current', 'delivered', { deployed: describeProgress('v1', [targetOf()], ['rolled-out']) }],
    [
      'Degraded DeliveryFailing',
      'whose workloads restart without an end',
      {
        deployed: describeProgress('v1', [targetOf()], ['applied']),
        ...noted(7 * hourMs),
      },
    ],
    [
      'Degraded Expired',
      'of which a target holds an expired one',
      {
        deployed: {
          ...describeProgress('v1', [targetOf()], ['none']),
          holds: [{ version: 'v0', notAfter: now }],
        },
      },
    ],
    [
      'Degraded Expired',
      'of which an agent holds an expired one',
      { ...delivered, signatures: { edge: 'signed' }, reports: { edge: { deployed: old } } },
    ],
    [
      'Healthy Current',
      'of which an agent held one that does not get it any more',
      { ...delivered, reports: { edge: { deployed: old } } },
    ],
    [
      'Degraded DeliveryFailing',
      'that an agent could not deliver three times',
      {
        signatures: { edge: 'signed' },
        reports: { edge: { deployed: agents('none', 3) } },
        deployed: agents('none'),
      },
    ],
    [
      'Progressing Delivering',
      'that an agent could not deliver twice',
      {
        signatures: { edge: 'signed' },
        reports: { edge: { deployed: agents('none', 2) } },
        deployed: agents('none'),
      },
    ],
    [
      'Healthy Current',
      'that an agent has delivered',
      {
        signatures: { edge: 'signed' },
        reports: { edge: { deployed: agents('rolled-out') } },
        deployed: agents('rolled-out'),
      },
    ],
  ])('is %s by its tags alone: one %s', async (word, _, state) => {
    lab.sections = { registration };
    lab.stored('shop', { source: 'registration', domains: ['a.example.com'], ...state });
    if (state.targets === '00000000') lab.change('shop', { targets: targetsKey([]) });
    const { health, reason } = await healthOf();
    expect(`${health} ${reason}`).toBe(word);
  });
});
