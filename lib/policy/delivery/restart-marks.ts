// The marks that restart workloads: what they look like, and whether one is there.
import { createHash } from 'node:crypto';
import type { SecretTarget } from '../../certificate/spec.ts';
import { restartedAtAnnotation, type Workload } from '../kubernetes/objects.ts';
import { isPutBack, judgeInPlace } from './in-place-restarts.ts';
import { readStart } from './rollout-start.ts';

/** What a restart is for: one version of a certificate in one Secret. */
export interface RestartCause {
  /** SHA-256 of the leaf's DER, hex: the value of the mark. */
  readonly fingerprint: string;
  /** When the version was stored; absent: unknown. */
  readonly createdAt?: Date | undefined;
  /** When the Secret got what it contains; absent: it does not have the version yet, or that is unknown. */
  readonly appliedAt?: Date | undefined;
  /** Whether an earlier invocation has restarted workloads for this version. */
  readonly isResumed: boolean;
}

/** A mark to set: `key` is an annotation of the pod template, or ployst's variable in a container. */
export type RestartMark = (
  | { readonly kind: 'annotation'; readonly key: string }
  | { readonly kind: 'env'; readonly key: string; readonly container: string }
) & {
  readonly value: string;
  /** When the version was stored. */
  readonly createdAt?: Date | undefined;
};

/** Name of the pod template's annotation whose value is the fingerprint of the certificate in the Secret.
 *  Each Secret has its own, so two certificates in one workload do not overwrite each other's. Kubernetes
 *  allows 63 characters after the slash: a longer name is cut, and ends in a hash of the whole. */
export function fingerprintAnnotation(secret: string): string {
  const hash = createHash('sha256').update(secret).digest('hex').slice(0, 10);
  const name = secret.length <= 51 ? secret : `${secret.slice(0, 40)}-${hash}`;
  return `${markPrefix}${name}`;
}

const markPrefix = 'certrelay.dev/fingerprint-';

/** The mark that the target's workload gets. */
export function markOf(
  { restartStrategy, secret }: SecretTarget,
  { fingerprint: value, createdAt }: RestartCause,
  { kind, container }: Workload,
): RestartMark {
  const key = fingerprintAnnotation(secret);
  return restartStrategy === 'env' && kind !== 'Rollout'
    ? { kind: 'env', key, container, value, createdAt }
    : { kind: 'annotation', key, value, createdAt };
}

/** A mark that restarts a workload again for the same certificate, because its pods started while others had
 *  changed the Secret. `readMark` reads both alike. The same for each invocation.
 *  @param wrongSince When the Secret began to be wrong. */
export function repairMark(
  target: SecretTarget,
  cause: RestartCause,
  workload: Workload,
  wrongSince: Date,
): RestartMark {
  const mark = markOf(target, cause, workload);
  return {
    ...mark,
    value: `${mark.value}${repairSign}${toSeconds(wrongSince) / 1000}`,
    createdAt: wrongSince,
  };
}

/** Between the fingerprint and the second since when the Secret was wrong. */
const repairSign = '.';

/** The fingerprint in the target's mark on the workload; `undefined` if it has none. */
export function readMark({ restartStrategy, secret }: SecretTarget, workload: Workload): string | undefined {
  const { refresh, annotations, kind } = workload;
  if (kind === 'Rollout') return readOwnMark(fingerprintAnnotation(secret), workload);
  const value = restartStrategy === 'env' ? refresh : annotations[fingerprintAnnotation(secret)];
  return value?.split(repairSign)[0];
}

/** Whether two values of marks are for one version, a repair's as well. */
export function isSameVersion(one: string, other: string): boolean {
  return one.split(repairSign)[0] === other.split(repairSign)[0];
}

/** The mark of the version that the workload has, a repair's as well; `undefined` if it has another or
 *  none. */
export function markOn(
  target: SecretTarget,
  cause: RestartCause,
  workload: Workload,
): RestartMark | undefined {
  const mark = markOf(target, cause, workload);
  const { kind, refresh, annotations, ownAnnotations } = workload;
  const marked = kind === 'Rollout' ? ownAnnotations : annotations;
  const value = mark.kind === 'env' ? refresh : marked[mark.key];
  const isOn = value !== undefined && readMark(target, workload) === cause.fingerprint;
  return isOn ? { ...mark, value } : undefined;
}

/** Whether a workload has the mark. `set`: yes, or somebody took it away and its pods were restarted for the
 *  version all the same. `undone`: Certrelay set it, and somebody put the template before back: when its pods
 *  started tells what they have. */
