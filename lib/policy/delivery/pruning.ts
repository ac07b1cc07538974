// Decides which Kubernetes Secrets of ours no longer have a target, and which of them may be deleted.
import { isSecretTarget, type SecretTarget, type TargetSpec } from '../../certificate/spec.ts';
import { nameSome } from '../bounds.ts';
import {
  type ClusterSecret,
  certificateAnnotation,
  type ListedSecret,
  managedByLabel,
  nameWorkload,
  pruneAnnotation,
  type SecretPrecondition,
  type SecretUses,
  versionAnnotation,
  type Workload,
} from '../kubernetes/objects.ts';
import { nameUser, type SecretUser } from '../kubernetes/secret-users.ts';
import { nameObject, namesSecret, type TlsObject } from '../kubernetes/tls-objects.ts';
import { nameTarget } from './secret-plan.ts';

/** What is known for certain of one certificate: all its targets, and its versions that are in use. */
export interface KnownTargets {
  readonly targets: readonly TargetSpec[];
  /** Targets that it no longer has: their namespaces are looked at. */
  readonly former?: readonly TargetSpec[];
  readonly versions: readonly string[];
}

/** What is to happen with one Secret that no target names, or why nothing is known of a whole cluster or
 *  namespace. It contains no value of a Secret. `certificate` is absent if it is about a cluster or a
 *  namespace; `target` is `cluster/namespace/secret`, or then `cluster` or `cluster/namespace`. */
export type PrunePlan = PruneDecision & {
  readonly certificate?: string | undefined;
  readonly target: string;
};

/** `delete`: nothing uses the Secret; `remark` says what was not looked at. `keep`: something uses it, it is
 *  a copy, or an annotation keeps it; `message` says what to do. `unseen`: some of what may use it could not
 *  be listed, which is no failure; `message` names the missing right. `unknown`: it could not be found out,
 *  and `error` says why. The next pass tries the last two again. */
type PruneDecision =
  | { readonly action: 'delete'; readonly orphan: OrphanedSecret; readonly remark?: string }
  | { readonly action: 'keep'; readonly because: 'used' | 'copied' | 'protected'; readonly message: string }
  | { readonly action: 'unseen'; readonly message: string }
  | { readonly action: 'unknown'; readonly error: Error };

/** A Secret to delete, if it is still as it was when the plan was made. */
export interface OrphanedSecret {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly over: SecretPrecondition;
}

/** The Secrets of a namespace that have our label, a known certificate and a version in use, but no target. A
 *  version that is not in use may be another installation's, with a certificate of the same name: such a
 *  Secret stays. A Secret whose certificate could not be read stays too. Copies by others are included; see
 *  `isAppliedByUs`.
 *  @param listed All Secrets of the namespace.
 *  @param known By name of the certificate. */
export function findOrphanedSecrets(
  { cluster, namespace }: SecretPlace,
  listed: readonly ListedSecret[],
  known: ReadonlyMap<string, KnownTargets>,
): readonly ListedSecret[] {
  const targeted = new Set(
    [...known.values()].flatMap(({ targets }) => targets.filter(isSecretTarget).map(nameTarget)),
  );
  return listed.filter(({ name, secret: { labels, annotations } }) => {
    const certificate = known.get(annotations[certificateAnnotation] ?? '');
    const isOurs =
      labels[managedByLabel.name] === managedByLabel.value &&
      certificate?.versions.includes(annotations[versionAnnotation] ?? '') === true;
    return isOurs && !targeted.has(nameTarget({ cluster, namespace, secret: name }));
  });
}

/** A namespace of a cluster. */
type SecretPlace = Pick<SecretTarget, 'cluster' | 'namespace'>;

/** Data keys that some format writes. */
const certificateKeys = [
  'tls.crt',
  'tls.key',
  'tls.pem',
  'tls-combined.pem',
  'proxycert',
  'proxykey',
  'keystore.p12',
];

