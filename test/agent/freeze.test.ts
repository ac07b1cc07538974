// How long an agent holds a version that it took back, and what else it holds.

import { expect, test } from 'vitest';
import { codesOf, only, targetsOf } from '../deploy/harness.ts';
import { stateOfTags } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';
import { dayMs, expectIdlePass, openDelivered, rollout } from './harness.ts';

test('a version that was taken back is tried again once somebody resumes it, and then no hold is left', async () => {
  const agent = await openDelivered();
  await agent.deploy();
  agent.mend();
  await expectIdlePass(agent);
  await agent.store.record('shop', { resumed: { version: 'version-2', at: agent.clock.now() } });
  expect(only(await agent.deploy())).toMatchObject({
    outcome: 'delivered',
    restarted: ['Deployment web'],
  });
  expect(agent.state().reports?.lab?.deployed).toMatchObject({
    version: 'version-2',
    phases: ['rolled-out'],
  });
  expect([agent.versionInCluster(), agent.held()]).toEqual(['version-2', undefined]);
});

test('a version that fails again once it was resumed is taken back again', async () => {
  const agent = await openDelivered();
  await agent.deploy();
  await agent.store.record('shop', { resumed: { version: 'version-2', at: agent.clock.now() } });
  expect(codesOf(await agent.deploy())).toEqual(['RolloutFailed']);
  expect([agent.versionInCluster(), agent.isBack()]).toEqual(['version-1', true]);
  await expectIdlePass(agent);
});

test('a hold ends before what it keeps in place does: no Secret is left with an expired certificate', async () => {
  const agent = await openDelivered({}, { targets: [targetOf({ rollout }), targetOf({ secret: 'new' })] });
  const versions = () =>
    ['shop-tls', 'new'].map((name) => agent.secret(name)?.metadata.annotations?.['certrelay.dev/version']);
  await agent.deploy({ targets: ['lab/shop/shop-tls'] });
  agent.clock.pass(66 * dayMs);
  await agent.deploy();
  expect(versions()).toEqual(['version-1', 'version-1']);
  agent.clock.pass(dayMs);
  const report = await agent.deploy();
  expect(versions()).toEqual(['version-2', 'version-2']);
  expect(targetsOf(report)[0]?.message).toMatch(
    /the Secret stays as it is, because .* expires at 2027-02-20/,
  );
  expect(codesOf(report), 'a person must look').toEqual(['RolloutFailed']);
});

test.each([
  'version-2 prod/shop/shop-tls it hung',
  'version-2 * it was taken back by hand',
])('what deploy has noted keeps a version from it too: %s', async (deliveryHeld) => {
  const agent = await openDelivered();
  agent.mend();
  await agent.store.record('shop', stateOfTags({ deliveryHeld }));
  await expectIdlePass(agent);
  expect(agent.versionInCluster()).toBe('version-1');
  await agent.store.record('shop', { freeze: null });
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered' });
});

test('what deploy has noted ends for the agent too as what it keeps in place ends, and is not undone pass after pass', async () => {
  const agent = await openDelivered();
  agent.mend();
  await agent.store.record('shop', stateOfTags({ deliveryHeld: 'version-2 prod/shop/shop-tls it hung' }));
  agent.clock.pass(67 * dayMs);
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered' });
  const records = agent.store.count('record');
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(agent.store.count('record')).toBe(records);
});

test('what deploy has noted of an earlier version is nothing to the agent', async () => {
  const agent = await openDelivered();
  agent.mend();
  await agent.store.record('shop', stateOfTags({ deliveryHeld: 'version-1 * it was taken back by hand' }));
  await agent.deploy();
  const records = agent.store.count('record');
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(agent.store.count('record')).toBe(records);
});
