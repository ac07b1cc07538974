// Decides which workloads of a target restart, and marks each only once for a certificate.
import type { WorkloadReference } from '../../certificate/rollout-spec.ts';
import type { SecretTarget } from '../../certificate/spec.ts';
import { listSome } from '../bounds.ts';
import type { SecretUses, Workload } from '../kubernetes/objects.ts';
import { nameKind, nameUser, type SecretUser } from '../kubernetes/secret-users.ts';
import { describeGap } from './in-place-restarts.ts';
import {
  isRestartedFor,
  isTakenBackTo,
  judgeMark,
  markOf,
  markOn,
  type RestartCause,
  type RestartMark,
} from './restart-marks.ts';

/** What to do with one workload.
 *  `restart`: put the mark on its pod template. `await`: the mark is there already; wait for its rollout.
 *  `undone`: the mark was there, and somebody put the template before back; only a person can help.
 *  `leave`: its annotation forbids a restart, or somebody has planned one. `missing`: the inventory lists it,
 *  and the namespace has no such workload. */
export type RestartPlan =
  | {
      readonly action: 'restart';
      readonly workload: Workload;
      readonly mark: RestartMark;
      readonly warning?: string;
    }
  | { readonly action: 'await'; readonly workload: Workload; readonly mark?: RestartMark | undefined }
  | { readonly action: 'undone' | 'leave'; readonly workload: Workload }
  | { readonly action: 'missing'; readonly workload: WorkloadReference };

/** Plans the restarts of one target, in the given order.
 *  `restart: auto` takes the workloads that use the Secret; `needed` only those whose running pods do not see
 *  new values; a list takes just the listed ones; `none` takes none.
 *  @param workloads All workloads of the target's namespace. */
export function planRestarts(
  target: SecretTarget,
  cause: RestartCause,
  workloads: readonly Workload[],
): readonly RestartPlan[] {
  const { restart } = target;
  if (restart === 'none') return [];
  if (restart === 'auto' || restart === 'needed') {
    return workloads
      .filter((workload) => isConcerned(workload, target))
      .map((workload) => planRestart(target, cause, workload));
  }
  return restart.map((reference) => {
    const found = workloads.find(({ kind, name }) => kind === reference.kind && name === reference.name);
    return found
      ? planRestart(target, cause, found)
      : { action: 'missing', workload: { kind: reference.kind, name: reference.name } };
  });
}

/** Plans the restarts of a rollback: only workloads that have the mark of the failed certificate restart.
 *  Those that were taken back already are awaited.
 *  @param failed Fingerprint of the certificate that is rolled back.
 *  @param before The version that comes back. */
export function planRollbackRestarts(
  target: SecretTarget,
  failed: string,
  before: RestartCause,
  workloads: readonly Workload[],
): readonly RestartPlan[] {
  return planRestarts(target, before, workloads).flatMap((plan): readonly RestartPlan[] => {
    if (plan.action === 'await') return [plan];
    if (plan.action === 'missing' || plan.action === 'leave') return [];
    const { workload } = plan;
    // What came back may have no mark: it had none before the failed one.
    if (isTakenBackTo(target, before.fingerprint, workload)) return [{ action: 'await', workload }];
    const mark = markOf(target, before, workload);
    return isRestartedFor(target, failed, workload) ? [{ action: 'restart', workload, mark }] : [];
  });
}

/** One sentence for each object that uses the target's Secret and that Certrelay does not restart, with what
 *  to do; 20 at most, then their number. */
export function describeOtherUsers(target: SecretTarget, others: readonly SecretUser[]): readonly string[] {
  const concerned = others.filter((other) => isConcerned(other, target));
  const sentences = concerned.map((other) => `${nameUser(other)} uses it too: ${advise(other)}`);
  return listSome(sentences, mostOthers);
}

/** One sentence, in the same words, for a Rollout that Certrelay may not restart; `undefined` if that is a
 *  failure: it is no Rollout, or the target names it. */
export function describeForbidden(
  { restart, rollout }: SecretTarget,
  { kind, name }: Workload,
): string | undefined {
  const isCanary = rollout?.canary?.kind === kind && rollout.canary.name === name;
  if (kind !== 'Rollout' || isCanary || typeof restart !== 'string') return undefined;
  return `Rollout ${name} uses it too: ${argoAdvice}, or bind the role certrelay-rollouts, with which Certrelay does`;
}

/** Anybody who may create pods may name any number of owners. */
const mostOthers = 20;

const argoAdvice = 'Argo Rollouts rolls it; run "kubectl argo rollouts restart" for it';

const added =
  'its pods do, its pod template does not, so it is not restarted; if something adds the Secret to its pods, list it in the "restart" of the target';

/** What to do about each kind, with its API group. */
const advice: Readonly<Record<string, string>> = {
  'ReplicationController.': 'it cannot be rolled; convert it to a Deployment',
  'ReplicaSet.apps': 'no Deployment owns it; make it a Deployment, or delete its pods one by one',
  'CronJob.batch': 'its next run uses the new certificate',
  'Job.batch': 'its pods may keep the old certificate until they end',
  'Pod.': 'no workload recreates it; delete it and create it again',
  'Rollout.argoproj.io': `${argoAdvice}, or list it in the "restart" of the target`,
  'DeploymentConfig.apps.openshift.io':
    'Certrelay does not restart it; run "oc rollout latest" for it, or convert it to a Deployment',
  'Deployment.apps': added,
  'StatefulSet.apps': added,
  'DaemonSet.apps': added,
};

function advise(other: SecretUser): string {
  const known = advice[nameKind(other)];
  return known ?? 'Certrelay does not restart this kind; restart it with its own tool';
}

/** Whether it uses the target's Secret; for `restart: needed`, whether its pods also do not see new
 *  values. */
function isConcerned(user: SecretUses, { restart, secret }: SecretTarget): boolean {
  return (restart === 'needed' ? user.fixed : user.secrets).includes(secret);
}

function planRestart(target: SecretTarget, cause: RestartCause, workload: Workload): RestartPlan {
  const state = judgeMark(target, cause, workload);
  if (state === 'set') return { action: 'await', workload, mark: markOn(target, cause, workload) };
  if (workload.refusesRestart || workload.isRestartPlanned) return { action: 'leave', workload };
  if (state === 'undone') return { action: 'undone', workload };
  const mark = markOf(target, cause, workload);
  const warning = describeGap(workload);
  return { action: 'restart', workload, mark, ...(warning === undefined ? {} : { warning }) };
}
