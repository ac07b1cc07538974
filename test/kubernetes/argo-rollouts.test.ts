// What a Rollout of Argo says of its restart and of its pods.
import { expect, test } from 'vitest';
import { argoFields, judgeArgo } from '../../lib/adapters/kubernetes/argo-rollouts.ts';

const now = new Date('2026-11-22T10:00:00Z');
const restartAt = '2026-11-22T09:59:00Z';
const judge = (spec: object, status: object = {}) =>
  judgeArgo(argoFields.parse({ metadata: { generation: 1 }, spec, status }), now);
const invalid = (is: string) => ({ conditions: [{ type: 'InvalidSpec', status: is }] });

test.for<[string, object, object, object]>([
  ['was never restarted', {}, { availableReplicas: 1 }, { state: 'complete' }],
  ['is restarting', { restartAt }, { availableReplicas: 1 }, { state: 'progressing' }],
  ['was restarted before', { restartAt }, { restartedAt: '2026-10-01T00:00:00Z' }, { state: 'progressing' }],
  [
    'waits for new pods',
    { restartAt },
    { restartedAt: restartAt },
    { state: 'progressing', isReplaced: true },
  ],
  ['has new pods', { restartAt }, { restartedAt: restartAt, availableReplicas: 1 }, { state: 'complete' }],
  [
    'has a fraction of a second, which the status leaves out',
    { restartAt: '2026-11-22T09:59:00.5Z' },
    { restartedAt: restartAt, availableReplicas: 1 },
    { state: 'complete' },
  ],
  ['has no pods', { restartAt, replicas: 0 }, {}, { state: 'complete' }],
  ['cannot be restarted', { restartAt }, invalid('True'), { state: 'held' }],
  ['is valid again', { restartAt }, invalid('False'), { state: 'progressing' }],
  ['has an instant that is none', { restartAt: 'soon' }, { availableReplicas: 1 }, { state: 'complete' }],
])('a Rollout that %s', ([, spec, status, expected]) => {
  expect(judge(spec, status).rollout).toMatchObject(expected);
});

test('one that Argo calls Degraded says so while it restarts', () => {
  const { rollout } = judge({ restartAt, replicas: 2 }, { availableReplicas: 1, phase: 'Degraded' });
  expect(rollout).toMatchObject({ message: expect.stringMatching(/1 of 2 replicas.*it is Degraded/) });
});

test.for<[object, boolean]>([
  [{}, true],
  [{ replicas: 0 }, false],
  [{ replicas: 2 }, false],
  [{ replicas: 2, strategy: { canary: {} } }, false],
  [{ replicas: 2, strategy: { canary: { maxUnavailable: 2 } } }, true],
  [{ replicas: 4, strategy: { canary: { maxUnavailable: '75%' } } }, false],
  [{ replicas: 4, strategy: { blueGreen: { maxUnavailable: '100%' } } }, true],
  [{ replicas: 4, strategy: { canary: { maxUnavailable: 'many' } } }, false],
])('with %j all pods may be gone at once: %s', ([spec, expected]) => {
  expect(judge(spec).hasGapOnRestart).toBe(expected);
});

test('an instant to come is a restart that somebody has planned, but for the difference of two clocks', () => {
  expect(judge({ restartAt: '2026-11-22T10:01:00Z' }).isRestartPlanned).toBe(false);
  expect(judge({ restartAt: '2026-11-22T10:01:01Z' }).isRestartPlanned).toBe(true);
});
