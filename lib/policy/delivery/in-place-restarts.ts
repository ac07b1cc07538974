// Restarts of Rollouts, whose pods Argo replaces by an instant in the specification and not by a changed
// template. What was restarted for which certificate is remembered on the Rollout itself.
import { nameWorkload, type RestartPatch, sinceAnnotation, type Workload } from '../kubernetes/objects.ts';

/** Whether all pods were told to restart after the Secret had the version.
 *  @param own Fingerprint of the certificate that Certrelay restarted it for last; absent: never.
 *  @param cause As `RestartCause`. */
export function judgeInPlace(
  workload: Workload,
  own: string | undefined,
  { fingerprint, appliedAt }: { readonly fingerprint: string; readonly appliedAt?: Date | undefined },
): 'set' | 'undone' | 'absent' {
  if (own === fingerprint) return isPutBack(workload) ? 'undone' : 'set';
  const { restartAt, isRestartPlanned = false } = workload;
  // A pod may be made in the same second before the Secret was.
  const isAfter =
    restartAt !== undefined && appliedAt !== undefined && toSecond(restartAt) > toSecond(appliedAt);
  return isAfter && !isRestartPlanned ? 'set' : 'absent';
}

/** Whether somebody has taken away or moved back what Certrelay wrote last. */
export function isPutBack({ restartAt, rolloutSince }: Workload): boolean {
  return restartAt === undefined || (rolloutSince !== undefined && restartAt < rolloutSince);
}

/** The patch that restarts all pods that are older than the second after `since`: Argo compares in seconds.
 *  @param own Annotations to set on the Rollout. */
export function inPlacePatch({ restartAt }: Workload, own: RestartPatch['own'], since: Date): RestartPatch {
  const next = new Date(Math.ceil(since.getTime() / 1000) * 1000);
  return {
    template: {},
    own: { ...own, [sinceAnnotation]: since.toISOString() },
    restartAt: restartAt && restartAt > next ? restartAt : next,
  };
}

/** Why a workload does not answer for a while as it restarts; `undefined` if it always does. */
export function describeGap(workload: Workload): string | undefined {
  if (!workload.hasGapOnRestart) return undefined;
  const name = nameWorkload(workload);
  if (workload.kind !== 'Rollout')
    return `${name} has strategy Recreate: it does not answer while it restarts`;
  const pods = workload.pods === 1 ? 'its only pod' : 'all its pods at once';
  return `${name} does not answer while it restarts: Argo Rollouts evicts ${pods} before others are there`;
}

function toSecond(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}
