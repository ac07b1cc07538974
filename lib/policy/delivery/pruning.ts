// Decides which Kubernetes Secrets of ours no longer have a target, and what still uses them.
import { isSecretTarget, type SecretTarget, type TargetSpec } from '../../certificate/spec.ts';
import {
  type ClusterSecret,
  certificateAnnotation,
  type ListedSecret,
  managedByLabel,
  nameWorkload,
  type OtherUser,
  versionAnnotation,
  type Workload,
} from '../kubernetes/objects.ts';
import { nameObject, type TlsObject } from '../kubernetes/tls-objects.ts';
import { nameTarget } from './secret-plan.ts';

/** What is known for certain of one certificate: all its targets, and its versions that are in use. */
export interface KnownTargets {
  readonly targets: readonly TargetSpec[];
  readonly versions: readonly string[];
}

/** The Secrets of a namespace that have our label, a known certificate and a version in use, but no target. A
 *  version that is not in use may be another installation's, with a certificate of the same name: such a
 *  Secret stays. A Secret whose certificate could not be read stays too. Copies by others are included; see
 *  `isAppliedByUs`.
 *  @param listed All Secrets of the namespace.
 *  @param known By name of the certificate. */
export function findOrphanedSecrets(
  { cluster, namespace }: { readonly cluster: string; readonly namespace: string },
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
  readonly workloads: readonly Pick<Workload | OtherUser, 'kind' | 'name' | 'secrets'>[];
  /** Of this namespace, and of others that can refer to its Secrets. */
  readonly objects: readonly TlsObject[];
}

/** Names of the objects that use the Secret, for a report: `Deployment web`, `Ingress shop/web in cluster
 *  lab`. */
export function findUsers(
  { cluster, namespace, secret }: Pick<SecretTarget, 'cluster' | 'namespace' | 'secret'>,
  { workloads, objects }: PossibleUsers,
): readonly string[] {
  return [
    ...workloads.filter(({ secrets }) => secrets.includes(secret)).map(nameWorkload),
    ...objects
      .filter((object) =>
        object.tls.some((use) => use.secret === secret && (use.namespace ?? object.namespace) === namespace),
      )
      .map((object) => nameObject(cluster, object)),
  ];
}
