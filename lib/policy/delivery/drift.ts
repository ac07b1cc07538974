// Finds what others changed in a Secret that was delivered, and which workloads started with the wrong value.
import type { ClusterSecret, SecretManifest, Workload } from '../kubernetes/objects.ts';
import { podsOf, type RunningPod } from '../kubernetes/pods.ts';

/** Annotation of a Secret: since when others had changed it before Certrelay put it right, ISO 8601. It goes
 *  once no pod runs that started in between. */
export const wrongSinceAnnotation = 'certrelay.dev/wrong-since';

/** Data of a Secret that others changed after it was delivered. */
export interface Drift {
  /** Keys that have another value, or none. */
  readonly keys: readonly string[];
  /** The field manager that wrote them; absent: unknown. */
  readonly by?: string | undefined;
  /** Since when; absent: unknown. */
  readonly since?: Date | undefined;
  /** Whether it was put right a short time ago: somebody else keeps writing it. */
  readonly isContested: boolean;
}

/** What others changed. `undefined`: nothing, or only what a newer version of Certrelay writes otherwise. A
 *  key that is gone counts only if somebody wrote the Secret after Certrelay did: it may be new. */
export function findDrift(desired: SecretManifest, found: ClusterSecret): Drift | undefined {
  const { appliedAt, data, otherWriters } = found;
  const isLater = (at: Date | undefined) => at !== undefined && appliedAt !== undefined && at >= appliedAt;
  const changed = Object.keys(desired.data).filter((key) => data[key] !== desired.data[key]);
  const present = changed.filter((key) => Object.hasOwn(data, key));
  const writers = otherWriters.filter((writer) => present.some((key) => writer.data.includes(key)));
  const hasLater = otherWriters.some(({ at }) => isLater(at));
  const keys = hasLater ? changed : present;
  if (keys.length === 0 || (writers.length === 0 && !hasLater)) return undefined;
  const [last] = writers.toSorted((a, b) => (b.at?.getTime() ?? 0) - (a.at?.getTime() ?? 0));
  const isContested = readWrongSince(found) !== undefined;
  // A writer's time is that of its last write; it may have written before.
  const since = last?.at && isLater(last.at) ? last.at : appliedAt;
  return { keys, by: last?.manager, since, isContested };
}

/** Since when the Secret was wrong before it was put right; `undefined`: no pod can have that value. */
export function readWrongSince({ annotations }: Pick<ClusterSecret, 'annotations'>): Date | undefined {
  const since = new Date(annotations[wrongSinceAnnotation] ?? '');
  return Number.isNaN(since.getTime()) ? undefined : since;
}

/** Whether a container of the workload's pods started from `since` on and before `until`. Kubernetes counts
 *  in whole seconds. */
export function hasStartedWithin(
  workload: Pick<Workload, 'kind' | 'name'>,
  pods: readonly RunningPod[],
  { since, until }: { readonly since: Date; readonly until: Date },
): boolean {
  const from = Math.floor(since.getTime() / 1000) * 1000;
  return podsOf(workload, pods).some(({ starts }) =>
    starts.some((start) => start.getTime() >= from && start < until),
  );
}

/** One sentence for the report. */
export function describeDrift({ keys, by, since, isContested }: Drift): string {
  const who = by ?? 'somebody';
  const when = since ? ` at ${since.toISOString()}` : '';
  const what = `${who} changed ${keys.join(', ')} of it${when}, and Certrelay puts that right`;
  if (!isContested) return what;
  return `${what}, not for the first time: make ${who} leave this Secret alone, or name another Secret in the target; nothing restarts for it until then`;
}
