// How a workload was before its rollout, kept in an annotation of its own: what was bad before is not the
// certificate's doing, and what was there before can come back.
import * as z from 'zod';
import { beforeAnnotation, type Workload } from '../kubernetes/objects.ts';

/** What a mark replaced; `null`: there was none. */
export interface FormerMark {
  readonly mark: string | null;
  /** The template's `kubectl.kubernetes.io/restartedAt`. */
  readonly restartedAt: string | null;
}

/** A workload before its last rollout. */
export interface RolloutStart {
  /** Pods that were not available. */
  readonly unavailable: number;
  /** Whether its rollout before had failed (past its progress deadline). */
  readonly hasFailed: boolean;
  /** By the mark's annotation. */
  readonly former: Readonly<Record<string, FormerMark>>;
}

/** Marks remembered on one workload; the annotation stays within some kilobytes. */
const mostMarks = 20;

/** Characters of a value that is remembered. */
const longestValue = 200;

const text = z.string().max(longestValue).nullable();
const startSchema = z.object({
  unavailable: z.number().int().min(0),
  hasFailed: z.boolean(),
  former: z.record(z.string(), z.object({ mark: text, restartedAt: text })),
});

/** The annotation for a rollout that sets these marks; those that an earlier one remembered are kept. */
export function describeStart(
  workload: Workload,
  former: Readonly<Record<string, FormerMark>>,
): Readonly<Record<string, string>> {
  const { unavailable, rollout } = workload;
  const before = Object.entries(readStart(workload)?.former ?? {});
  const kept = [
    ...before.filter(([key]) => !Object.hasOwn(former, key)),
    // A value of somebody else's may have any length; then the mark of the version that comes back is used.
    ...Object.entries(former).filter(([, { mark }]) => (mark ?? '').length <= longestValue),
  ].slice(-mostMarks);
  const start: RolloutStart = {
    unavailable,
    hasFailed: rollout.state === 'failed',
    former: Object.fromEntries(kept),
  };
  return { [beforeAnnotation]: JSON.stringify(start) };
}

/** How the workload was before its last rollout; `undefined` if that is not known. Anybody who may change the
 *  workload can write it, and deceives only himself. */
export function readStart({ ownAnnotations }: Workload): RolloutStart | undefined {
  const value = ownAnnotations[beforeAnnotation];
  if (value === undefined) return undefined;
  try {
    return startSchema.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}

/** Whether the workload was not well before the rollout, and is no worse now: no more pods are unavailable.
 *  If all are available, only a rollout that failed before explains one that does not end.
 *  @param failing New pods that are not ready. */
export function isAsBefore(workload: Workload, failing = 0): boolean {
  const start = readStart(workload);
  if (!start || workload.unavailable > start.unavailable) return false;
  return start.hasFailed || (workload.unavailable > 0 && failing <= start.unavailable);
}
