// Targets in clusters that only an agent reaches, seen from outside.
import { expect, test } from 'vitest';
import { applyResumption } from '../../lib/policy/delivery/agents.ts';
import { describeProgress, withoutRetry } from '../../lib/policy/delivery/progress.ts';
import type { AgentReport, DeliveryPhase } from '../../lib/state/delivery.ts';
import { stateOfTags, throughTags } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';
import { openHarness, targetsOf } from './harness.ts';

const edge = targetOf({ cluster: 'edge' });
const other = targetOf({ cluster: 'edge', secret: 'other-tls' });
const lab = targetOf();

/** What the agent of edge writes for both of its targets. */
const reported = (version: string, ...phases: readonly DeliveryPhase[]) => ({
  reports: { edge: { deployed: describeProgress(version, [edge, other], phases) } },
});

test('W01 deploy never connects to it: its targets wait for the agent, and the other clusters do not', async () => {
  const harness = await openHarness({ targets: [edge, lab, other], agents: ['edge'] });
  const outcomes = async () =>
    targetsOf(await harness.deploy()).map(({ outcome, message }) => [outcome, message]);
  const report = await harness.deploy();
  expect(report.failures.size).toBe(0);
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['pending', 'delivered', 'pending']);

  await harness.store.record('shop', reported('version-1', 'rolled-out', 'applied'));
  expect(await outcomes()).toEqual([
    ['unchanged', 'the agent of cluster edge has delivered it'],
    ['unchanged', 'Secret up to date, nothing to restart'],
    ['pending', 'the agent of cluster edge has updated the Secret; its workloads are still restarting'],
  ]);
  expect(harness.store.kept.get('shop')?.state.deployed).toMatchObject({
    version: 'version-1',
    phases: ['rolled-out', 'rolled-out', 'applied'],
  });

  await harness.issue('shop', 'version-2');
  expect((await outcomes())[0]).toEqual(['pending', 'waits for the agent of cluster edge']);
});

test('resuming a version tells its agents to go on, once, and writes no report of theirs', async () => {
  const harness = await openHarness({ targets: [edge], agents: ['edge'] });
  const retry = { failures: 3, after: new Date('2026-11-23T10:00:00.000Z') };
  const waiting = describeProgress('version-1', [edge], ['none'], retry);
  const freeze = {
    version: 'version-1',
    target: 'edge/shop/shop-tls',
    reason: 'Deployment web: 1@2 replicas',
  };
  await harness.store.record('shop', { reports: { edge: { deployed: waiting, freeze } } });
  const state = () => harness.store.kept.get('shop')?.state ?? {};
  const report = () => applyResumption(state().reports?.edge, state().resumed);
  await harness.deploy({ certificates: ['shop'] });
  await harness.deploy({ certificates: ['shop'], resume: true, dryRun: true });
  expect(report()).toEqual({ deployed: waiting, freeze });
  await harness.deploy({ certificates: ['shop'], resume: true });
  expect(report()).toEqual({ deployed: withoutRetry(waiting), resumedAt: state().resumed?.at });
  expect(state().reports?.edge).toEqual({ deployed: waiting, freeze });
  const records = harness.store.count('record');
  await harness.deploy({ certificates: ['shop'], resume: true });
  expect(harness.store.count('record')).toBe(records);
});

test('a resumption is followed once, and of another version it says nothing', () => {
  const at = new Date('2026-11-23T10:00:00.000Z');
  const freeze = { version: 'version-2', target: 'edge/shop/shop-tls', reason: 'it hung' };
  const resumed = { version: 'version-2', at };
  const followed = applyResumption({ freeze }, resumed);
  expect(followed).toEqual({ resumedAt: at });
  const again: AgentReport = { ...followed, freeze };
  expect(throughTags({ reports: { edge: again } })).toEqual({ reports: { edge: again } });
  expect(applyResumption(again, resumed)).toEqual(again);
  expect(applyResumption(again, { ...resumed, at: new Date() }).freeze).toBeUndefined();
  expect(applyResumption({ freeze }, { ...resumed, version: 'version-1' })).toEqual({ freeze });
  const { reports } = stateOfTags({ 'agent-report/edge': '@@@@version-2 edge/shop/shop-tls it hung' });
  expect(reports, 'as agents of the version before write it').toEqual({ edge: { freeze } });
});
