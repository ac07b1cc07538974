// The patches of workloads that set restart marks, several at once, and that take one back.
import {
  type RestartPatch,
  restartedAtAnnotation,
  sinceAnnotation,
  type Workload,
} from '../kubernetes/objects.ts';
import { inPlacePatch } from './in-place-restarts.ts';
import { backSign, isSameVersion, type RestartMark, toSeconds } from './restart-marks.ts';
import { describeStart, type FormerMark, type RolloutStart, readStart } from './rollout-start.ts';

/** The patch that sets all these marks in one rollout. It moves `kubectl.kubernetes.io/restartedAt` to when
 *  the newest of the versions was stored, never back, and remembers how the workload was before.
 *  @param start `since`: when the rollout begins; a later invocation computes its deadline from it. `served`:
 *  what was not served well before. */
export function restartPatch(
  workload: Workload,
  marks: readonly RestartMark[],
  { since, served }: { readonly since: Date; readonly served?: RolloutStart['served'] },
): RestartPatch {
  const own = Object.fromEntries(marks.map(({ key, value }) => [key, value]));
  if (workload.kind === 'Rollout')
    return inPlacePatch(workload, { ...own, ...describeStart(workload, {}, served) }, since);
  const annotations = marks.filter(({ kind }) => kind === 'annotation');
  const variable = marks.findLast((mark) => mark.kind === 'env');
  const restartedAt = laterRestart(workload, marks);
  return {
    template: {
      ...Object.fromEntries(annotations.map(({ key, value }) => [key, value])),
      ...(restartedAt === undefined ? {} : { [restartedAtAnnotation]: restartedAt }),
    },
    env: variable && { container: variable.container, value: variable.value },
    own: {
      ...own,
      [sinceAnnotation]: since.toISOString(),
      ...describeStart(
        workload,
        Object.fromEntries(marks.map((mark) => [mark.key, formerOf(workload, mark)])),
        served,
      ),
    },
  };
}

/** The patch that takes a failed version's mark back: the template becomes what it was before that mark, so
 *  that Kubernetes returns to the revision of that time instead of making another.
 *  @param before The mark of the version that comes back; used if nothing is remembered.
 *  @param failedAt When the version that failed was stored. */
export function returnPatch(
  workload: Workload,
  before: RestartMark,
  { failedAt, since }: { readonly failedAt: Date | undefined; readonly since: Date },
): RestartPatch {
  const own = { [before.key]: `${backSign}${before.value}` };
  if (workload.kind === 'Rollout') return inPlacePatch(workload, own, since);
  const former = findFormer(workload, before);
  const value = former ? former.mark : before.value;
  const isAnnotation = before.kind === 'annotation';
  const present = new Date(workload.annotations[restartedAtAnnotation] ?? '').getTime();
  // Somebody else's restart since then stays.
  const isFromFailed = failedAt !== undefined && present === toSeconds(failedAt);
  return {
    template: {
      ...(isAnnotation ? { [before.key]: value } : {}),
      ...(former && isFromFailed ? { [restartedAtAnnotation]: former.restartedAt } : {}),
    },
    env: isAnnotation ? undefined : { container: before.container, value },
    own: { ...own, [sinceAnnotation]: since.toISOString() },
  };
}

/** What the failed version's mark replaced. A repair, which restarts again for one version, has replaced that
 *  version's own mark: then it is not known any more. */
function findFormer(workload: Workload, before: RestartMark): FormerMark | undefined {
  const former = readStart(workload)?.former[before.key];
  const present = formerOf(workload, before).mark;
  const isOfRepair = former?.mark != null && present !== null && isSameVersion(former.mark, present);
  return isOfRepair ? undefined : former;
}

function formerOf(workload: Workload, mark: RestartMark): FormerMark {
  const { annotations, refresh } = workload;
  const value = mark.kind === 'env' ? refresh : annotations[mark.key];
  return { mark: value ?? null, restartedAt: annotations[restartedAtAnnotation] ?? null };
}

/** What `kubectl.kubernetes.io/restartedAt` becomes: when the newest version was stored, or what is there if
 *  that is later; `undefined` if it stays as it is. */
function laterRestart({ annotations }: Workload, marks: readonly RestartMark[]): string | undefined {
  const stored = marks.flatMap(({ createdAt }) => (createdAt ? [toSeconds(createdAt)] : []));
  const present = new Date(annotations[restartedAtAnnotation] ?? '').getTime();
  if (stored.length === 0 || present >= Math.max(...stored)) return undefined;
  return new Date(Math.max(...stored)).toISOString().replace('.000Z', 'Z');
}
