// Decides which workloads of a target are to restart, and how each is marked so that the same certificate marks it once.
import { createHash } from 'node:crypto';
import type { SecretTarget, WorkloadReference } from '../../certificate/spec.ts';
import {
  nameWorkload,
  type OtherKind,
  type OtherUser,
  type RestartMark,
  type SecretUses,
  type Workload,
} from '../kubernetes/objects.ts';

/** What to do about one workload: mark it, wait for the rollout of a mark that is there already, leave it alone because it
 *  says so, or say that it does not exist. */
export type RestartPlan =
  | {
      readonly action: 'restart';
      readonly workload: Workload;
      readonly mark: RestartMark;
      readonly warning?: string;
    }
  | { readonly action: 'await' | 'leave'; readonly workload: Workload }
  | { readonly action: 'missing'; readonly workload: WorkloadReference };

/** Judges the workloads of the target's namespace: with `restart: auto` those that use the Secret, with `needed` those of
 *  them that do not see new values by themselves, else the listed ones; in the order given. */
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

/** Annotation of a pod template that holds the fingerprint of the certificate in one Secret: one annotation per Secret, so
 *  that two certificates in one workload do not undo each other's. A Secret's name that is too long for it (the
 *  part after the slash has 63 characters) is cut and told apart by its hash. */
export function fingerprintAnnotation(secret: string): string {
  const hash = createHash('sha256').update(secret).digest('hex').slice(0, 10);
  const name = secret.length <= 51 ? secret : `${secret.slice(0, 40)}-${hash}`;
  return `certrelay.dev/fingerprint-${name}`;
}

/** Takes a certificate back: the workloads that were marked with it are marked with the one before, and those that it had
 *  not reached stay as they are.
 *  @param fingerprint Of the one that is taken back. */
export function planReturns(
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

/** What to say of the objects that use a target's Secret and that Certrelay does not restart: one sentence for each. */
export function adviseOthers(target: SecretTarget, others: readonly OtherUser[]): readonly string[] {
  return others
    .filter((other) => isConcerned(other, target))
    .map((other) => `${nameWorkload(other)} uses it too: ${advice[other.kind]}`);
}

const advice: Readonly<Record<OtherKind, string>> = {
  ReplicationController: 'it cannot be rolled; convert it to a Deployment',
  ReplicaSet: 'no Deployment rolls it; make it one, or delete its pods one by one',
  CronJob: 'its next run takes the new certificate',
  Pod: 'no workload makes it again; delete it and create it anew',
  Rollout: 'Argo Rollouts rolls it; run "kubectl argo rollouts restart" for it',
};

/** Whether it uses the Secret in a way that the target wants restarted. */
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
