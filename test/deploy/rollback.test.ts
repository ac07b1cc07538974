// A version that does harm is taken back and held, by itself or by hand, until somebody resumes it or a newer
// one is there.
import { expect, test } from 'vitest';
import type { RolloutSpec } from '../../lib/certificate/rollout-spec.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { parseDeployEvent } from '../../lib/requests/requests.ts';
import { targetOf } from '../minting/targets.ts';
import { codesOf, type HarnessOptions, only, openHarness, targetsOf } from './harness.ts';

const rollout: RolloutSpec = {
  canary: { kind: 'Deployment', name: 'canary' },
  waves: 1,
  deadlineMs: 600_000,
  probe: false,
  windows: [],
};
const mark = 'certrelay.dev/fingerprint-shop-tls';

/** Version 1 is delivered everywhere; pods of `a` do not become ready with any other until `mend` is
 *  called. */
async function openDelivered(options: Partial<HarnessOptions> = {}) {
  let good: string | undefined;
  let isMended = false;
  const harness = await openHarness({
    targets: [targetOf({ rollout })],
    areReady: (name, annotations) =>
      isMended || name !== 'a' || good === undefined || annotations[mark] === good,
    ...options,
  });
  for (const name of ['a', 'b', 'canary']) harness.addWorkload('Deployment', name, 'shop-tls');
  const first = await harness.deploy();
  if (first.failures.size > 0) throw new Error(JSON.stringify(first.certificates));
  good = harness.secret()?.metadata.annotations?.['certrelay.dev/fingerprint'];
  await harness.issue('shop', 'version-2');
  harness.calls();
  return {
    ...harness,
    good,
    mend: () => {
      isMended = true;
    },
    version: (secret = 'shop-tls') => harness.secret(secret)?.metadata.annotations?.['certrelay.dev/version'],
    marks: () =>
      ['a', 'b', 'canary'].map((name) => {
        const found = harness.lab.find('deployments', 'shop', name);
        return JSON.stringify(found?.spec).includes(good ?? '') ? 'good' : 'bad';
      }),
    held: () => harness.store.kept.get('shop')?.state.freeze,
  };
}

test('D13 a wave that fails puts the Secret and its workloads back, and the report says how to go on', async () => {
  const harness = await openDelivered();
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'held',
    restarted: ['Deployment a', 'Deployment b', 'Deployment canary'],
    message: expect.stringMatching(
      /^Deployment a .*; the previous version \(version-1\) is put back, restarted Deployment a, Deployment b, Deployment canary; .* npx certrelay resume shop$/,
    ),
  });
  expect(codesOf(report)).toEqual(['RolloutFailed']);
  expect(harness.version()).toBe('version-1');
  expect(harness.marks()).toEqual(['good', 'good', 'good']);
  expect(harness.held()).toMatchObject({
    version: 'version-2',
    target: 'lab/shop/shop-tls',
    reason: expect.stringMatching(/^Deployment a/),
  });
  expect(harness.log.lines.at(-2)).toMatchObject({ level: 'error', event: 'delivery rolled back' });

  harness.calls();
  const next = await harness.deploy();
  expect(only(next)).toMatchObject({ outcome: 'held', action: 'keep', restarted: [] });
  expect(next.failures.size, 'nobody is told twice').toBe(0);
  expect(harness.calls().filter((call) => call.startsWith('patch'))).toEqual([]);
});

test('a held version is delivered once it is resumed, and its mark is gone', async () => {
  const harness = await openDelivered();
  await harness.deploy();
  harness.mend();
  const plan = await harness.deploy({ certificates: ['shop'], resume: true, dryRun: true });
  expect(only(plan)).toMatchObject({ outcome: 'planned' });
  expect(harness.held()).toBeDefined();
  expect(only(await harness.deploy({ certificates: ['shop'], resume: true }))).toMatchObject({
    outcome: 'delivered',
    restarted: ['Deployment canary', 'Deployment a', 'Deployment b'],
  });
  expect(harness.version()).toBe('version-2');
  expect(harness.held()).toBeUndefined();
});

test('a newer version ends the hold by itself', async () => {
  const harness = await openDelivered();
  await harness.deploy();
  harness.mend();
  await harness.issue('shop', 'version-3');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect([harness.version(), harness.held()]).toEqual(['version-3', undefined]);
});

test('a held version goes nowhere else; where it has arrived, it stays', async () => {
  const done = targetOf({ secret: 'done' });
  const harness = await openDelivered({
    targets: [done, targetOf({ rollout }), targetOf({ secret: 'new' })],
  });
  await harness.deploy({ targets: ['lab/shop/done', 'lab/shop/shop-tls'] });
  const report = await harness.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['unchanged', 'held', 'held']);
  expect(targetsOf(report)[2]?.message).toMatch(
    /it stays as it is: this version failed at lab\/shop\/shop-tls/,
  );
  expect(['done', 'shop-tls', 'new'].map((name) => harness.version(name))).toEqual([
    'version-2',
    'version-1',
    'version-1',
  ]);
});