export function judgeMark(
  target: SecretTarget,
  cause: RestartCause,
  workload: Workload,
): 'set' | 'undone' | 'absent' {
  const value = readMark(target, workload);
  const key = fingerprintAnnotation(target.secret);
  if (workload.kind === 'Rollout') {
    const isBack = isTakenBackTo(target, cause.fingerprint, workload);
    return judgeInPlace(workload, isBack ? cause.fingerprint : value, cause);
  }
  if (value === cause.fingerprint) return 'set';
  const isOurs = readOwnMark(key, workload) === cause.fingerprint;
  if (isOurs && isSharedMark(markOf(target, cause, workload), workload)) return 'set';
  if (!isOurs && value !== undefined) return 'absent';
  const shown = judgeRestart(workload, cause);
  if (shown === 'after') return 'set';
  if (isOurs) return shown !== 'before' && isMoved(workload, key) ? 'set' : 'undone';
  // Whoever leaves no annotation of ours may have left the restart; else it is another certificate's.
  if (shown === 'same') return hasOwnMarks(workload) ? 'absent' : 'set';
  return shown === 'between' && cause.isResumed ? 'undone' : 'absent';
}

/** Whether ployst's variable, which is one for all certificates of a workload, was set for another one since
 *  the mark was. */
function isSharedMark({ kind, key }: RestartMark, workload: Workload): boolean {
  const value = workload.refresh;
  return kind === 'env' && value !== undefined && value !== readStart(workload)?.former[key]?.mark;
}

/** Whether `kubectl.kubernetes.io/restartedAt` is another than before the mark was set. */
function isMoved(workload: Workload, key: string): boolean {
  const former = readStart(workload)?.former[key]?.restartedAt;
  return former !== (workload.annotations[restartedAtAnnotation] ?? null);
}

function hasOwnMarks({ ownAnnotations }: Workload): boolean {
  return Object.keys(ownAnnotations).some((key) => key.startsWith(markPrefix));
}

/** Whether a workload was restarted for the certificate, by its template or by what Certrelay remembers on
 *  the workload itself. */
export function isRestartedFor(target: SecretTarget, fingerprint: string, workload: Workload): boolean {
  const remembered = readOwnMark(fingerprintAnnotation(target.secret), workload);
  return readMark(target, workload) === fingerprint || remembered === fingerprint;
}

/** Whether a workload was taken back to the certificate. */
export function isTakenBackTo(target: SecretTarget, fingerprint: string, workload: Workload): boolean {
  return workload.ownAnnotations[fingerprintAnnotation(target.secret)] === `${backSign}${fingerprint}`;
}

/** Before the fingerprint that a workload was taken back to, in its own annotation. */
export const backSign = 'back.';

/** The fingerprint that Certrelay remembers on the workload itself under the key; `undefined` if none. */
export function readOwnMark(key: string, { ownAnnotations }: Workload): string | undefined {
  return ownAnnotations[key]?.split(repairSign)[0];
}

/** Whether somebody took away a mark that was set, and every trace of the restart with it. */
export function isUndone(workload: Workload, mark: RestartMark): boolean {
  if (workload.kind === 'Rollout') return isPutBack(workload);
  const { annotations, refresh } = workload;
  const value = mark.kind === 'env' ? refresh : annotations[mark.key];
  if (value === mark.value || isSharedMark(mark, workload)) return false;
  const restartedAt = new Date(annotations[restartedAtAnnotation] ?? '').getTime();
  const isLater = mark.createdAt !== undefined && restartedAt >= toSeconds(mark.createdAt);
  return !(isLater && isMoved(workload, mark.key));
}

/** What `kubectl.kubernetes.io/restartedAt`, which operators keep, shows. `after`: a restart after the Secret
 *  had the version. `same`: the instant that a restart of ours for the version writes. `between`: a later
 *  one, before the Secret had the version. */
function judgeRestart(
  { annotations }: Workload,
  { createdAt, appliedAt }: RestartCause,
): 'after' | 'same' | 'between' | 'before' {
  const restartedAt = new Date(annotations[restartedAtAnnotation] ?? '').getTime();
  if (Number.isNaN(restartedAt)) return 'before';
  if (appliedAt && restartedAt >= toSeconds(appliedAt)) return 'after';
  if (!createdAt || restartedAt < toSeconds(createdAt)) return 'before';
  return restartedAt === toSeconds(createdAt) ? 'same' : 'between';
}

/** The instant cut to its second, as epoch milliseconds: Kubernetes writes whole seconds. */
export function toSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000) * 1000;
}
