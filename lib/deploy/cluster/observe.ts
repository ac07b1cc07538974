// Observes one target in a cluster and plans it. Reads only.
import { judgeFrozen } from '../../policy/delivery/freeze.ts';
import { nameTarget } from '../../policy/delivery/secret-plan.ts';
import {
  type ClusterSecret,
  notAfterAnnotation,
  versionAnnotation,
} from '../../policy/kubernetes/objects.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import { readPassword } from '../../ports/passwords.ts';
import type { Freeze } from '../../state/delivery.ts';
import type { Job, LastGood } from '../invocation.ts';
import {
  decideReturn,
  decideSecret,
  leaveAsIs,
  type SecretDecision,
  type SecretObservation,
} from '../plan/secret-decision.ts';
import {
  kindsOf,
  needsPods,
  needsWorkloads,
  planTarget,
  type TargetPlan,
  type WorkloadObservation,
} from '../plan/target-plan.ts';
import type { ClusterContext } from './context.ts';

/** Observes the target and plans what its Secret gets and which workloads restart.
 *  @throws StoreError if a keystore's password or the previous version cannot be read; ClusterError if the
 *  Secret cannot be read. */
export async function observeAndPlan(job: Job, context: ClusterContext): Promise<TargetPlan> {
  const { ports, invocation, secrets } = context;
  const at = ports.clock.now();
  const found = (await secrets.find(job.target)) ?? (await readSecret(job, context));
  const { freeze, phase } = job;
  const isBack = freeze && judgeFrozen(freeze, nameTarget(job.target), phase !== 'none') === 'back';
  const lastGood = isBack ? await findLastGood(job, { isSeen: false }, context) : undefined;
  const left = leaveAsIs(job, { at, found, lastGood }, ports.clock.now());
  if (left) return { kind: 'leave', job, result: left };
  const password = await readPassword(job.target, ports.readText, invocation.signal);
  const supersededBy = await findSuccessor(job, found, context);
  const seen = { at, found, password, lastGood, supersededBy };
  return plan(job, decideSecret(job, seen, ports.clock.now()), context);
}

/** As `observeAndPlan`, for a target whose version was just seen to fail, or that goes back again. */
export async function planReturnTo(
  job: Job,
  freeze: Freeze,
  lastGood: LastGood,
  context: ClusterContext,
): Promise<TargetPlan> {
  const { ports, invocation } = context;
  const password = await readPassword(job.target, ports.readText, invocation.signal);
  const at = ports.clock.now();
  const found = await readSecret(job, context);
  const supersededBy = await findSuccessor(job, found, context);
  const seen: SecretObservation = { at, found, password, lastGood, supersededBy };
  return plan(job, decideReturn(job, freeze, seen), context);
}

/** The version that one target may go back to, or why it may not.
 *  @param options `isSeen`: this invocation has seen the job's version fail at the target.
 *  @throws StoreError if the store cannot be read; ClusterError if the cluster cannot be asked. */
export async function findLastGood(
  job: Job,
  { isSeen }: { readonly isSeen: boolean },
  { cluster, loadLastGood, ports, invocation }: ClusterContext,
): Promise<LastGood> {
  const lastGood = await loadLastGood(job);
  if ('refusal' in lastGood) return lastGood;
  const question = { target: job.target, delivery: lastGood.delivery, isSeen };
  const error = await ports.judgeRollback?.(question, cluster, invocation.signal);
  return error ? { refusal: error.message, error } : lastGood;
}

async function plan(job: Job, decision: SecretDecision, context: ClusterContext): Promise<TargetPlan> {
  const isNeeded = needsWorkloads(job, decision);
  const seen = isNeeded ? await observeWorkloads(job, decision, context) : { workloads: [], others: [] };
  const now = context.ports.clock.now();
  const planned = planTarget(job, decision, seen, now);
  if (!needsPods(planned)) return planned;
  const pods = await context.lists.pods(job.target.namespace).catch(toError);
  return planTarget(job, decision, { ...seen, pods }, now);
}

/** The workloads of the target's namespace that may restart, and other objects that may use its Secret. */
async function observeWorkloads(
  job: Job,
  { kind }: SecretDecision,
  { lists }: ClusterContext,
): Promise<WorkloadObservation> {
  const { namespace } = job.target;
  const kinds = kindsOf(job);
  try {
    // What goes back has just been changed.
    if (kind === 'return') return { workloads: await lists.renew(namespace, kinds), others: [] };
    const [workloads, others] = await Promise.all([
      lists.get(namespace, kinds),
      kinds ? [] : lists.others(namespace),
    ]);
    return { workloads, others };
  } catch (error) {
    if (error instanceof ClusterError) return { workloads: error, others: [] };
    throw error;
  }
}

function readSecret(
  { target }: Job,
  { cluster, invocation }: ClusterContext,
): Promise<ClusterSecret | undefined> {
  return cluster.readSecret(target.namespace, target.secret, invocation.signal);
}

/** The current version, if it is no longer the job's: a faster invocation may have applied it. Asks the store
 *  only if the Secret's annotations name a certificate that expires later. */
async function findSuccessor(
  { delivery }: Job,
  found: ClusterSecret | undefined,
  { ports, invocation }: ClusterContext,
): Promise<string | undefined> {
  const { certificate, version, notAfter } = delivery;
  if (!found || found.annotations[versionAnnotation] === version) return undefined;
  if (!(new Date(found.annotations[notAfterAnnotation] ?? '') > notAfter)) return undefined;
  const current = (await ports.store.describe(certificate, invocation.signal))?.current;
  return current === version ? undefined : current;
}
