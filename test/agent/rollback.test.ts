// An agent takes a version that does harm back by itself: to what its own cluster had, for what it has seen
// itself, and for nothing that tags say. Each pass is a new process, as a CronJob's is.
import { describe, expect, test } from 'vitest';
import { rollbackAnnotation, statementAnnotation } from '../../lib/agent/replay.ts';
import { publicKeyOf } from '../../lib/certificate/statement.ts';
import { judgeCertificate } from '../../lib/policy/health/certificate.ts';
import { codesOf, only } from '../deploy/harness.ts';
import { stateOfTags } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';
import { dayMs, expectIdlePass, key, openDelivered, otherKey, rollout } from './harness.ts';

test('D13 a version whose workload never becomes available is taken back, no later pass tries it again, and a newer one ends that', async () => {
  const agent = await openDelivered();
  const report = await agent.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'held',
    restarted: ['Deployment web'],
    message: expect.stringMatching(
      /^Deployment web .*; the previous version \(version-1\) is put back, restarted Deployment web; .* npx certrelay resume shop$/,
    ),
  });
  expect(codesOf(report)).toEqual(['RolloutFailed']);
  expect([agent.versionInCluster(), agent.isBack()]).toEqual(['version-1', true]);
  expect(agent.held()).toMatchObject({
    version: 'version-2',
    target: 'lab/shop/shop-tls',
    reason: expect.stringMatching(/^Deployment web/),
  });
  expect(agent.state().freeze, 'for other clusters nothing is held').toBeUndefined();
  const records = agent.store.count('record');
  await expectIdlePass(agent);
  await expectIdlePass(agent);
  expect(agent.store.count('record')).toBe(records);

  const entry = { current: 'version-2', state: { ...agent.state(), source: 'import' } } as const;
  const tags = { version: 'version-2', names: 'x', issuer: 'https://ca.example', key: 'ecdsa-p256' } as const;
  const validity = { fingerprint: '00', notBefore: agent.clock.now(), notAfter: new Date('2027-02-01') };
  const known = { ...entry, state: { ...entry.state, ...tags, ...validity } };
  const context = {
    now: agent.clock.now(),
    staleAfterMs: 0,
    probeFreshMs: 24 * 3_600_000,
    clusters: { lab: { agent: true } },
    clusterTroubles: {},
    agents: new Map(),
    retiresGone: false,
  } as const;
  expect(judgeCertificate({ name: 'shop', entry: known }, context)).toMatchObject({
    health: 'Degraded',
    reason: 'TakenBack',
    command: expect.stringContaining('certrelay resume '),
    message: expect.stringMatching(/^it failed at lab\/shop\/shop-tls and was taken back: Deployment web /),
  });

  agent.mend();
  await agent.renew('version-3');
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered' });
  expect([agent.versionInCluster(), agent.held()]).toEqual(['version-3', undefined]);
});

test.for([
  ['before the Secret is put back', 'patch secrets'],
  ['after it, and before its workloads', 'patch deployments'],
] as const)('a pass that ends %s is gone on with by the next', async ([, action]) => {
  const agent = await openDelivered();
  const record = agent.store.record.bind(agent.store);
  agent.store.record = (...args) => {
    if (args[1].reports?.lab?.freeze) agent.faults.set('kubernetes', action, { kind: 'drop' }, 99);
    return record(...args);
  };
  expect(codesOf(await agent.deploy())).toEqual(['RolloutFailed', 'Unreachable']);
  agent.faults.clear();
  agent.store.record = record;
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'held', restarted: ['Deployment web'] });
  expect([agent.versionInCluster(), agent.isBack()]).toEqual(['version-1', true]);
  await expectIdlePass(agent);
});

describe('what takes nothing back where no failure was seen:', () => {
  test.each<[string, RegExp, (agent: Awaited<ReturnType<typeof openDelivered>>) => Promise<unknown>]>([
    [
      'deploy’s tag, whoever wrote it',
      /rolls back only what it sees fail itself: to get version-1 back, move AWSCURRENT to it/,
      ({ store }) =>
        store.record('shop', stateOfTags({ deliveryHeld: 'version-2 * it was taken back by hand' })),
    ],
    [
      'the agent’s own report, which somebody else wrote',
      /^Secret up to date/,
      ({ store, state }) => {
        const freeze = { version: 'version-2', target: 'lab/shop/shop-tls', reason: 'it hung' };
        const lab = { ...state().reports?.lab, freeze };
        return store.record('shop', { reports: { lab } });
      },
    ],
  ])('%s', async (_, message, write) => {
    const agent = await openDelivered();
    agent.mend();
    expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered' });
    await write(agent);
    agent.calls();
    expect(only(await agent.deploy()).message).toMatch(message);
    expect(agent.calls().filter((call) => !/^(get|list) /.test(call))).toEqual([]);
    expect([agent.versionInCluster(), agent.isBack()]).toEqual(['version-2', false]);
  });
});

