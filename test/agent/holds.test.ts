// An agent cannot take a version back: it leaves the one that failed where it is, and does not try it again.
import { expect, test } from 'vitest';
import type { RolloutSpec } from '../../lib/certificate/spec.ts';
import { parseReport, resumeReports } from '../../lib/policy/agents.ts';
import { targetOf } from '../certificate/targets.ts';
import { codesOf, only } from '../deploy/bench.ts';
import { openAgent } from './bench.ts';

const rollout: RolloutSpec = { waves: 1, deadlineMs: 600_000, probe: false, windows: [] };
const mark = 'certrelay.dev/fingerprint-shop-tls';

/** Version 1 is delivered; pods of `web` become ready with no other until `mend` is called. Version 2 is signed. */
async function openDelivered() {
  let good: string | undefined;
  let isMended = false;
  const agent = await openAgent(
    {},
    {
      targets: [targetOf({ rollout })],
      areReady: (_, annotations) => isMended || good === undefined || annotations[mark] === good,
    },
  );
  agent.addWorkload('Deployment', 'web', 'shop-tls');
  await agent.sign();
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered' });
  good = agent.secret()?.metadata.annotations?.['certrelay.dev/fingerprint'];
  await agent.renew('version-2');
  const state = () => agent.store.kept.get('shop')?.state ?? {};
  return {
    ...agent,
    state,
    held: () => parseReport(state().reports?.lab).held,
    mend: () => {
      isMended = true;
    },
  };
}

/** One that waited for nothing and changed nothing. */
async function expectIdlePass(agent: Awaited<ReturnType<typeof openDelivered>>) {
  const before = agent.clock.now();
  agent.calls();
  const report = await agent.deploy();
  expect(only(report)).toMatchObject({ outcome: 'held', restarted: [] });
  expect(report.failures.size, 'nobody is told twice').toBe(0);
  expect(agent.calls().filter((call) => !/^(get|list) /.test(call))).toEqual([]);
  expect(agent.clock.now()).toEqual(before);
}

test('a version that failed is not tried again, which only the agent’s own report says', async () => {
  const agent = await openDelivered();
  const report = await agent.deploy();
  expect(only(report)).toMatchObject({ outcome: 'held' });
  expect(codesOf(report)).toEqual(['RolloutFailed']);
  expect(agent.held()).toMatch(/^version-2 lab\/shop\/shop-tls Deployment web/);
  expect(agent.state().deliveryHeld).toBeUndefined();
  await expectIdlePass(agent);
  await expectIdlePass(agent);
});

test('it is tried again once somebody resumes it, and then no hold is left', async () => {
  const agent = await openDelivered();
  await agent.deploy();
  agent.mend();
  await expectIdlePass(agent);
  await agent.store.record('shop', { reports: resumeReports(agent.state().reports) });
  // Its Secret and the pods of its workload have it by now.
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(parseReport(agent.state().reports?.lab).deployed).toMatch(/^version-2\/[0-9a-f]{8}\/r$/);
  expect(agent.held()).toBeUndefined();
});

test('a newer version is delivered whatever became of the one before', async () => {
  const agent = await openDelivered();
  await agent.deploy();
  agent.mend();
  await agent.renew('version-3');
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(agent.versionInCluster()).toBe('version-3');
  expect(agent.held()).toBeUndefined();
});

test.each([
  'version-2 prod/shop/shop-tls it hung',
  'version-2 * it was taken back by hand',
])('what deploy has noted keeps a version from it too: %s', async (deliveryHeld) => {
  const agent = await openDelivered();
  agent.mend();
  await agent.store.record('shop', { deliveryHeld });
  await expectIdlePass(agent);
  expect(agent.versionInCluster()).toBe('version-1');
  await agent.store.record('shop', { deliveryHeld: null });
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'delivered' });
});

test('what deploy has noted of an earlier version is nothing to the agent', async () => {
  const agent = await openDelivered();
  agent.mend();
  await agent.store.record('shop', { deliveryHeld: 'version-1 * it was taken back by hand' });
  await agent.deploy();
  const records = agent.store.count('record');
  expect(only(await agent.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(agent.store.count('record')).toBe(records);
});