test('what is served after the last wave decides as well', async () => {
  const harness = await openDelivered({ targets: [targetOf({ rollout: { ...rollout, probe: true } })] });
  harness.mend();
  harness.sightings.splice(0, 9, ['served'], ['stale']);
  const report = await harness.deploy();
  expect(only(report).message).toMatch(/^stale at 192\.0\.2\.0: so it was seen; the previous version/);
  expect(harness.marks()).toEqual(['good', 'good', 'good']);
});

test.for([
  ['before the Secret is put back', 'applySecret'],
  ['after it, and before its workloads', 'restartWorkload'],
] as const)('a run that dies %s is gone on with', async ([, method]) => {
  let isDead = false;
  const harness = await openDelivered({
    wrap: (cluster) => {
      const call = async <T>(work: () => Promise<T>) => {
        if (isDead) throw new ClusterError('Unreachable', 'no answer');
        return work();
      };
      return {
        ...cluster,
        applySecret: (...args) =>
          method === 'applySecret' ? call(() => cluster.applySecret(...args)) : cluster.applySecret(...args),
        restartWorkload: (...args) =>
          method === 'restartWorkload'
            ? call(() => cluster.restartWorkload(...args))
            : cluster.restartWorkload(...args),
      };
    },
  });
  const record = harness.store.record.bind(harness.store);
  harness.store.record = (...args) => {
    if (args[1].freeze) isDead = true;
    return record(...args);
  };
  const report = await harness.deploy();
  expect(codesOf(report)).toContain('Unreachable');
  expect(only(report).outcome).toBe('held');
  isDead = false;
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'held' });
  expect(harness.version()).toBe('version-1');
  expect(harness.marks()).toEqual(['good', 'good', 'good']);
});

test('where the version before cannot be used the Secret stays, and the report says why', async () => {
  const harness = await openDelivered();
  await harness.store.record('shop', { revoked: ['version-1'] });
  expect(only(await harness.deploy())).toMatchObject({
    outcome: 'held',
    message: expect.stringMatching(
      /the Secret stays as it is, because .*: it was revoked; it is delivered nowhere else/,
    ),
  });
  expect(harness.version()).toBe('version-2');
});

test('a version that became the version before while it failed does not take its own place', async () => {
  const harness = await openDelivered();
  const record = harness.store.record.bind(harness.store);
  harness.store.record = async (...args) => {
    await record(...args);
    if (args[1].freeze) await harness.issue('shop', 'version-3');
  };
  const { outcome, message } = only(await harness.deploy());
  expect(outcome).toBe('held');
  expect(message).toMatch(/the Secret stays as it is, because .*: a newer version is current now; /);
  harness.mend();
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect([harness.version(), harness.held()]).toEqual(['version-3', undefined]);
});

test('a hold ends before what it keeps in place does: no target is left with an expired certificate', async () => {
  let good: string | undefined;
  const harness = await openHarness({
    targets: [targetOf({ rollout }), targetOf({ secret: 'new' })],
    areReady: (name, annotations) => name !== 'a' || good === undefined || annotations[mark] === good,
  });
  for (const name of ['a', 'canary']) harness.addWorkload('Deployment', name, 'shop-tls');
  await harness.deploy();
  good = harness.secret()?.metadata.annotations?.['certrelay.dev/fingerprint'];
  harness.clock.pass(60 * 86_400_000);
  await harness.issue('shop', 'version-2');
  await harness.deploy({ targets: ['lab/shop/shop-tls'] });
  const versions = () =>
    ['shop-tls', 'new'].map((name) => harness.secret(name)?.metadata.annotations?.['certrelay.dev/version']);
  await harness.deploy();
  expect(versions(), 'both are held').toEqual(['version-1', 'version-1']);
  harness.clock.pass(23 * 86_400_000);
  const report = await harness.deploy();
  expect(versions()).toEqual(['version-2', 'version-2']);
  expect(targetsOf(report)[1]).toMatchObject({ outcome: 'delivered' });
  expect(targetsOf(report)[0]?.message).toMatch(
    /the Secret stays as it is, because .* expires at 2027-02-20/,
  );
  expect(codesOf(report), 'a person must look').toEqual(['RolloutFailed']);
  harness.calls();
  harness.clock.pass(360 * 60_000);
  expect(codesOf(await harness.deploy()), 'again and again').toEqual(['RolloutFailed']);
  expect(harness.calls().filter((call) => call.startsWith('patch'))).toEqual([]);
});

