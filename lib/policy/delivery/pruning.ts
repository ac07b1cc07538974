// Decides which cluster Secrets of ours have lost their target, and which of those nothing uses, so that they may go.
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
import { nameTarget } from './secret.ts';

/** What is sure of one certificate: all of its targets, and the versions of it that are in use. */
export interface KnownTargets {
  readonly targets: readonly TargetSpec[];
  readonly versions: readonly string[];
}

/** The Secrets of a namespace whose target is gone. Each carries our label and names a certificate that is known here, in a
 *  version that is in use: another Certrelay may keep a certificate of the same name for the same namespace, and what is
 *  its own stays. So does a Secret whose certificate could not be looked at, whoever registered it. Copies are among them
 *  (`isAppliedByUs`). */
export function findOrphans(
  { cluster, namespace }: { readonly cluster: string; readonly namespace: string },
  listed: readonly ListedSecret[],
  known: ReadonlyMap<string, KnownTargets>,
): readonly ListedSecret[] {
  const wanted = new Set(
    [...known.values()].flatMap(({ targets }) => targets.filter(isSecretTarget).map(nameTarget)),
  );
  return listed.filter(({ name, secret: { labels, annotations } }) => {
    const certificate = known.get(annotations[certificateAnnotation] ?? '');
    const isOurs =
      labels[managedByLabel.name] === managedByLabel.value &&
      certificate?.versions.includes(annotations[versionAnnotation] ?? '') === true;
    return isOurs && !wanted.has(nameTarget({ cluster, namespace, secret: name }));
  });
}

/** Keys by which formats lay a certificate out. */
const certificateKeys = [
  'tls.crt',
  'tls.key',
  'tls.pem',
  'tls-combined.pem',
  'proxycert',
  'proxykey',
  'keystore.p12',
];

/** Whether the Secret is what Certrelay applied: its entry in managedFields (manager `certrelay`, operation Apply) has the
 *  label, the annotations and the certificate. Replicators, people and backups copy labels and annotations, and others may have
 *  put a certificate of their own into it. */
export function isAppliedByUs({ owned, data }: ClusterSecret): boolean {
  return (
    owned.labels.includes(managedByLabel.name) &&
    [certificateAnnotation, versionAnnotation].every((name) => owned.annotations.includes(name)) &&
    owned.data.some((name) => Object.hasOwn(data, name)) &&
    certificateKeys.every((name) => !Object.hasOwn(data, name) || owned.data.includes(name))
  );
}

/** What is there that may use the Secrets of a namespace. */
export interface PossibleUsers {
  readonly workloads: readonly Pick<Workload | OtherUser, 'kind' | 'name' | 'secrets'>[];
  /** Of this namespace, and of others that may name its Secrets. */
  readonly objects: readonly TlsObject[];
}

/** Those of them that use the Secret, as a report names them: `Deployment web`, `Ingress shop/web in cluster lab`. */
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
