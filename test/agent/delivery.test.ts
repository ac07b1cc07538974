// What an agent delivers, and what it refuses: the deploy story over a store that verifies and a cluster that
// remembers.
import { describe, expect, test } from 'vitest';
import { ClusterMemory } from '../../lib/agent/cluster-memory.ts';
import { statementAnnotation } from '../../lib/agent/replay.ts';
import type { SecretTarget } from '../../lib/certificate/spec.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { permissionsKey } from '../../lib/state/targets.ts';
import { bindingOf, codesOf, only, targetsOf } from '../deploy/harness.ts';
import { targetOf } from '../minting/targets.ts';
import { dayMs, openAgent, otherKey } from './harness.ts';

test('W14 what is signed for the cluster is delivered, and the agent’s own report says how far', async () => {
  const agent = await openAgent();
  agent.addWorkload('Deployment', 'web', 'shop-tls');
  const signature = await agent.sign();
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered', restarted: ['Deployment web'] });
  const { deployed, reports } = agent.store.kept.get('shop')?.state ?? {};
  expect(reports?.lab?.deployed).toMatchObject({ version: 'version-1', phases: ['rolled-out'] });
  expect(deployed).toBeUndefined();
  expect(agent.secret()?.metadata.annotations?.[statementAnnotation]).toBe(signature);

  agent.calls();
  const records = agent.store.count('record');
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect([agent.calls(), agent.store.count('record')]).toEqual([['get secrets'], records]);
});

test('where it may list Secrets, what it remembers in them is no change either', async () => {
  const agent = await openAgent();
  agent.targets(Array.from({ length: 5 }, (_, index) => targetOf({ secret: `tls-${index}` })));
  agent.lab.create(bindingOf('shop', 'certrelay-list'));
  await agent.sign();
  await agent.deploy();
  agent.calls();
  await agent.deploy();
  expect(agent.calls()).toEqual(['list secrets']);
});

describe('W13 nothing reaches the cluster of', () => {
  type Agent = Awaited<ReturnType<typeof openAgent>>;
  test.each<[string, string, (agent: Agent) => Promise<unknown>]>([
    ['what nobody signed', 'Unsigned', async () => {}],
    ['what was signed for another cluster', 'BadSignature', (agent) => agent.sign({ cluster: 'edge' })],
    [
      'what was signed for another certificate',
      'BadSignature',
      (agent) => agent.sign({ certificate: 'api' }),
    ],
    ['what another key signed', 'BadSignature', (agent) => agent.sign({}, otherKey)],
    [
      'a version after the one that was signed',
      'OtherVersion',
      (agent) => agent.sign({ version: 'version-0' }),
    ],
    [
      'another pair put in the place of the signed one',
      'BadSignature',
      async (agent) => {
        await agent.sign();
        const { versions } = agent.store.kept.get('shop') ?? {};
        agent.clock.pass(1000);
        await agent.issue('evil', 'version-1');
        const theirs = await agent.store.read('evil', 'AWSCURRENT');
        if (theirs) versions?.set('version-1', theirs.value);
      },
    ],
  ])('%s', async (_, code, prepare) => {
    const agent = await openAgent();
    await prepare(agent);
    agent.forget('evil');
    agent.store.kept.delete('evil');
    expect(codesOf(await agent.deploy({ certificates: ['shop'] }))).toEqual([code]);
    expect(agent.secret()).toBeUndefined();
    expect(agent.calls()).toEqual([]);
  });
});

test('an old version sent again with its own signature is refused, and the new one stays', async () => {
  const agent = await openAgent();
  const first = await agent.sign();
  await agent.deploy();
  await agent.renew('version-2');
  await agent.deploy();
  await agent.present('version-1', first);
  const report = await agent.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'refused',
    message: expect.stringContaining('somebody sends an old statement again'),
  });
  expect(codesOf(report)).toEqual(['Replayed']);
  expect(agent.versionInCluster()).toBe('version-2');
});

