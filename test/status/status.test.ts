// What `status` says: of certificates, of targets, of agents, and when it is an error.
import { beforeEach, describe, expect, test } from 'vitest';
import { namesKey } from '../../lib/certificate/names.ts';
import type { CertificateSpec, RegistrationSpec, TargetSpec } from '../../lib/certificate/spec.ts';
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import { judgeTargets } from '../../lib/policy/serving/served-targets.ts';
import type { AgentRecord } from '../../lib/ports/agents.ts';
import type { InstallationRecord } from '../../lib/ports/installation.ts';
import type { ServedWord } from '../../lib/state/delivery.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { describeStatus } from '../../lib/status/status.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';
import { stateOfTags } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';

const now = new Date('2026-11-22T10:00:00Z');
const [minuteMs, dayMs] = [60_000, 86_400_000];
const at = (ms: number) => new Date(now.getTime() + ms);

let store: FakeStore;
let log: FakeLog;
let records: AgentRecord[];
let specs: CertificateSpec[];
beforeEach(() => {
  [store, log, records, specs] = [new FakeStore(), new FakeLog(), [], []];
});

/** A certificate in the middle of its 90 days, stored and described, but for what is changed. */
function keep(name: string, state: CertificateState = {}, targets: readonly TargetSpec[] = []): void {
  specs.push({ name, domains: [`${name}.example.com`], issuer: 'default', key: 'ecdsa-p256', targets });
  const described: CertificateState = {
    version: 'v1',
    names: namesKey([`${name}.example.com`]),
    issuer: 'https://ca.example/directory',
    key: 'ecdsa-p256',
    fingerprint: '0'.repeat(64),
    notBefore: at(-45 * dayMs),
    notAfter: at(45 * dayMs),
    ...state,
  };
  store.kept.set(name, { versions: new Map(), stages: new Map([['AWSCURRENT', 'v1']]), state: described });
}

/** What others may ask for, and what is known of the installation. */
let sections: { readonly registration?: RegistrationSpec } = {};
let installation: InstallationRecord | undefined;

/** One that the webhook registered for a.example.com. */
function register(state: CertificateState = {}): void {
  keep('customer', { source: 'registration', domains: ['a.example.com'], ...state });
  specs.pop();
}

function ask(request: { readonly certificates?: readonly string[] } = {}) {
  const ports = {
    store,
    agents: { list: async () => records },
    publicKey: async () => 'the-public-key',
    installation: { read: async () => installation },
    clock: new FakeClock(now.toISOString()),
    log,
  };
  const clusters = { edge: { agent: true }, lab: { inCluster: true } } as const;
  const inventory = { issuers: {}, clusters, certificates: specs, ...sections };
  const signal = new AbortController().signal;
  return describeStatus(ports, { ...request, inventory, staleAfterMs: 60 * minuteMs, signal });
}

