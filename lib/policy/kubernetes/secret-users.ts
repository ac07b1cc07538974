// Decides who uses Secrets: for each pod the topmost owner that is known, and each template without pods.

import { type WorkloadKind, workloadKinds } from '../../certificate/rollout-spec.ts';
import type { ObjectOwner, OtherKind, OtherUser, SecretUses, Workload } from './objects.ts';

/** An object of any kind whose pods use Secrets. */
export interface SecretUser extends ObjectOwner, SecretUses {}

const groups: Readonly<Record<OtherKind, string>> = {
  ReplicationController: '',
  ReplicaSet: 'apps',
  CronJob: 'batch',
  Job: 'batch',
  Pod: '',
};

/** What Certrelay lists and restarts itself. */
const restarted = workloadKinds.map((kind) => `${kind}.${groupOf(kind)}`);

/** Kinds whose own template is listed, so that the templates of what they own do not count. */
const templated = [...restarted, ...Object.entries(groups).map(([kind, group]) => `${kind}.${group}`)];

/** What uses a Secret by itself, whatever a template of its owner says by now. */
const actual: readonly OtherKind[] = ['Pod', 'Job'];

/** Kinds that reports name without their API group. */
const wellKnown = [...templated, 'DeploymentConfig.apps.openshift.io'];

/** Deepest chain of owners that is followed: references may form a circle. */
const mostOwners = 8;

/** How reports name an object: `Job import`, or with its API group `Kafka.strimzi.io events`. */
export function nameUser({ group, kind, name }: ObjectOwner): string {
  const isShort = group === '' || wellKnown.includes(nameKind({ group, kind }));
  return isShort ? `${kind} ${name}` : `${kind}.${group} ${name}`;
}

/** The API group of a workload. */
function groupOf(kind: WorkloadKind): string {
  return kind === 'Rollout' ? 'argoproj.io' : 'apps';
}

/** A kind with its API group: `Job.batch`, `Pod.`. */
export function nameKind({ group, kind }: Pick<ObjectOwner, 'group' | 'kind'>): string {
  return `${kind}.${group}`;
}

/** Whoever uses Secrets of a namespace beside what `listWorkloads` has, each once: the topmost owners of
 *  pods, and templates that may make pods later. The templates of old revisions do not count.
 *  @param listed All objects of `otherKinds` in the namespace, and Jobs. */
export function findUsersOfPods(listed: readonly OtherUser[]): readonly SecretUser[] {
  const owners = indexOwners(listed);
  return mergeUses(
    listed
      .filter(({ kind, owner }) => actual.includes(kind) || !owner || !templated.includes(nameKind(owner)))
      .map((user) => ({ ...user, ...findTopmost(user, owners) })),
  );
}

/** Whoever uses Secrets and is not restarted by Certrelay, each once. A workload is among them only with
 *  Secrets that its pods use and no template of its own does: something adds them to the pods. Pods of a
 *  ReplicaSet that is not listed are left out, because a Deployment may own it.
 *  @param listed All objects of `otherKinds` in the namespace that could be listed.
 *  @param workloads All workloads of the namespace; no Rollouts if they could not be listed. */
export function findOtherUsers(
  listed: readonly OtherUser[],
  workloads: readonly Workload[],
): readonly SecretUser[] {
  const owners = indexOwners(listed);
  const own = new Map(
    workloads.map((workload) => [keyOf({ group: groupOf(workload.kind), ...workload }), workload]),
  );
  const users = listed.flatMap((user): readonly SecretUser[] => {
    if (user.kind !== 'Pod' && user.owner) return [];
    const topmost = findTopmost(user, owners);
    if (!isKnownByPods(topmost, own.get(keyOf(topmost))) && restarted.includes(nameKind(topmost))) {
      const revision = user.owner && owners.get(keyOf(user.owner));
      return findAdded(user, topmost, [own.get(keyOf(topmost)), revision]);
    }
    const isUnknown = nameKind(topmost) === 'ReplicaSet.apps' && !owners.has(keyOf(topmost));
    return isUnknown ? [] : [{ ...user, ...topmost }];
  });
  return mergeUses(users);
}

/** Whether it is a Rollout that is not listed, or whose pod template is in another object. */
function isKnownByPods({ kind }: ObjectOwner, workload: Workload | undefined): boolean {
  return kind === 'Rollout' && (workload === undefined || workload.container === '');
}

/** The workload with those Secrets of its pod that no template names. Nothing if the workload is not there:
 *  it has just been deleted or created. */
function findAdded(
  pod: SecretUses,
  topmost: ObjectOwner,
  [workload, revision]: readonly [Workload | undefined, OtherUser | undefined],
): readonly SecretUser[] {
  if (!workload) return [];
  const isAdded = (name: string) =>
    !workload.secrets.includes(name) && revision?.secrets.includes(name) !== true;
  const secrets = pod.secrets.filter(isAdded);
  return secrets.length === 0 ? [] : [{ ...topmost, secrets, fixed: pod.fixed.filter(isAdded) }];
}

/** Objects that may own pods, by their key. */
function indexOwners(listed: readonly OtherUser[]): ReadonlyMap<string, OtherUser> {
  const owners = listed.filter(({ kind }) => kind !== 'Pod');
  return new Map(owners.map((user) => [keyOf({ group: groups[user.kind], ...user }), user]));
}

function findTopmost(user: OtherUser, owners: ReadonlyMap<string, OtherUser>): ObjectOwner {
  let topmost: ObjectOwner = { group: groups[user.kind], kind: user.kind, name: user.name };
  let { owner } = user;
  for (let depth = 0; owner && depth < mostOwners; depth += 1) {
    topmost = owner;
    owner = owners.get(keyOf(owner))?.owner;
  }
  return topmost;
}

function mergeUses(users: readonly SecretUser[]): readonly SecretUser[] {
  return [...Map.groupBy(users, keyOf).values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const { group, kind, name } = first;
    const join = (read: (user: SecretUses) => readonly string[]) => [...new Set(same.flatMap(read))];
    return {
      group,
      kind,
      name,
      secrets: join(({ secrets }) => secrets),
      fixed: join(({ fixed }) => fixed),
      mentioned: join(({ mentioned = [] }) => mentioned),
    };
  });
}

function keyOf({ group, kind, name }: ObjectOwner): string {
  return `${group}/${kind}/${name}`;
}
