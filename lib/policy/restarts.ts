// Decides which workloads of a target are to restart, and how each is marked so that the same certificate marks it once.
import { createHash } from 'node:crypto';
import type { TargetSpec, WorkloadReference } from '../certificate/spec.ts';
import { nameWorkload, type RestartMark, type Workload } from './cluster-objects.ts';

/** What to do about one workload: mark it, wait for the rollout of a mark that is there already, or say that it does
 *  not exist. */
export type RestartPlan =
  | {
      readonly action: 'restart';
      readonly workload: Workload;
      readonly mark: RestartMark;
      readonly warning?: string;
    }
  | { readonly action: 'await'; readonly workload: Workload }
  | { readonly action: 'missing'; readonly workload: WorkloadReference };

/** Judges the workloads of the target's namespace: with `restart: auto` those that use the Secret, else the listed ones,
 *  in the order given. */
export function planRestarts(
  target: TargetSpec,
  fingerprint: string,
  workloads: readonly Workload[],
): readonly RestartPlan[] {
  const { restart } = target;
  if (restart === 'none') return [];
  if (restart === 'auto') {
    return workloads
      .filter((workload) => workload.secrets.includes(target.secret))
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

function planRestart(target: TargetSpec, fingerprint: string, workload: Workload): RestartPlan {
  const mark: RestartMark =
    target.restartStrategy === 'env'
      ? { kind: 'env', container: workload.container, value: fingerprint }
      : { kind: 'annotation', key: fingerprintAnnotation(target.secret), value: fingerprint };
  const current = mark.kind === 'env' ? workload.refresh : workload.annotations[mark.key];
  if (current === fingerprint) return { action: 'await', workload };
  if (!workload.hasGapOnRestart) return { action: 'restart', workload, mark };
  const warning = `${nameWorkload(workload)} has strategy Recreate: it does not answer while it restarts`;
  return { action: 'restart', workload, mark, warning };
}
