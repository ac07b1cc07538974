// When a workload counts as restarted for a version, and what the patches set and take back.
import { describe, expect, test } from 'vitest';
import type { SecretTarget } from '../../lib/certificate/spec.ts';
import {
  isUndone,
  judgeMark,
  markOf,
  type RestartCause,
  type RestartMark,
  repairMark,
} from '../../lib/policy/delivery/restart-marks.ts';
import { restartPatch, returnPatch } from '../../lib/policy/delivery/restart-patch.ts';
import { planRollbackRestarts } from '../../lib/policy/delivery/restarts.ts';
import { isAsBefore, readStart } from '../../lib/policy/delivery/rollout-start.ts';
import type { RestartPatch, Workload } from '../../lib/policy/kubernetes/objects.ts';
import { targetOf } from '../minting/targets.ts';
import { workloadFacts } from '../minting/workloads.ts';

const key = 'certrelay.dev/fingerprint-shop-tls';
const otherKey = 'certrelay.dev/fingerprint-api-tls';
const restartedAt = 'kubectl.kubernetes.io/restartedAt';
const at = (minute: number) => `2026-11-22T10:${String(minute).padStart(2, '0')}:00Z`;
/** Stored in minute 10; the Secret had it in minute 20, and workloads restarted in minute 21. */
const createdAt = new Date('2026-11-22T10:10:00.700Z');
const appliedAt = new Date(at(20));
const since = new Date(at(21));
const cause: RestartCause = { fingerprint: 'new', createdAt, appliedAt, isResumed: false };
const env = targetOf({ restartStrategy: 'env' });

const workloadOf = (more: Partial<Workload> = {}) =>
  workloadFacts({ kind: 'StatefulSet', name: 'db', secrets: ['shop-tls', 'api-tls'], pods: 3, ...more });

/** The workload after a patch, as the API merges it. */
function patched(workload: Workload, { template, env: variable, own }: RestartPatch): Workload {
  const merge = (before: Readonly<Record<string, string>>, change: RestartPatch['own']) =>
    Object.fromEntries(
      Object.entries<string | null>({ ...before, ...change }).flatMap(([name, value]) =>
        value === null ? [] : [[name, value] as const],
      ),
    );
  return {
    ...workload,
    annotations: merge(workload.annotations, template),
    ownAnnotations: merge(workload.ownAnnotations, own),
    refresh: variable ? (variable.value ?? undefined) : workload.refresh,
    rolloutSince: since,
  };
}

const restart = (workload: Workload, target: SecretTarget = targetOf(), more: readonly RestartMark[] = []) =>
  patched(workload, restartPatch(workload, [markOf(target, cause, workload), ...more], { since }));