describe('W13 what AWS gives as the version before is not put back', () => {
  type Agent = Awaited<ReturnType<typeof openDelivered>>;
  test.each<[string, string | undefined, RegExp, (agent: Agent) => Promise<unknown>]>([
    [
      'and was never in this Secret',
      'OtherVersion',
      /previous version of Secret lab\/shop\/shop-tls was version-1, not version-0/,
      async ({ store }) => {
        const { versions, stages } = store.kept.get('shop') ?? {};
        const old = versions?.get('version-1');
        if (old) versions?.set('version-0', old);
        stages?.set('AWSPREVIOUS', 'version-0');
      },
    ],
    [
      'and holds another pair by now',
      'BadSignature',
      /it was changed/,
      async ({ issue, store }) => {
        await issue('shop', 'version-9');
        const { versions, stages } = store.kept.get('shop') ?? {};
        const theirs = versions?.get('version-9');
        if (theirs) versions?.set('version-1', theirs);
        stages?.set('AWSCURRENT', 'version-2').set('AWSPREVIOUS', 'version-1');
      },
    ],
    [
      'and was signed for another cluster',
      'BadSignature',
      /is for another cluster/,
      async ({ present, sign, annotate, clock }) => {
        await present('version-1', '');
        const theirs = await sign({ cluster: 'edge' });
        clock.pass(1000);
        await present('version-2', '');
        await sign();
        await annotate({ [statementAnnotation]: theirs });
      },
    ],
    [
      'and was signed by a key that is not trusted',
      'BadSignature',
      /CERTRELAY_SIGNING_KEY/,
      async ({ present, sign, annotate, clock }) => {
        await present('version-1', '');
        const theirs = await sign({}, otherKey);
        clock.pass(1000);
        await present('version-2', '');
        await sign();
        await annotate({ [statementAnnotation]: theirs });
      },
    ],
    [
      'and nothing says that it was signed',
      'Unsigned',
      /has no signed statement of a previous version/,
      ({ annotate }) => annotate({ [statementAnnotation]: null }),
    ],
    [
      'and was revoked',
      undefined,
      /it was revoked/,
      ({ store }) => store.record('shop', { revoked: ['version-1'] }),
    ],
    ['and has expired', undefined, /expired/, async ({ clock }) => clock.pass(89 * dayMs + 1000)],
  ])('%s', async (_, code, sentence, forge) => {
    const agent = await openDelivered();
    await forge(agent);
    const report = await agent.deploy();
    expect(only(report).outcome).toBe('held');
    expect(only(report).message).toMatch(/the Secret stays as it is, because the previous version cannot/);
    expect(only(report).message).toMatch(sentence);
    expect(codesOf(report)).toEqual(['RolloutFailed', ...(code === undefined ? [] : [code])]);
    expect(agent.versionInCluster()).toBe('version-2');
    if (code !== undefined) await expectIdlePass(agent);
  });
});

test('what a new key signs of the version in place is remembered without a restart, and can come back by that key alone', async () => {
  const trusted = [publicKeyOf(key), publicKeyOf(otherKey)];
  const agent = await openDelivered({ publicKeys: trusted });
  await agent.present('version-1', '');
  const signature = await agent.sign({}, otherKey);
  agent.calls();
  expect(only(await agent.deploy())).toMatchObject({ restarted: [] });
  expect(agent.calls().filter((call) => !/^(get|list) /.test(call))).toEqual(['patch secrets']);
  expect(agent.secret()?.metadata.annotations?.[statementAnnotation]).toBe(signature);
  trusted.shift();
  agent.clock.pass(1000);
  await agent.present('version-2', '');
  await agent.sign({}, otherKey);
  expect(codesOf(await agent.deploy())).toEqual(['RolloutFailed']);
  expect([agent.versionInCluster(), agent.isBack()]).toEqual(['version-1', true]);
});

test('going back lets no earlier statement in again, and what issue then signs as a rollback ends the resuming', async () => {
  const agent = await openDelivered();
  const [second = ''] = Object.values(agent.state().signatures ?? {});
  await agent.deploy();
  agent.mend();
  agent.clock.pass(dayMs);
  await agent.present('version-1', '');
  await agent.sign({ isRollback: true });
  expect(only(await agent.deploy())).toMatchObject({ restarted: [] });
  await agent.present('version-2', second);
  await agent.store.record('shop', { resumed: { version: 'version-2', at: agent.clock.now() } });
  expect(codesOf(await agent.deploy({ certificates: ['shop'] }))).toEqual(['Replayed']);
  expect(agent.versionInCluster()).toBe('version-1');
});

test('a version that was taken back is not resumed by an earlier statement about it', async () => {
  const agent = await openDelivered();
  const [second = ''] = Object.values(agent.state().signatures ?? {});
  agent.clock.pass(1000);
  await agent.sign();
  await agent.deploy();
  await agent.present('version-2', second);
  await agent.store.record('shop', { resumed: { version: 'version-2', at: agent.clock.now() } });
  expect(codesOf(await agent.deploy())).toEqual(['Replayed']);
  expect(agent.versionInCluster()).toBe('version-1');
});

test('a version that was taken back is not what the next one that fails goes back to', async () => {
  const agent = await openDelivered();
  await agent.deploy();
  await agent.renew('version-3');
  expect(codesOf(await agent.deploy())).toEqual(['RolloutFailed', 'OtherVersion']);
  expect(agent.versionInCluster()).toBe('version-3');
});

test('a version that nobody permitted to come back is not written, whatever the story makes of AWSPREVIOUS', async () => {
  const agent = await openDelivered({}, { judgeRollback: undefined });
  expect(codesOf(await agent.deploy())).toEqual(['RolloutFailed', 'Replayed']);
  expect(agent.versionInCluster()).toBe('version-2');
});

test('what a Secret can come back to stays the same however often it is written with the version in use', async () => {
  const agent = await openDelivered();
  const first = agent.secret()?.metadata.annotations?.[statementAnnotation];
  agent.mend();
  await agent.deploy();
  agent.targets([targetOf({ rollout, labels: { team: 'shop' } })]);
  expect(only(await agent.deploy())).toMatchObject({ action: 'apply' });
  expect(agent.secret()?.metadata.annotations?.[rollbackAnnotation]).toBe(first);
});
