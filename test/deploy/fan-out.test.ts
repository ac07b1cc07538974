// One certificate for many clusters of which some are in trouble: who gets it, who waits, and who is tried
// again when.
import { expect, test } from 'vitest';
import { fanOut, findDelegatedClusters } from '../../lib/deploy/fan-out.ts';
import { FakeLog } from '../fakes/log.ts';
import { stateOfTags, tagsOfState } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';
import { bindingOf, codesOf, type HarnessOptions, openHarness, targetsOf } from './harness.ts';

const clusters = ['lab', 'b', 'c', 'd', 'e'];
const failing = ['b', 'c', 'd'];
const minute = 60_000;
const signal = AbortSignal.timeout(120_000);

/** Four targets in each of five clusters; in three of them one is in a namespace that certrelay may not
 *  enter. */
async function openFive(more: Pick<HarnessOptions, 'concurrency' | 'wrap'> = {}) {
  const targets = clusters.flatMap((cluster) =>
    ['one', 'two', 'three', 'four'].map((secret) =>
      targetOf({
        cluster,
        secret,
        namespace: failing.includes(cluster) && secret === 'four' ? 'closed' : 'shop',
      }),
    ),
  );
  const harness = await openHarness({ targets, clusters, ...more });
  const enter = () => {
    for (const name of failing) {
      const cluster = harness.clusters.get(name);
      cluster?.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'closed' } });
      cluster?.create(bindingOf('closed', 'certrelay'));
    }
  };
  const counted = () => {
    const calls = harness.calls();
    const count = (action: string) => calls.filter((call) => call === action).length;
    return { get: count('get secrets'), patch: count('patch secrets'), all: calls.length };
  };
  const outcomes = (report: Awaited<ReturnType<typeof harness.deploy>>) =>
    Object.fromEntries(
      Array.from(
        Map.groupBy(targetsOf(report), ({ outcome }) => outcome),
        ([outcome, members]) => [outcome, members.length],
      ),
    );
  const deployed = () => tagsOfState(harness.store.kept.get('shop')?.state).deployed;
  return { harness, enter, counted, outcomes, deployed };
}

test('P22 of 20 targets in 5 clusters 3 fail: 17 are delivered, and the next pass changes those 3 alone', async () => {
  const { harness, enter, counted, outcomes, deployed } = await openFive();
  const first = await harness.deploy();
  expect(outcomes(first)).toEqual({ delivered: 17, pending: 3 });
  expect(codesOf(first)).toEqual(['Forbidden', 'Forbidden', 'Forbidden']);
  expect(deployed()).toMatch(/\/rrrrrrr-rrr-rrr-rrrr\/1\/2026-11-22T10:05:00\.000Z\/version-/);
  enter();
  harness.clock.pass(5 * minute);
  counted();
  expect(outcomes(await harness.deploy())).toEqual({ unchanged: 17, delivered: 3 });
  expect(counted()).toMatchObject({ get: 20, patch: 3 });
  expect(deployed()).toMatch(/\/r{20}\/\/\/version-\.\w+:0{20}$/);
});

test.for([
  1, 2, 3,
])('with a concurrency of %i so many targets of each cluster are under way at once', async (most) => {
  const underWay = new Map<string, number>();
  const peaks: Record<string, number> = {};
  const { harness } = await openFive({
    concurrency: most,
    wrap: (cluster, name) => {
      const count = async <T>(call: Promise<T>): Promise<T> => {
        const here = (underWay.get(name) ?? 0) + 1;
        underWay.set(name, here);
        peaks[name] = Math.max(peaks[name] ?? 0, here);
        return call.finally(() => underWay.set(name, (underWay.get(name) ?? 0) - 1));
      };
      return {
        ...cluster,
        readSecret: (...call) => count(cluster.readSecret(...call)),
        applySecret: (...call) => count(cluster.applySecret(...call)),
      };
    },
  });
  await harness.deploy();
  expect(peaks).toEqual(Object.fromEntries(clusters.map((name) => [name, most])));
});

test('K44 what failed is passed over until its time comes, later with each failure, while a pass looks once whether its cluster answers', async () => {
  const targets = [targetOf(), targetOf({ cluster: 'down', secret: 'x' })];
  const harness = await openHarness({ targets, clusters: ['lab', 'down'] });
  await harness.clusters.get('down')?.stop();
  const waits: number[] = [];
  for (let pass = 1; pass <= 5; pass += 1) {
    expect((await harness.deploy()).failures.size, `pass ${pass}`).toBe(1);
    const { retry } = harness.store.kept.get('shop')?.state.deployed ?? {};
    const waitMs = (retry?.after.getTime() ?? Number.NaN) - harness.clock.now().getTime();
    waits.push(waitMs / minute);
    harness.clock.pass(waitMs - 1);
    harness.clock.slept.length = 0;
    const early = await harness.deploy();
    expect(early.failures.size).toBe(0);
    expect(targetsOf(early)[1]).toMatchObject({
      outcome: 'pending',
      message: expect.stringMatching(
        /^not delivered after \d failed attempts? \(.+\); the next one is after 2026-.*: npx certrelay deploy \w+$/,
      ),
    });
    expect(harness.clock.slept, 'one call, tried three times').toEqual([200, 400]);
    harness.clock.pass(1);
  }
  expect(waits).toEqual([5, 30, 120, 360, 360]);
});