describe('a mark that is not on the template', () => {
  const fresh = workloadOf();
  const marked = workloadOf({ annotations: { [key]: 'old', [restartedAt]: at(1) } });
  const withoutMark = (workload: Workload, annotations: Readonly<Record<string, string>>) => ({
    ...workload,
    annotations,
  });
  test.for<[string, Workload, Partial<RestartCause>, 'set' | 'undone' | 'absent']>([
    ['nobody has restarted it', fresh, {}, 'absent'],
    ['it has that of the version before', marked, {}, 'absent'],
    ['it was restarted before the version', withoutMark(fresh, { [restartedAt]: at(9) }), {}, 'absent'],
    ['what it was restarted at is no instant', withoutMark(fresh, { [restartedAt]: 'soon' }), {}, 'absent'],
    [
      'a person restarted it before the Secret had the version',
      withoutMark(fresh, { [restartedAt]: at(19) }),
      {},
      'absent',
    ],
    ['a person restarted it after that', withoutMark(fresh, { [restartedAt]: at(20) }), {}, 'set'],
    [
      'when the Secret had it is not known',
      withoutMark(fresh, { [restartedAt]: at(20) }),
      { appliedAt: undefined },
      'absent',
    ],
    [
      'it was taken away and restartedAt was left',
      withoutMark(restart(marked), { [restartedAt]: at(10) }),
      {},
      'set',
    ],
    [
      'a person has restarted it once more since',
      withoutMark(restart(marked), { [restartedAt]: at(40) }),
      {},
      'set',
    ],
    [
      'it was taken away and restartedAt is that of a newer certificate in the same patch',
      withoutMark(restart(marked), { [restartedAt]: at(12) }),
      {},
      'set',
    ],
    ['all was taken away', withoutMark(restart(fresh), {}), {}, 'undone'],
    ['all was put back', withoutMark(restart(marked), marked.annotations), {}, 'undone'],
    ['all was taken away, in a later run', withoutMark(restart(marked), {}), { isResumed: true }, 'undone'],
    [
      'when the version was stored is not known',
      withoutMark(restart(fresh), { [restartedAt]: at(19) }),
      { createdAt: undefined },
      'undone',
    ],
    [
      'a restart by a person, from before, is all that is left',
      withoutMark(restart(withoutMark(fresh, { [restartedAt]: at(15) })), { [restartedAt]: at(15) }),
      { isResumed: true },
      'undone',
    ],
    [
      'another certificate of the same second restarted it',
      withoutMark(
        { ...fresh, ownAnnotations: { [otherKey]: 'other' } },
        { [otherKey]: 'other', [restartedAt]: at(10) },
      ),
      {},
      'absent',
    ],
    [
      'our annotations of the workload are taken away, too',
      withoutMark(fresh, { [restartedAt]: at(10) }),
      {},
      'set',
    ],
  ])('where %s', ([, workload, more, state]) => {
    expect(judgeMark(targetOf(), { ...cause, ...more }, workload)).toBe(state);
  });

  test.for<[string, Partial<Workload>, 'set' | 'undone' | 'absent']>([
    ['has the version', { refresh: 'new' }, 'set'],
    [
      'has another certificate, delivered later',
      { ...restart(workloadOf(), env), refresh: 'other', annotations: {} },
      'set',
    ],
    [
      'is as before',
      { ...restart(workloadOf({ refresh: 'old' }), env), refresh: 'old', annotations: {} },
      'undone',
    ],
    [
      'is gone',
      { ...restart(workloadOf({ refresh: 'old' }), env), refresh: undefined, annotations: {} },
      'undone',
    ],
    [
      'is as before, without the restart of before',
      {
        ...restart(workloadOf({ refresh: 'old', annotations: { [restartedAt]: at(1) } }), env),
        refresh: 'old',
        annotations: {},
      },
      'undone',
    ],
    ['has what nobody remembers', { refresh: 'old' }, 'absent'],
  ])("with ployst's variable, which %s", ([, more, state]) => {
    expect(judgeMark(env, cause, workloadOf(more))).toBe(state);
  });

  test('while it is watched it counts as undone on the same terms', () => {
    const person = workloadOf({ annotations: { [restartedAt]: at(15) } });
    const mark = markOf(targetOf(), cause, person);
    const marked = restart(person);
    expect(isUndone(marked, mark)).toBe(false);
    const { annotations } = person;
    expect(isUndone({ ...marked, annotations }, mark), 'that restart was there before').toBe(true);
    expect(isUndone({ ...marked, annotations: { [restartedAt]: at(30) } }, mark)).toBe(false);
  });
});

describe('restartPatch', () => {
  const marks = (workload: Workload, ...instants: readonly (Date | undefined)[]) =>
    instants.map((stored, index) =>
      markOf(
        targetOf({ secret: ['shop-tls', 'api-tls'][index] ?? '' }),
        { ...cause, createdAt: stored },
        workload,
      ),
    );
  test.for<[string, string | undefined, readonly (Date | undefined)[], string | undefined]>([
    ['is when the version was stored, to the second', undefined, [createdAt], at(10)],
    ['moves on', at(9), [createdAt], at(10)],
    ['stays as it is at the same second', at(10), [createdAt], undefined],
    ['never moves back', at(11), [createdAt], undefined],
    ['is put right', 'soon', [createdAt], at(10)],
    ['is not set if AWS does not say when that was', undefined, [undefined], undefined],
    ['is that of the newest of several', at(9), [new Date(at(12)), createdAt], at(12)],
  ])('restartedAt %s', ([, before, instants, after]) => {
    const workload = workloadOf({ annotations: before === undefined ? {} : { [restartedAt]: before } });
    expect(restartPatch(workload, marks(workload, ...instants), { since }).template[restartedAt]).toBe(after);
  });

  test('one patch sets the marks of all Secrets, and remembers what each replaced', () => {
    const workload = workloadOf({ annotations: { [key]: 'old', [restartedAt]: at(1) }, unavailable: 1 });
    const patch = restartPatch(workload, marks(workload, createdAt, createdAt), { since });
    expect(patch.template).toEqual({ [key]: 'new', [otherKey]: 'new', [restartedAt]: at(10) });
    expect(readStart(patched(workload, patch))).toEqual({
      unavailable: 1,
      hasFailed: false,
      former: { [key]: { mark: 'old', restartedAt: at(1) }, [otherKey]: { mark: null, restartedAt: at(1) } },
    });
  });

  test('what the newest mark replaced is remembered, however many there were', () => {
    const former = (name: string) => [`certrelay.dev/fingerprint-${name}`, { mark: null, restartedAt: null }];
    const many = ['shop-tls', ...Array.from({ length: 30 }, (_, index) => `s${index}`)].map(former);
    const start = { unavailable: 0, hasFailed: false, former: Object.fromEntries(many) };
    const workload = workloadOf({
      annotations: { [key]: 'old' },
      ownAnnotations: { 'certrelay.dev/rollout-before': JSON.stringify(start) },
    });
    expect(readStart(restart(workload))?.former[key]).toEqual({ mark: 'old', restartedAt: null });
  });
});