describe('P14 P24 a certificate is', () => {
  test.each<[string, string, CertificateState, RegExp]>([
    ['well', 'in the middle of its life', {}, /^up to date$/],
    ['failing', 'past its end', { notAfter: at(0) }, /^expired at 2026-11-22T10/],
    [
      'failing',
      'one whose tags said otherwise than its value a day ago',
      { tagsDisagree: at(1 - dayMs) },
      /TagsDisagree/,
    ],
    ['well', 'one whose tags did so before that', { tagsDisagree: at(-dayMs) }, /^up to date$/],
    ['well', 'one whose tags will, which nobody here wrote', { tagsDisagree: at(minuteMs) }, /^up to date$/],
    ['well', 'just before its end, if that is renewed late', { notAfter: at(46 * dayMs) }, /^up to date$/],
    ['pending', 'due', { notAfter: at(22 * dayMs) }, /^due for renewal since/],
    [
      'failing',
      'refused by the CA',
      { failures: 2, error: 'rateLimited', nextAttempt: at(minuteMs) },
      /^attempts to order: 2 failed, the last with rateLimited; next attempt 2026-11-22T10:01/,
    ],
    ['failing', 'revoked', { revoked: ['v1'] }, /revoked/],
    [
      'failing',
      'held because it failed somewhere',
      stateOfTags({ deliveryHeld: 'v1 lab/shop/shop-tls Deployment web: 0 of 2 replicas are new' }),
      /^frozen: it failed at lab\/shop\/shop-tls: Deployment web: 0 of 2 replicas are new; once that is fixed, run: npx serverless invoke --function deploy --data '{"certificates":\["shop"\],"resume":true}'$/,
    ],
    [
      'pending',
      'held by a person',
      stateOfTags({ deliveryHeld: 'v1 * it was taken back by hand' }),
      /^frozen: .* by hand$/,
    ],
    [
      'pending',
      'imported from a cluster, and nobody asked to deliver it',
      stateOfTags({ deliveryHeld: 'v1 import it was imported from Secret lab/shop/shop-tls' }),
      /^frozen: it was imported from Secret lab\/shop\/shop-tls; to deliver it, run: npx .*"resume":true}'$/,
    ],
    [
      'failing',
      'held because it failed in an agent’s cluster',
      stateOfTags({ 'agent-report/edge': '@@@@v1 edge/shop/shop-tls Deployment web: it hung' }),
      /^frozen: it failed at edge\/shop\/shop-tls: Deployment web: it hung; once/,
    ],
    [
      'well',
      'past a hold on the version before',
      stateOfTags({ deliveryHeld: 'v0 a/b/c it hung' }),
      /^up to date$/,
    ],
    ['pending', 'paused', { pausedSince: at(-dayMs), pauseReason: 'moving' }, /^paused since .*: moving$/],
    [
      'pending',
      'of another version than its tags',
      { version: 'v0' },
      /^issue did not write its current version/,
    ],
    ['pending', 'not served yet', { notServedSince: at(-59 * minuteMs) }, /^another certificate has been/],
    ['failing', 'not served since an instant to come', { notServedSince: at(1) }, /^another certificate/],
    ['failing', 'not served for too long', { notServedSince: at(-60 * minuteMs) }, /^another certificate/],
  ])('%s: %s', async (health, _, state, message) => {
    keep('shop', state);
    const { report, problems } = await ask();
    expect(report.certificates).toMatchObject([
      { name: 'shop', health, message: expect.stringMatching(message) },
    ]);
    expect(problems).toHaveLength(health === 'failing' ? 1 : 0);
    expect(report.summary[report.certificates[0]?.health ?? 'well']).toBe(1);
  });

  test('pending before it is issued, and told apart where nobody wants it', async () => {
    keep('shop');
    store.kept.clear();
    expect((await ask()).report.certificates).toMatchObject([
      { health: 'pending', message: 'not issued yet' },
    ]);
    keep('orphan');
    specs = [];
    expect((await ask()).report.certificates).toMatchObject([
      { name: 'orphan', health: 'well', message: expect.stringContaining('nobody renews it') },
    ]);
  });
});

test('W14 each target says whether the version is there, by deploy or by the agent, and what is served', async () => {
  const targets = [targetOf(), targetOf({ secret: 'two' }), targetOf({ cluster: 'edge' })];
  const deployed = describeProgress('v1', targets, ['rolled-out', 'none', 'none']);
  const ownReport = {
    deployed: describeProgress('v1', targets.slice(2), ['applied']),
    served: { word: 'stale' },
  } as const;
  keep(
    'shop',
    { deployed, served: { version: 'v1', word: 'served' }, reports: { edge: ownReport } },
    targets,
  );
  const [shop] = (await ask()).report.certificates;
  expect(shop).toMatchObject({
    health: 'pending',
    message: '2 of 3 targets wait: lab/shop/two …',
    served: 'served',
    targets: [
      { target: 'lab/shop/shop-tls', applied: 'yes', served: 'served' },
      { target: 'lab/shop/two', applied: 'no', served: 'served' },
      { target: 'edge/shop/shop-tls', applied: 'Secret only', served: 'stale' },
    ],
  });
});

test('what a target serves is its own where it tells its addresses, in an agent’s cluster too', async () => {
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
  const words = async (of: readonly TargetSpec[], state: CertificateState) => {
    [specs, store] = [[], new FakeStore()];
    keep('shop', state, of);
    const [shop] = (await ask()).report.certificates;
    return shop?.targets?.map(({ served }) => served);
  };
  const [lab, edge] = [targets.slice(0, 2), targets.slice(2)];
  expect(await words(lab, served('unreachable'))).toEqual(['stale', 'unreachable']);
  const moved = [targetOf({ addresses: [{ address: '203.0.113.8' }] }), ...lab.slice(1)];
  expect(await words(moved, served('served')), 'of other addresses').toEqual(['served', 'served']);
  const inside = judgeTargets(seen('mismatch'), edge, {});
  const report = { served: { word: 'mismatch', ...(inside && { targets: inside }) } } as const;
  expect(await words(edge, { reports: { edge: report } })).toEqual(['mismatch', 'mismatch']);
  expect(await words(edge, stateOfTags({ 'agent-report/edge': '@nonsense/ab@@' }))).toEqual([
    undefined,
    undefined,
  ]);
});