/** Whether Certrelay applied the Secret itself: its entry in managedFields (manager `certrelay`, operation
 *  Apply) has the label, the annotations and every certificate key. A copy by a replicator, a person or a
 *  backup has no such entry, and somebody else's certificate in it is not in the entry. */
export function isAppliedByUs({ owned, data }: ClusterSecret): boolean {
  return (
    owned.labels.includes(managedByLabel.name) &&
    [certificateAnnotation, versionAnnotation].every((name) => owned.annotations.includes(name)) &&
    owned.data.some((name) => Object.hasOwn(data, name)) &&
    certificateKeys.every((name) => !Object.hasOwn(data, name) || owned.data.includes(name))
  );
}

/** Objects that may use the Secrets of one namespace. */
export interface PossibleUsers {
  readonly workloads: readonly Workload[];
  /** As `findUsersOfPods` finds them. */
  readonly others: readonly SecretUser[];
  /** Of this namespace, and of others that can refer to its Secrets. */
  readonly objects: readonly TlsObject[];
  /** Why ListenerSets could not be listed, if they could not. Versions before did not need that right, so
   *  it is no failure, but no Secret is known to be unused. */
  readonly unseen?: string | undefined;
  /** Why Jobs could not be listed, if they could not. Versions before did not look at them, and what has a
   *  pod is seen all the same: a Secret is deleted, and the report says it. */
  readonly unseenJobs?: string | undefined;
}

/** Plans what happens to one of `findOrphanedSecrets`.
 *  @param users What may use Secrets of the namespace, or why that could not be listed: then no Secret is
 *  known to be unused. */
export function planOrphan(
  from: SecretPlace,
  { name, secret }: ListedSecret,
  users: PossibleUsers | Error,
): PrunePlan {
  const certificate = secret.annotations[certificateAnnotation];
  const subject = { certificate, target: nameTarget({ ...from, secret: name }) };
  if (!isAppliedByUs(secret)) {
    const message = `no target names this Secret. Its label and annotations say that it contains ${certificate}, but its managedFields show that Certrelay did not write it: it is a copy, or was restored from a backup. Delete it yourself if nothing needs it`;
    return { ...subject, action: 'keep', because: 'copied', message };
  }
  if (secret.annotations[pruneAnnotation] === 'false') {
    const message = `no target names this Secret, and its annotation ${pruneAnnotation}: "false" keeps it; take that away to let it go`;
    return { ...subject, action: 'keep', because: 'protected', message };
  }
  if (users instanceof Error) return { ...subject, action: 'unknown', error: users };
  const names = findUsers({ ...from, secret: name }, users);
  if (names.length > 0) {
    const message = `no target names this Secret, but ${nameSome(names)} still ${names.length === 1 ? 'uses' : 'use'} it; use another Secret there, or add a target for this one again`;
    return { ...subject, action: 'keep', because: 'used', message };
  }
  if (users.unseen) {
    const message = `not deleted, because a ListenerSet may use it: ${users.unseen}`;
    return { ...subject, action: 'unseen', message };
  }
  const { uid, resourceVersion, annotations } = secret;
  const remark = `Jobs without a pod were not looked at: ${users.unseenJobs}`;
  return {
    ...subject,
    action: 'delete',
    orphan: { ...from, name, over: { uid, resourceVersion, annotations } },
    ...(users.unseenJobs === undefined ? {} : { remark }),
  };
}

/** Names of the objects that use the Secret for anything, each once, for a report: `Deployment web`,
 *  `Ingress shop/web in cluster lab`. */
function findUsers(
  { cluster, namespace, secret }: Pick<SecretTarget, 'cluster' | 'namespace' | 'secret'>,
  { workloads, others, objects }: PossibleUsers,
): readonly string[] {
  const uses = ({ secrets, mentioned = [] }: SecretUses) =>
    secrets.includes(secret) || mentioned.includes(secret);
  const names = [
    ...workloads.filter(uses).map(nameWorkload),
    ...others.filter(uses).map(nameUser),
    ...objects
      .filter((object) => namesSecret(object, namespace, secret))
      .map((object) => nameObject(cluster, object)),
  ];
  return [...new Set(names)];
}
