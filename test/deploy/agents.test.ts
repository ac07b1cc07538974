// Targets in clusters that only an agent reaches, seen from outside.
import { expect, test } from 'vitest';
import {
  applyResumption,
  formatReport,
  formatResumption,
  parseReport,
} from '../../lib/policy/delivery/agents.ts';
import { type DeliveryStep, formatDeliveries } from '../../lib/state/deliveries.ts';
import { targetOf } from '../minting/targets.ts';
import { openBench, targetsOf } from './harness.ts';

const edge = targetOf({ cluster: 'edge' });
const other = targetOf({ cluster: 'edge', secret: 'other-tls' });
const lab = targetOf();

/** What the agent of edge writes for both of its targets. */
const reported = (version: string, ...steps: readonly DeliveryStep[]) => ({
  reports: { edge: formatReport({ deployed: formatDeliveries(version, [edge, other], steps) }) },
});

test('W01 deploy never connects to it: its targets wait for the agent, and the other clusters do not', async () => {
  const bench = await openBench({ targets: [edge, lab, other], agents: ['edge'] });
  const outcomes = async () =>
    targetsOf(await bench.deploy()).map(({ outcome, message }) => [outcome, message]);
  const report = await bench.deploy();
  expect(report.failures.size).toBe(0);
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['pending', 'delivered', 'pending']);

  await bench.store.record('shop', reported('version-1', 'rolled-out', 'applied'));
  expect(await outcomes()).toEqual([
    ['unchanged', 'the agent of edge has delivered it'],
    ['unchanged', 'Secret up to date, nothing to restart'],
    ['pending', 'the agent of edge has applied it, and its workloads are not done'],
  ]);
  expect(bench.store.kept.get('shop')?.state.deployed).toMatch(/^version-1\/[0-9a-f]{8}\/rra$/);

  await bench.issue('shop', 'version-2');
  expect((await outcomes())[0]).toEqual(['pending', 'waits for the agent of edge']);
});

test('resuming a version tells its agents to go on, once, and writes no report of theirs', async () => {
  const bench = await openBench({ targets: [edge], agents: ['edge'] });
  const deployed = formatDeliveries('version-1', [edge], ['none']);
  const held = 'version-1 edge/shop/shop-tls Deployment web: 1@2 replicas';
  const waiting = `${deployed}/3/2026-11-23T10:00:00.000Z`;
  await bench.store.record('shop', { reports: { edge: formatReport({ deployed: waiting, held }) } });
  const state = () => bench.store.kept.get('shop')?.state ?? {};
  const report = () => applyResumption(parseReport(state().reports?.edge), state().resumed);
  await bench.deploy({ certificates: ['shop'] });
  await bench.deploy({ certificates: ['shop'], resume: true, dryRun: true });
  expect(report()).toMatchObject({ deployed: waiting, held });
  await bench.deploy({ certificates: ['shop'], resume: true });
  expect(report()).toMatchObject({ deployed, held: undefined });
  expect(parseReport(state().reports?.edge)).toMatchObject({ deployed: waiting, held });
  const records = bench.store.count('record');
  await bench.deploy({ certificates: ['shop'], resume: true });
  expect(bench.store.count('record')).toBe(records);
});

test('a resumption is followed once, and of another version it says nothing', () => {
  const at = new Date('2026-11-23T10:00:00.000Z');
  const held = 'version-2 edge/shop/shop-tls it hung';
  const resumed = formatResumption('version-2', at);
  const followed = applyResumption({ held }, resumed);
  expect(followed).toEqual({ held: undefined, deployed: undefined, resumedAt: at.toISOString() });
  const again = parseReport(formatReport({ ...followed, held }));
  expect(again).toMatchObject({ held, resumedAt: at.toISOString() });
  expect(applyResumption(again, resumed)).toEqual(again);
  expect(applyResumption(again, formatResumption('version-2', new Date())).held).toBeUndefined();
  expect(applyResumption({ held }, formatResumption('version-1', at))).toEqual({ held });
  expect(parseReport(`@@@@${held}`), 'as agents of the version before write it').toMatchObject({ held });
});
