// How a workload was before its rollout, kept in an annotation of its own: what was bad before is not the
// certificate's doing, and what was there before can come back.
import * as z from 'zod';
import { type ServedWord, servedWords } from '../../state/delivery.ts';
import { beforeAnnotation, type Workload } from '../kubernetes/objects.ts';
import type { FreshPods } from '../kubernetes/pods.ts';
import type { ProbeResult } from '../serving/served.ts';

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
  /** What was not served well before the first wave: the word by name and address (`addressKey`). Absent:
   *  nobody looked. */
  readonly served?: Readonly<Record<string, ServedWord>> | undefined;
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
  served: z.record(z.string(), z.enum(servedWords)).optional(),
});

/** Addresses remembered on one workload. */
const mostAddresses = 30;

/** The annotation for a rollout that sets these marks; those that an earlier one remembered are kept. */
export function describeStart(
  workload: Workload,
  former: Readonly<Record<string, FormerMark>>,
  served?: RolloutStart['served'],
): Readonly<Record<string, string>> {
  const { unavailable, rollout } = workload;
  const start = readStart(workload);
  // In the middle of a rollout of ours its pods say nothing: how it was before that one counts.
  const isUnderWay = rollout.state === 'progressing' && rollout.isReplaced !== true;
  const { unavailable: down, hasFailed } =
    isUnderWay && start ? start : { unavailable, hasFailed: rollout.state === 'failed' };
  const before = Object.entries(start?.former ?? {});
  const kept = [
    ...before.filter(([key]) => !Object.hasOwn(former, key)),
    // A value of somebody else's may have any length; then the mark of the version that comes back is used.
    ...Object.entries(former).filter(([, { mark, restartedAt }]) =>
      [mark, restartedAt].every((value) => (value ?? '').length <= longestValue),
    ),
  ].slice(-mostMarks);
  const addresses = served && Object.fromEntries(Object.entries(served).slice(0, mostAddresses));
  const now: RolloutStart = {
    unavailable: down,
    hasFailed,
    former: Object.fromEntries(kept),
    ...(addresses ? { served: addresses } : {}),
  };
  return { [beforeAnnotation]: JSON.stringify(now) };
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

/** Whether the workload was not well before the rollout, and is no worse now: no more pods are unavailable,
 *  and the new ones do not all fail where some were available. If all are available, only a rollout that
 *  failed before explains one that does not end.
 *  @param fresh How many pods that started since are ready, and how many fail. */
export function isAsBefore(workload: Workload, fresh: FreshPods = { ready: 0, failing: 0 }): boolean {
  const start = readStart(workload);
  if (!start || workload.unavailable > start.unavailable) return false;
  const wasDown = start.unavailable >= workload.pods;
  if (fresh.failing > 0 && fresh.ready === 0 && !wasDown && !start.hasFailed) return false;
  return start.hasFailed || (workload.unavailable > 0 && fresh.failing <= start.unavailable);
}

/** The key of an address in `RolloutStart.served`. */
export function addressKey({ name, address }: Pick<ProbeResult, 'name' | 'address'>): string {
  return `${name} ${address ?? ''}`;
}
