// The Kubernetes objects that Certrelay reads and writes, as plain facts without types of a client library.
import type { WorkloadReference } from '../../certificate/rollout-spec.ts';

/** Label and value of every Secret that is ours. A Secret without it is somebody else's. */
export const managedByLabel = { name: 'app.kubernetes.io/managed-by', value: 'certrelay' } as const;

/** Annotation of our Secrets: name of the certificate. */
export const certificateAnnotation = 'certrelay.dev/certificate';

/** Annotation of our Secrets: version id of the AWS secret. */
export const versionAnnotation = 'certrelay.dev/version';

/** Annotation of our Secrets: `notAfter` of the certificate, ISO 8601. */
export const notAfterAnnotation = 'certrelay.dev/not-after';

/** Annotation of our Secrets with a keystore: its seal, which shows whether the keystore is as we wrote
 *  it. */
export const keystoreAnnotation = 'certrelay.dev/keystore';

/** Annotation of a workload or its pod template: with `"false"`, Certrelay never restarts it. */
export const restartAnnotation = 'certrelay.dev/restart';

/** Annotation of a Secret: with `"false"`, Certrelay never deletes it by `prune`. */
export const pruneAnnotation = 'certrelay.dev/prune';

/** Annotation of a workload: when we last started a rollout, ISO 8601. */
export const sinceAnnotation = 'certrelay.dev/rollout-since';

/** Annotation of a workload: how it was before we last started a rollout (`RolloutStart`), JSON. */
export const beforeAnnotation = 'certrelay.dev/rollout-before';

/** Annotation of a pod template that "kubectl rollout restart" sets. Operators that rebuild a template keep
 *  this one, and remove ours. */
export const restartedAtAnnotation = 'kubectl.kubernetes.io/restartedAt';

/** Environment variable that ployst/letsencrypt sets for a restart; used for `restartStrategy: env`. */
export const refreshVariable = 'LETSENCRYPT_CERT_REFRESH';

type StringMap = Readonly<Record<string, string>>;

/** A Kubernetes Secret as it was read. */
export interface ClusterSecret {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  /** True if it says `immutable: true`: nobody can change its data. */
  readonly immutable: boolean;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  /** Base64, as the API has it. Never logged. */
  readonly data: StringMap;
  /** When our last apply changed something, to the second; absent if we never applied it. */
  readonly appliedAt?: Date | undefined;
  /** Who manages it, by `ownerReferences`: the controller among them, or else the first. Absent: nobody. */
  readonly owner?: { readonly kind: string; readonly name: string } | undefined;
  /** Other field managers that managedFields name as the last to write data keys, and when. */
  readonly otherWriters: readonly {
    readonly manager: string;
    readonly at?: Date | undefined;
    readonly data: readonly string[];
  }[];
  /** Names of the entries that managedFields say we applied. */
  readonly owned: Readonly<Record<'data' | 'labels' | 'annotations', readonly string[]>>;
}

/** `notAfter` of the certificate in a Secret, from our annotation; `undefined` if that is missing or
 *  unreadable. */