describe('W15 W22 an agent is', () => {
  const seen = { cluster: 'edge', lastSeen: at(-5 * minuteMs), version: 'abc' };
  test.each<[string, AgentRecord | undefined, number]>([
    ['never seen', undefined, 0],
    ['never seen', { cluster: 'edge' }, 0],
    ['live', seen, 0],
    ['live', { ...seen, lastSeen: at(-60 * minuteMs) }, 0],
    ['stale', { ...seen, lastSeen: at(-60 * minuteMs - 1) }, 1],
    ['failing', { ...seen, problem: 'shop was not signed' }, 1],
    ['live', { ...seen, lastSeen: at(5 * minuteMs) }, 0],
    ['failing', { ...seen, lastSeen: at(5 * minuteMs + 1) }, 1],
    ['deregistered', { ...seen, lastSeen: at(-9 * dayMs), deregistered: at(-9 * dayMs) }, 0],
  ])('%s for %o', async (state, record, wrong) => {
    if (record) records.push(record);
    const { report, problems } = await ask();
    expect(report).toMatchObject({ signingKey: 'the-public-key', agents: [{ cluster: 'edge', state }] });
    expect(problems).toHaveLength(wrong);
    expect(log.events().includes('agent silent')).toBe(state === 'stale');
  });

  test('told of also where the inventory does not know its cluster', async () => {
    records.push({ cluster: 'depot', lastSeen: now });
    expect((await ask()).report.agents).toMatchObject([
      { cluster: 'depot', state: 'live', message: expect.stringContaining('the inventory does not know') },
      { cluster: 'edge', state: 'never seen' },
    ]);
  });
});

test('10,000 certificates cost list pages alone; the worst are listed, the others counted', async () => {
  for (let index = 0; index < 10_000; index += 1) keep(`c${index}`, index === 7 ? { notAfter: at(-1) } : {});
  const { report } = await ask();
  expect(store.calls).toEqual(['list *']);
  expect(report).toMatchObject({ summary: { failing: 1, well: 9_999 }, omitted: 8_000 });
  expect(report.certificates[0]?.name).toBe('c7');
  expect(JSON.stringify(report).length).toBeLessThan(1_000_000);
});

test('named ones are described one by one, because listing lags', async () => {
  keep('shop');
  keep('api');
  expect((await ask({ certificates: ['api'] })).report.certificates).toMatchObject([{ name: 'api' }]);
  expect(store.calls).toEqual(['describe api']);
});

describe('a registered certificate that the inventory does not allow', () => {
  const registration = { zones: ['example.com'], issuer: 'default', key: 'ecdsa-p256', targets: [] } as const;
  const past = { firstRun: at(-dayMs), isUpgraded: true, lastPass: at(-minuteMs) };
  const outside = { registration: { ...registration, zones: ['example.org'] } };
  const line = /add "- a.example.com" to registration.zones/;

  test.each<[string, string, CertificateState, typeof sections, InstallationRecord | undefined, RegExp]>([
    ['well', 'that fits', {}, { registration }, past, /^up to date$/],
    ['failing', 'outside the zones', {}, outside, past, line],
    ['failing', 'whose section is gone', {}, {}, past, /no section "registration"/],
    [
      'failing',
      'whose grace is over',
      { graceUntil: at(0) },
      outside,
      past,
      /its grace ended at 2026-11-22T10/,
    ],
    ['failing', 'by what issue has read', { error: 'NotAllowed' }, { registration }, past, /--against-store/],
    [
      'pending',
      'in its time of grace',
      { graceUntil: at(dayMs) },
      outside,
      past,
      /delivered until 2026-11-23T10.*a.example.com/,
    ],
    [
      'pending',
      'in grace for what tags do not tell',
      { graceUntil: at(dayMs) },
      { registration },
      past,
      /delivered until/,
    ],
    ['pending', 'before the first full pass', {}, outside, undefined, /90 days after the first full pass/],
    ['pending', 'while the first full pass is not over', {}, outside, { ...past, lastPass: 'open' }, line],
  ])('is %s: one %s', async (health, _, state, allowed, record, message) => {
    register(state);
    [sections, installation] = [allowed, record];
    const { report } = await ask();
    expect(report.certificates).toMatchObject([
      { name: 'customer', health, message: expect.stringMatching(message) },
    ]);
  });
});
