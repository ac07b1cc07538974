// What pods tell of when they started.
import { expect, test } from 'vitest';
import { haveStartedSince, type RunningPod } from '../../lib/policy/kubernetes/pods.ts';

const at = (second: string) => new Date(`2026-11-22T10:00:${second}Z`);
const podOf = (starts: readonly Date[], more: Partial<RunningPod> = {}): RunningPod => ({
  name: 'web-abc-1',
  owner: { group: 'apps', kind: 'ReplicaSet', name: 'web-abc' },
  revision: 'abc',
  isReady: true,
  isScheduled: true,
  starts,
  ...more,
});
const other = { owner: { group: 'apps', kind: 'ReplicaSet', name: 'web-abc-def' }, revision: 'def' };

test.for<[string, readonly RunningPod[], boolean]>([
  ['all later', [podOf([at('11'), at('12')]), podOf([at('13')])], true],
  ['one container earlier', [podOf([at('11'), at('09')])], false],
  ['one pod earlier', [podOf([at('11')]), podOf([at('09')])], false],
  ['in the same second, which may be before', [podOf([at('10')])], false],
  ['not yet: it will read what is there now', [podOf([])], true],
  ["another workload's pods earlier", [podOf([at('11')]), podOf([at('09')], other)], true],
  ['no pods', [podOf([at('11')], other)], false],
])('pods have started since the Secret was changed: %s', ([, pods, isSince]) => {
  const since = at('10.400');
  expect(haveStartedSince({ kind: 'Deployment', name: 'web' }, pods, since)).toBe(isSince);
});