describe('the way back', () => {
  const before: RestartCause = { fingerprint: 'old', isResumed: true };
  const goBack = (workload: Workload, target: SecretTarget = targetOf()) =>
    patched(
      workload,
      returnPatch(workload, markOf(target, before, workload), {
        failedAt: createdAt,
        since: new Date(at(30)),
      }),
    );

  test.for<[string, Partial<Workload>, SecretTarget]>([
    ['a mark and restartedAt', { annotations: { [key]: 'old', [restartedAt]: at(1) } }, targetOf()],
    ['a mark alone', { annotations: { [key]: 'old' } }, targetOf()],
    ['no mark: its first delivery failed', { annotations: { team: 'shop' } }, targetOf()],
    ['a restart by a person, later than the version', { annotations: { [restartedAt]: at(15) } }, targetOf()],
    ["ployst's variable", { refresh: '2016-01-01', annotations: { [restartedAt]: at(1) } }, env],
    ['no variable', {}, env],
  ])('a template with %s becomes what it was', ([, more, target]) => {
    const workload = workloadOf(more);
    const returned = goBack(restart(workload, target), target);
    expect(returned.annotations).toEqual(workload.annotations);
    expect(returned.refresh).toBe(workload.refresh);
    const again = planRollbackRestarts(target, 'new', before, [returned]);
    expect(
      again.map(({ action }) => action),
      'it is not taken back twice',
    ).toEqual(['await']);
    expect(judgeMark(target, cause, returned), 'the version may come once more').toBe('absent');
  });

  test('after a repair, which replaced a mark of the same version, the mark is of the version that comes back', () => {
    const workload = restart(workloadOf({ annotations: { [key]: 'old', [restartedAt]: at(1) } }));
    const repair = repairMark(targetOf(), cause, workload, new Date(at(25)));
    const repaired = patched(workload, restartPatch(workload, [repair], { since: new Date(at(26)) }));
    expect(goBack(repaired).annotations[key]).toBe('old');
  });

  test("a person's restart since then is left", () => {
    const workload = restart(workloadOf({ annotations: { [key]: 'old', [restartedAt]: at(1) } }));
    const restarted = { ...workload, annotations: { ...workload.annotations, [restartedAt]: at(25) } };
    expect(goBack(restarted).annotations).toEqual({ [key]: 'old', [restartedAt]: at(25) });
  });

  test.for<[string, Workload, SecretTarget, readonly string[]]>([
    ['has the mark', restart(workloadOf()), targetOf(), ['restart']],
    [
      'has lost the mark to an operator, which left restartedAt',
      { ...restart(workloadOf()), annotations: { [restartedAt]: at(10) } },
      targetOf(),
      ['restart'],
    ],
    [
      'shares the variable with a later certificate',
      { ...restart(workloadOf(), env), refresh: 'x' },
      env,
      ['restart'],
    ],
    ['has never been restarted', workloadOf(), targetOf(), []],
    [
      'was restarted by a person alone',
      workloadOf({ annotations: { [restartedAt]: at(15) } }),
      targetOf(),
      [],
    ],
  ])('a workload that %s', ([, workload, target, actions]) => {
    expect(planRollbackRestarts(target, 'new', before, [workload]).map(({ action }) => action)).toEqual(
      actions,
    );
  });
});

test.for<
  [string, Pick<Workload, 'unavailable'> & { readonly hasFailed?: true }, number, number, boolean, number?]
>([
  ['was well', { unavailable: 0 }, 1, 1, false],
  ['was well and is', { unavailable: 0 }, 0, 0, false],
  ['lacks the pod that it lacked', { unavailable: 1 }, 1, 0, true],
  ['lacks it, made anew', { unavailable: 1 }, 1, 1, true],
  ['lacks it, and no new one is ready', { unavailable: 1 }, 1, 1, false, 0],
  ['lacks it, and another new one', { unavailable: 1 }, 1, 2, false],
  ['lacks fewer', { unavailable: 2 }, 1, 1, true],
  ['lacks more', { unavailable: 1 }, 2, 0, false],
  ['lacks none any more: what it waits for is new', { unavailable: 1 }, 0, 1, false],
  ['had failed with all pods of before', { unavailable: 0, hasFailed: true }, 0, 1, true],
  ['had failed and lacks a pod now', { unavailable: 0, hasFailed: true }, 1, 1, false],
])('a workload that %s', ([, { unavailable, hasFailed }, now, failing, isSame, ready = 1]) => {
  const workload = workloadOf({
    unavailable,
    rollout: hasFailed ? { state: 'failed', message: 'late' } : { state: 'complete' },
  });
  expect(isAsBefore({ ...restart(workload), unavailable: now }, { ready, failing }), 'is as before').toBe(
    isSame,
  );
});
