// Whether a Rollout of Argo was restarted for a certificate, and the patch that restarts it.
import { expect, test } from 'vitest';
import { isUndone, judgeMark, markOf, markOn } from '../../lib/policy/delivery/restart-marks.ts';
import { restartPatch, returnPatch } from '../../lib/policy/delivery/restart-patch.ts';
import type { Workload } from '../../lib/policy/kubernetes/objects.ts';
import { targetOf } from '../minting/targets.ts';
import { workloadFacts } from '../minting/workloads.ts';

const key = 'certrelay.dev/fingerprint-shop-tls';
const target = targetOf({});
const at = (time: string) => new Date(`2026-11-22T${time}Z`);
const rollout = (more: Partial<Workload> = {}) => workloadFacts({ kind: 'Rollout', pods: 3, ...more });
const applied = { fingerprint: 'aa', appliedAt: at('10:00:00'), isResumed: true };
const ours = { ownAnnotations: { [key]: 'aa' }, rolloutSince: at('10:00:00.400') };

test.for<[string, Partial<Workload>, 'set' | 'undone' | 'absent']>([
  ['nobody has restarted', {}, 'absent'],
  ['Certrelay has restarted', { ...ours, restartAt: at('10:00:01') }, 'set'],
  [
    'Certrelay has repaired',
    { ...ours, ownAnnotations: { [key]: 'aa.1' }, restartAt: at('10:00:01') },
    'set',
  ],
  ['went back to it', { ...ours, ownAnnotations: { [key]: 'back.aa' }, restartAt: at('10:00:01') }, 'set'],
  [
    'went back to it, which nothing else shows',
    { ownAnnotations: { [key]: 'back.aa' }, rolloutSince: at('09:59:59.500'), restartAt: at('10:00:00') },
    'set',
  ],
  ['went back to another', { ...ours, ownAnnotations: { [key]: 'back.bb' } }, 'absent'],
  ['somebody restarted once more', { ...ours, restartAt: at('11:00:00') }, 'set'],
  ['somebody put back', { ...ours, restartAt: at('09:00:00') }, 'undone'],
  ['somebody cleared', ours, 'undone'],
  ['another certificate was for', { ownAnnotations: { [key]: 'bb' }, restartAt: at('09:00:00') }, 'absent'],
  ['somebody restarted before', { restartAt: at('09:59:59') }, 'absent'],
  ['somebody restarted in the same second', { restartAt: at('10:00:00') }, 'absent'],
  ['somebody restarted after it', { restartAt: at('10:00:01') }, 'set'],
  ['somebody will restart', { restartAt: at('22:00:00'), isRestartPlanned: true }, 'absent'],
  ['has the mark in its template alone', { annotations: { [key]: 'aa' } }, 'absent'],
])('a Rollout that %s', ([, more, expected]) => {
  expect(judgeMark(target, applied, rollout(more))).toBe(expected);
});

test('a restart before the Secret has the version does not count', () => {
  const before = { fingerprint: 'aa', isResumed: false };
  expect(judgeMark(target, before, rollout({ restartAt: at('11:00:00') }))).toBe('absent');
});

test('the patch names the next whole second, touches no template, and never moves an instant back', () => {
  const mark = markOf(targetOf({ restartStrategy: 'env' }), applied, rollout());
  const patch = restartPatch(rollout(), [mark], { since: at('10:00:00.001') });
  expect(patch).toMatchObject({ template: {}, own: { [key]: 'aa' }, restartAt: at('10:00:01') });
  expect(patch.env).toBeUndefined();
  const later = rollout({ restartAt: at('10:00:09') });
  expect(restartPatch(later, [mark], { since: at('10:00:00.001') }).restartAt).toEqual(at('10:00:09'));
  expect(restartPatch(rollout(), [mark], { since: at('10:00:00') }).restartAt).toEqual(at('10:00:00'));
  const back = returnPatch(rollout(), mark, { failedAt: undefined, since: at('10:05:00.5') });
  expect(back).toMatchObject({ own: { [key]: 'back.aa' }, restartAt: at('10:05:01') });
});

test('the mark of a restart that is awaited is the one on the Rollout, a repair of it as well', () => {
  expect(markOn(target, applied, rollout(ours))).toMatchObject({ key, value: 'aa' });
  expect(markOn(target, applied, rollout({ ownAnnotations: { [key]: 'aa.1' } }))).toMatchObject({
    value: 'aa.1',
  });
  expect(markOn(target, applied, rollout({ annotations: { [key]: 'aa' } }))).toBeUndefined();
});

test('a restart is undone once its instant is taken away or moved back, whatever becomes of the annotations', () => {
  const mark = markOf(target, applied, rollout());
  const since = { rolloutSince: at('10:00:00.400') };
  expect(isUndone(rollout({ ...since, restartAt: at('10:00:01') }), mark)).toBe(false);
  expect(isUndone(rollout({ ...since, restartAt: at('10:00:00') }), mark)).toBe(true);
  expect(isUndone(rollout(since), mark)).toBe(true);
  expect(isUndone(rollout({ restartAt: at('10:00:01') }), mark)).toBe(false);
});