export function readNotAfter({ annotations }: Pick<ClusterSecret, 'annotations'>): Date | undefined {
  const instant = new Date(annotations[notAfterAnnotation] ?? '');
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

/** Which state of a Secret a change was decided for. */
export type SecretPrecondition = Pick<ClusterSecret, 'uid' | 'resourceVersion' | 'annotations'>;

/** A Secret in a list, with its name. */
export interface ListedSecret {
  readonly name: string;
  readonly secret: ClusterSecret;
}

/** The part of a Secret that we apply on the server. Entries that it does not name stay as their owners
 *  set them. */
export interface SecretManifest {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  /** Base64. Never logged. */
  readonly data: StringMap;
}

/** State of the rollout of the newest pod template. `held`: some pods keep the template before until a person
 *  acts (paused, update strategy OnDelete, partition), so Certrelay does not wait for it. `message` says what
 *  is missing. `isReplaced`: every pod has the newest template; only its availability is missing. */
export type Rollout =
  | { readonly state: 'complete' }
  | { readonly state: 'held'; readonly message: string }
  | { readonly state: 'progressing' | 'failed'; readonly message: string; readonly isReplaced?: boolean };

/** The Secrets that a pod template uses: in volumes, projected and CSI volumes, env and envFrom, init
 *  containers too. */
export interface SecretUses {
  /** Names, each once, sorted. */
  readonly secrets: readonly string[];
  /** Those whose new values running pods do not see (env, subPath), so they must restart. A mounted volume
   *  refreshes. */
  readonly fixed: readonly string[];
  /** Those that the pods name without reading them as a certificate: to pull images, to sign in to storage,
   *  and in arguments of a controller (`--default-ssl-certificate`). Absent: none. */
  readonly mentioned?: readonly string[];
}

/** A Deployment, StatefulSet, DaemonSet or Rollout as it was read. */
export interface Workload extends WorkloadReference, SecretUses {
  /** Annotations of the pod template; none if that is in another object (`workloadRef` of a Rollout). */
  readonly annotations: StringMap;
  /** Annotations of the workload itself whose names begin with `certrelay.dev/`. */
  readonly ownAnnotations: StringMap;
  /** The object that controls it, e.g. `Prometheus main`; absent: nothing does. */
  readonly owner?: string | undefined;
  /** Name of the first container of the pod template; empty if it has none. */
  readonly container: string;
  /** That container's value of `refreshVariable`. */
  readonly refresh?: string | undefined;
  /** When we last started a rollout (`sinceAnnotation`); absent if never. */
  readonly rolloutSince?: Date | undefined;
  /** `metadata.generation`: counts changes of the specification. */
  readonly generation: number;
  readonly rollout: Rollout;
  /** Hash of the newest pod template of a StatefulSet, as its pods have it in a label. */
  readonly updateRevision?: string | undefined;
  /** How many pods it should have, and how many of them are not available. */
  readonly pods: number;
  readonly unavailable: number;
  /** True if all pods stop before new ones start: for strategy `Recreate`, and for a Rollout of one pod. */
  readonly hasGapOnRestart: boolean;
  /** True if it or its pod template says `certrelay.dev/restart: "false"`: only its owner restarts it. */
  readonly refusesRestart: boolean;
  /** Of a Rollout: all its pods must be created at this instant or later (`spec.restartAt`). Absent: nobody
   *  has restarted it. */
  readonly restartAt?: Date | undefined;
  /** True if `restartAt` is still to come, because somebody has planned a restart. Absent: it is not. */
  readonly isRestartPlanned?: boolean | undefined;
}

/** Kinds that Certrelay lists for the Secrets that their pods use, and does not restart. */
export const otherKinds = ['ReplicationController', 'ReplicaSet', 'CronJob', 'Pod'] as const;

/** One of `otherKinds`, or `Job`, which is listed only before a Secret is deleted: one that is suspended, or
 *  waits to try again, has no pod. */
export type OtherKind = (typeof otherKinds)[number] | 'Job';

/** An object of those kinds as it was listed; of pods only those that are not over and name a Secret, of Jobs
 *  only those that are not over. */
export interface OtherUser extends SecretUses {
  readonly kind: OtherKind;
  readonly name: string;
  /** Absent if nothing owns it. */
  readonly owner?: ObjectOwner | undefined;
}

/** Any object, by the names that its owner reference or its kind has. */
export interface ObjectOwner {
  /** API group; empty for the core group. */
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

/** The change to a workload that starts a rollout. Applied a second time, it changes nothing. */
export interface RestartPatch {
  /** Annotations of the pod template; `null` removes one. */
  readonly template: Readonly<Record<string, string | null>>;
  /** The value of `refreshVariable` in a container; `null` removes it. */
  readonly env?: { readonly container: string; readonly value: string | null } | undefined;
  /** Annotations of the workload itself; `null` removes one. */
  readonly own: Readonly<Record<string, string | null>>;
  /** Of a Rollout, in place of template and variable: what its `restartAt` becomes, in whole seconds. */
  readonly restartAt?: Date | undefined;
}

/** How messages name a workload: `Deployment web`. */
export function nameWorkload({ kind, name }: WorkloadReference): string {
  return `${kind} ${name}`;
}