test('an older version is delivered where it is signed as a rollback, and only then', async () => {
  const agent = await openAgent();
  const first = await agent.sign();
  const second = await agent.renew('version-2');
  await agent.deploy({ certificates: ['shop'] });
  agent.clock.pass(dayMs);
  await agent.present('version-1', first);
  await agent.sign();
  expect(only(await agent.deploy({ certificates: ['shop'] })).message).toContain(
    'its statement is not a rollback',
  );
  const rollback = await agent.sign({ isRollback: true });
  expect(only(await agent.deploy({ certificates: ['shop'] }))).toMatchObject({ outcome: 'delivered' });
  expect(agent.versionInCluster()).toBe('version-1');

  await agent.present('version-2', second);
  expect(codesOf(await agent.deploy({ certificates: ['shop'] }))).toEqual(['Replayed']);
  await agent.renew('version-3');
  await agent.deploy({ certificates: ['shop'] });
  await agent.present('version-1', rollback);
  expect(codesOf(await agent.deploy({ certificates: ['shop'] }))).toEqual(['Replayed']);
  expect(agent.versionInCluster()).toBe('version-3');
});

test('an old statement about the version that is there takes away nothing that the Secret remembers', async () => {
  const agent = await openAgent();
  const first = await agent.sign();
  await agent.deploy();
  const second = await agent.renew('version-2');
  await agent.deploy();
  agent.clock.pass(dayMs);
  await agent.present('version-1', first);
  const rollback = await agent.sign({ isRollback: true });
  await agent.deploy();
  await agent.present('version-1', first);
  agent.targets([targetOf({ labels: { team: 'shop' } })]);
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(agent.secret()?.metadata.annotations?.[statementAnnotation]).toBe(rollback);
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'unchanged' });
  await agent.present('version-2', second);
  expect(codesOf(await agent.deploy())).toEqual(['Replayed']);
});

test('a Secret of an earlier agent, which remembers only times, is written once more and loses none of them', async () => {
  const agent = await openAgent();
  const first = await agent.sign();
  await agent.deploy();
  const second = await agent.renew('version-2');
  await agent.deploy();
  const now = agent.clock.now().toISOString();
  await agent.annotate({ [statementAnnotation]: `${now}/${now}` });
  await agent.present('version-1', first);
  expect(codesOf(await agent.deploy())).toEqual(['Replayed']);
  await agent.present('version-2', second);
  agent.calls();
  await agent.deploy({ certificates: ['shop'] });
  expect(agent.secret()?.metadata.annotations?.[statementAnnotation]).toBe(second);
  expect(agent.calls()).toContain('patch secrets');
  await agent.deploy({ certificates: ['shop'] });
  expect(agent.calls()).not.toContain('patch secrets');
});

test('a Secret of another type is not deleted for an old statement either', async () => {
  const agent = await openAgent();
  const first = await agent.sign();
  await agent.renew('version-2');
  await agent.deploy();
  await agent.present('version-1', first);
  agent.targets([targetOf({ format: 'combined-pem', replace: true })]);
  expect(codesOf(await agent.deploy())).toEqual(['Replayed']);
  expect(agent.versionInCluster()).toBe('version-2');
});

test('W02 what AWS does not let it read is not its own, and keeps nothing else from it', async () => {
  const agent = await openAgent({ names: ['other', 'shop'] });
  await agent.sign();
  agent.store.failures.next('describe', new StoreError('Denied', 'AWS denied it'));
  const report = await agent.deploy();
  expect(targetsOf(report)).toMatchObject([{ certificate: 'shop', outcome: 'delivered' }]);
  expect(report.failures.size).toBe(0);
});