test('a delivery that is asked for by name, and a new version, do not wait', async () => {
  const targets = [targetOf({ namespace: 'late' })];
  const harness = await openHarness({ targets });
  await harness.deploy();
  expect((await harness.deploy()).failures.size).toBe(0);
  const named = await harness.deploy({ certificates: ['shop'] });
  expect(codesOf(named)).toEqual(['Forbidden']);
  expect(targetsOf(named)[0]?.message).toMatch(/namespace late \(if that does not exist, create it/);
  expect(codesOf(await harness.deploy({ targets: ['lab/late/shop-tls'] }))).toEqual(['Forbidden']);
  await harness.issue('shop', 'version-2');
  expect(codesOf(await harness.deploy())).toEqual(['Forbidden']);
  expect(tagsOfState(harness.store.kept.get('shop')?.state).deployed).toMatch(/^version-2\/\w+\/-\/1\//);
});

test('passes for one cluster each, all at once, note everything that they did', async () => {
  const { harness, enter, outcomes, deployed } = await openFive();
  enter();
  const reports = await Promise.all(clusters.map((cluster) => harness.deploy({ clusters: [cluster] })));
  expect(reports.map(outcomes)).toEqual(clusters.map(() => ({ delivered: 4 })));
  expect(deployed()).toMatch(/\/r{20}\/\/\/version-\.\w+:0{20}$/);
  expect(harness.log.lines.filter(({ event }) => event === 'deploy finished')).toMatchObject(
    clusters.map(() => ({ fields: { asked: undefined } })),
  );
});

test('a late pass for one cluster does not write over what is noted of a newer version', async () => {
  let overtake = async () => {};
  const { harness, deployed } = await openFive({
    wrap: (cluster) => ({
      ...cluster,
      applySecret: async (...args) => {
        await overtake();
        return cluster.applySecret(...args);
      },
    }),
  });
  overtake = async () => {
    overtake = async () => {};
    await harness.issue('shop', 'version-2');
    await harness.store.record('shop', stateOfTags({ deployed: 'version-2/00000000/r' }));
  };
  const { failures } = await harness.deploy({ clusters: ['lab'] });
  expect([failures.size, deployed()]).toEqual([0, 'version-2/00000000/r']);
});

test('a pass that has handed clusters on looks after the others, and says that it was not over everything', async () => {
  const { harness, outcomes } = await openFive();
  const report = await harness.deploy({ delegatedClusters: ['lab', 'b', 'c', 'd'] });
  expect(outcomes(report)).toEqual({ delivered: 4 });
  expect(targetsOf(report).map(({ target }) => target.split('/')[0])).toEqual(Array(4).fill('e'));
  expect(harness.log.lines.at(-1)).toMatchObject({ event: 'deploy finished', fields: { asked: 4 } });
});

test('a cluster that the inventory does not have is a failure of its own', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  const report = await harness.deploy({ clusters: ['lab', 'typo'] });
  expect(codesOf(report)).toEqual(['Unknown']);
  expect(report.failures.get('typo')).toMatchObject([
    { message: 'typo: the inventory has no cluster "typo"; there is only lab' },
  ]);
});

const kubeconfig = { kubeconfig: { secret: 'any' } };
const two = { a: kubeconfig, b: kubeconfig };

test.for([
  ['a look at everything', {}, two, ['a', 'b']],
  ['no cluster that only an agent reaches', {}, { ...two, edge: { agent: true as const } }, ['a', 'b']],
  ['no cluster that prunes', {}, { ...two, c: { ...kubeconfig, prune: true } }, ['a', 'b']],
  ['nothing where there is one cluster', {}, { a: kubeconfig }, []],
  ['nothing of a dry run', { dryRun: true }, two, []],
  ['nothing that is asked for by name', { certificates: ['shop'] }, two, []],
  ['no cluster on again', { clusters: ['a', 'b'] }, two, []],
] as const)('deploy hands on %s', ([, request, known, expected]) => {
  const inventory = { issuers: {}, clusters: known, certificates: [] };
  expect(findDelegatedClusters(request, inventory)).toEqual(expected);
});

test('a cluster whose message is not sent stays with the pass that sends', async () => {
  const log = new FakeLog();
  const sent: string[] = [];
  const queue = {
    send: async (cluster: string) => {
      if (cluster === 'b') throw new Error('no answer');
      sent.push(cluster);
    },
  };
  expect(await fanOut(['a', 'b', 'c'], { queue, log }, 'run-1', signal)).toEqual(['a', 'c']);
  expect(sent).toEqual(['a', 'c']);
  expect(log.lines).toMatchObject([
    { level: 'warn', event: 'clusters not delegated' },
    { level: 'info', event: 'clusters delegated', fields: { clusters: ['a', 'c'] } },
  ]);
});
