// Decides which workloads of a target restart, and marks each only once for a certificate.
import { createHash } from 'node:crypto';
import type { WorkloadReference } from '../../certificate/rollout-spec.ts';
import type { SecretTarget } from '../../certificate/spec.ts';
import { listSome } from '../bounds.ts';
import { nameWorkload, type RestartMark, type SecretUses, type Workload } from '../kubernetes/objects.ts';
import { nameKind, nameUser, type SecretUser } from '../kubernetes/secret-users.ts';

/** What to do with one workload.
 *  `restart`: put the mark on its pod template. `await`: the mark is there already; wait for its rollout.
 *  `leave`: its annotation forbids a restart. `missing`: the inventory lists it, and the namespace has no
 *  such workload. */
export type RestartPlan =
  | {
      readonly action: 'restart';
      readonly workload: Workload;
      readonly mark: RestartMark;
      readonly warning?: string;
    }
  | { readonly action: 'await' | 'leave'; readonly workload: Workload }
  | { readonly action: 'missing'; readonly workload: WorkloadReference };

/** Plans the restarts of one target, in the given order.
 *  `restart: auto` takes the workloads that use the Secret; `needed` only those whose running pods do not see
 *  new values; a list takes just the listed ones; `none` takes none.
 *  @param fingerprint SHA-256 of the leaf's DER, hex: the value of the mark.
 *  @param workloads All workloads of the target's namespace. */
export function planRestarts(
  target: SecretTarget,
  fingerprint: string,
  workloads: readonly Workload[],
): readonly RestartPlan[] {
  const { restart } = target;
  if (restart === 'none') return [];
  if (restart === 'auto' || restart === 'needed') {
    return workloads
      .filter((workload) => isConcerned(workload, target))
      .map((workload) => planRestart(target, fingerprint, workload));
  }
  return restart.map((reference) => {
    const found = workloads.find(({ kind, name }) => kind === reference.kind && name === reference.name);
    return found
      ? planRestart(target, fingerprint, found)
      : { action: 'missing', workload: { kind: reference.kind, name: reference.name } };
  });
}

/** Name of the pod template's annotation whose value is the fingerprint of the certificate in the Secret.
 *  Each Secret has its own, so two certificates in one workload do not overwrite each other's. Kubernetes
 *  allows 63 characters after the slash: a longer name is cut, and ends in a hash of the whole. */
export function fingerprintAnnotation(secret: string): string {
  const hash = createHash('sha256').update(secret).digest('hex').slice(0, 10);
  const name = secret.length <= 51 ? secret : `${secret.slice(0, 40)}-${hash}`;
  return `certrelay.dev/fingerprint-${name}`;
}

/** Plans the restarts of a rollback: only workloads that have the mark of the failed certificate restart,
 *  with the mark of the previous one. Workloads with the previous one's mark are awaited.
 *  @param fingerprint Of the certificate that is rolled back.
 *  @param before Fingerprint of the previous certificate. */
export function planRollbackRestarts(
  target: SecretTarget,
  fingerprint: string,
  before: string,
  workloads: readonly Workload[],
): readonly RestartPlan[] {
  return planRestarts(target, before, workloads).filter(
    (plan) =>
      plan.action === 'await' ||
      (plan.action === 'restart' && readMark(target, plan.workload) === fingerprint),
  );
}

/** One sentence for each object that uses the target's Secret and that Certrelay does not restart, with what
 *  to do; 20 at most, then their number. */
export function describeOtherUsers(target: SecretTarget, others: readonly SecretUser[]): readonly string[] {
  const concerned = others.filter((other) => isConcerned(other, target));
  const sentences = concerned.map((other) => `${nameUser(other)} uses it too: ${advise(other)}`);
  return listSome(sentences, mostOthers);
}

/** Anybody who may create pods may name any number of owners. */
const mostOthers = 20;

const added =
  'its pods do, its pod template does not, so it is not restarted; if something adds the Secret to its pods, list it in the "restart" of the target';

/** What to do about each kind, with its API group. */
const advice: Readonly<Record<string, string>> = {
  'ReplicationController.': 'it cannot be rolled; convert it to a Deployment',
  'ReplicaSet.apps': 'no Deployment owns it; make it a Deployment, or delete its pods one by one',
  'CronJob.batch': 'its next run uses the new certificate',
  'Job.batch': 'its pods may keep the old certificate until they end',
  'Pod.': 'no workload recreates it; delete it and create it again',
  'Rollout.argoproj.io': 'Argo Rollouts rolls it; run "kubectl argo rollouts restart" for it',
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

function readMark(
  { restartStrategy, secret }: SecretTarget,
  { refresh, annotations }: Workload,
): string | undefined {
  return restartStrategy === 'env' ? refresh : annotations[fingerprintAnnotation(secret)];
}

function planRestart(target: SecretTarget, fingerprint: string, workload: Workload): RestartPlan {
  const mark: RestartMark =
    target.restartStrategy === 'env'
      ? { kind: 'env', container: workload.container, value: fingerprint }
      : { kind: 'annotation', key: fingerprintAnnotation(target.secret), value: fingerprint };
  if (readMark(target, workload) === fingerprint) return { action: 'await', workload };
  if (workload.refusesRestart) return { action: 'leave', workload };
  if (!workload.hasGapOnRestart) return { action: 'restart', workload, mark };
  const warning = `${nameWorkload(workload)} has strategy Recreate: it does not answer while it restarts`;
  return { action: 'restart', workload, mark, warning };
}