test('with nothing to restart the time counts from the Secret, over the ends of runs', async () => {
  const time = new AbortController();
  let looks = 0;
  const harness = await openHarness({
    targets: [
      targetOf({
        restart: 'none',
        rollout: { ...rollout, canary: undefined, deadlineMs: 1_800_000, probe: true },
      }),
    ],
    looking: (look) => {
      looks += 1;
      if (looks === 5) time.abort(new Error('time is up'));
      return look();
    },
  });
  harness.sightings.push(['served']);
  await harness.deploy();
  await harness.issue('shop', 'version-2');
  harness.sightings.push(['mismatch']);
  const version = () => harness.secret()?.metadata.annotations?.['certrelay.dev/version'];
  expect(only(await harness.deploy({ certificates: ['shop'] }, time.signal))).toMatchObject({
    outcome: 'pending',
  });
  expect(version()).toBe('version-2');
  harness.clock.pass(1_800_000);
  expect(only(await harness.deploy({ certificates: ['shop'] }))).toMatchObject({ outcome: 'held' });
  expect(harness.clock.slept.filter((ms) => ms === 5_000).length, 'it is not waited for again').toBeLessThan(
    5,
  );
  expect(version()).toBe('version-1');
});

test('a target that missed the version before as well gets the current one before what it has ends', async () => {
  const harness = await openDelivered({ targets: [targetOf({ rollout }), targetOf({ secret: 'new' })] });
  const failing = { targets: ['lab/shop/shop-tls'] };
  harness.clock.pass(60 * 86_400_000);
  for (const version of ['version-2b', 'version-3']) {
    await harness.issue('shop', version);
    expect(codesOf(await harness.deploy(failing))).toEqual(['RolloutFailed']);
  }
  expect(targetsOf(await harness.deploy())[1]).toMatchObject({ outcome: 'held' });
  expect(harness.version('new')).toBe('version-1');
  harness.clock.pass(23 * 86_400_000);
  expect(targetsOf(await harness.deploy())).toMatchObject([{ outcome: 'held' }, { outcome: 'delivered' }]);
  expect(harness.version('new')).toBe('version-3');
  expect(harness.held()).toMatchObject({ version: 'version-3', target: 'lab/shop/shop-tls' });
});

test('D13 by hand the version before comes back to every target, until it is resumed', async () => {
  const other = targetOf({ secret: 'other' });
  const harness = await openDelivered({ targets: [targetOf({ rollout }), other] });
  harness.mend();
  await harness.deploy();
  expect([harness.version(), harness.version('other')]).toEqual(['version-2', 'version-2']);
  const report = await harness.deploy({ certificates: ['shop'], rollback: true });
  expect(report.failures.size).toBe(0);
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['held', 'held']);
  expect([harness.version(), harness.version('other')]).toEqual(['version-1', 'version-1']);
  expect(harness.marks()).toEqual(['good', 'good', 'good']);
  await harness.deploy();
  expect(harness.version('other')).toBe('version-1');
  await harness.deploy({ certificates: ['shop'], resume: true });
  expect([harness.version(), harness.version('other')]).toEqual(['version-2', 'version-2']);
});

test('nothing is taken back where there is nothing before it', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.store.kept.get('shop')?.stages.delete('AWSPREVIOUS');
  const report = await harness.deploy({ certificates: ['shop'], rollback: true });
  expect(report.certificates).toMatchObject([
    { decision: 'refused', message: expect.stringContaining('there is nothing to roll back to') },
  ]);
});

test('a version before that nobody can read is told as such: nothing is frozen, and none that failed comes back', async () => {
  const harness = await openDelivered();
  const unreadable = { kind: 'unparsable', problem: 'the value is not a JSON object' } as const;
  harness.store.kept.get('shop')?.versions.set('version-1', unreadable);
  const report = await harness.deploy({ certificates: ['shop'], rollback: true });
  const message = expect.stringMatching(/nothing was changed: .*cannot be read \(the value is not a JSON/);
  expect(report.certificates).toMatchObject([{ decision: 'refused', message }]);
  expect(codesOf(report)).toEqual(['Unreadable']);
  expect([harness.held(), harness.version()]).toEqual([undefined, 'version-1']);
  const failing = await harness.deploy();
  expect(only(failing).message).toMatch(/cannot be put back: the previous version cannot be read \(/);
});

test.for([
  [{ rollback: true }, /need "certificates"/],
  [{ certificates: ['shop'], targets: ['a/b/c'], resume: true }, /leave out "targets"/],
  [{ certificates: ['shop'], rollback: true, resume: true }, /set only one of them/],
] as const)('%o is refused: what is taken back or resumed is a certificate', ([event, message]) => {
  expect(() => parseDeployEvent(event, 'certrelay')).toThrow(message);
});