describe('a registered certificate', () => {
  const own = targetOf({ secret: 'customer-tls' });
  const targets = [targetOf({ cluster: 'depot' }), own];

  /** The agent, and how to put a specification with some targets into the stored value. */
  async function openRegistered() {
    const agent = await openAgent({ lists: true, names: [] });
    agent.forget('shop');
    const store = async (stored: readonly SecretTarget[]) => {
      const read = await agent.store.read('shop', 'AWSCURRENT');
      if (read?.value.kind !== 'certificate') throw new Error('nothing is stored');
      const about = { name: 'shop', domains: ['shop.example.com'], issuer: 'default' };
      const spec = { ...about, key: 'ecdsa-p256', targets: stored, source: 'registration' } as const;
      const certificate = { ...read.value.certificate, spec };
      agent.store.kept.get('shop')?.versions.set('version-1', { kind: 'certificate', certificate });
    };
    await store(targets);
    return { ...agent, put: store };
  }

  test('is found by its signature, and goes to this cluster’s targets alone', async () => {
    const agent = await openRegistered();
    expect((await agent.deploy()).certificates).toEqual([]);
    await agent.sign({ targets: permissionsKey([own]) });
    expect(targetsOf(await agent.deploy())).toMatchObject([
      { target: 'lab/shop/customer-tls', outcome: 'delivered' },
    ]);
  });

  test.each<[string, Partial<SecretTarget>]>([
    ['another Secret', { secret: 'admin-token' }],
    ['another namespace', { namespace: 'kube-system' }],
    ['taking over what is not ours', { adopt: true }],
    ['making a Secret again', { replace: true }],
    ['rolling nothing', { restart: 'none' }],
    ['a rollout in steps', { rollout: { waves: 2, deadlineMs: 1000, probe: false, windows: [] } }],
  ])('W13 whose stored targets were changed after they were signed is refused: %s', async (_, change) => {
    const agent = await openRegistered();
    await agent.sign({ targets: permissionsKey([own]) });
    await agent.put([targetOf({ cluster: 'depot' }), { ...own, ...change }]);
    expect(codesOf(await agent.deploy())).toEqual(['OtherTargets']);
    expect(agent.calls()).toEqual([]);
  });

  test('that the agent’s own inventory does not allow is not delivered, and its Secret stays', async () => {
    const agent = await openRegistered();
    const registration = {
      zones: ['example.com'],
      issuer: 'default',
      key: 'ecdsa-p256',
      targets: [own],
    } as const;
    agent.allow({ registration });
    await agent.sign({ targets: permissionsKey([own]) });
    expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered' });
    agent.allow({ registration: { ...registration, zones: ['example.org'] } });
    const report = await agent.deploy();
    expect(codesOf(report)).toEqual(['NotAllowed']);
    expect(only(report).message).toContain('add "- shop.example.com" to registration.zones');
    expect(agent.secret('customer-tls')).toBeDefined();
    await agent.store.record('shop', { graceUntil: new Date(agent.clock.now().getTime() + dayMs) });
    expect(only(await agent.deploy())).toMatchObject({ outcome: 'unchanged' });
  });

  test('W13 whose targets nobody signed is refused', async () => {
    const agent = await openRegistered();
    await agent.sign();
    expect(codesOf(await agent.deploy())).toEqual(['OtherTargets']);
    expect(agent.calls()).toEqual([]);
  });
});

test('what is signed and begins later is not put over what is valid now, until it begins', async () => {
  const agent = await openAgent();
  await agent.sign();
  await agent.deploy();
  agent.clock.pass(dayMs);
  const notBefore = new Date(Math.ceil(agent.clock.now().getTime() / 1000) * 1000 + dayMs);
  await agent.issue('shop', 'version-2', [], { notBefore });
  await agent.sign();
  const message = expect.stringContaining(`is not valid before ${notBefore.toISOString()}`);
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'pending', message });
  expect(agent.versionInCluster()).toBe('version-1');
  expect(agent.log.lines).toContainEqual(
    expect.objectContaining({ level: 'warn', event: 'delivery pending' }),
  );
  agent.clock.pass(dayMs);
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered' });
});

describe('an agent whose target backs off', () => {
  const silent = new ClusterError('Unreachable', 'no answer');
  const refused = new ClusterError('Forbidden', 'no right');

  test.each([
    ['because its cluster did not answer tries it in the next pass, once it does', silent, 'delivered'],
    ['for a reason of its own leaves it alone until then', refused, 'pending'],
  ])('%s', async (_, error, outcome) => {
    let isIll = true;
    const agent = await openAgent(
      {},
      {
        operations: new ClusterMemory(),
        wrap: (cluster) => ({
          ...cluster,
          readSecret: (...call) => (isIll ? Promise.reject(error) : cluster.readSecret(...call)),
          listSecrets: (...call) => (isIll ? Promise.reject(error) : cluster.listSecrets(...call)),
        }),
      },
    );
    await agent.sign();
    expect((await agent.deploy()).failures.size).toBe(1);
    expect(only(await agent.deploy())).toMatchObject({ outcome: 'pending' });
    isIll = false;
    expect(only(await agent.deploy())).toMatchObject({ outcome });
    agent.clock.pass(dayMs);
    expect(only(await agent.deploy()).outcome).toMatch(/delivered|unchanged/);
  });
});
