// What Certrelay knows of the objects in a cluster that it reads and writes: facts, no client's types.
import type { WorkloadKind, WorkloadReference } from '../../certificate/spec.ts';

/** Label that says a cluster Secret is ours, and its value. Without it a Secret is somebody else's. */
export const managedByLabel = { name: 'app.kubernetes.io/managed-by', value: 'certrelay' } as const;

/** Annotation of a cluster Secret of ours that names the certificate in it. */
export const certificateAnnotation = 'certrelay.dev/certificate';

/** Annotations of a cluster Secret of ours: the AWS secret's version id, and the end of the certificate, ISO 8601. */
export const versionAnnotation = 'certrelay.dev/version';
export const notAfterAnnotation = 'certrelay.dev/not-after';

/** Annotation of a cluster Secret of ours that tells whether its keystore is as it was written (`keystore.ts`). */
export const keystoreAnnotation = 'certrelay.dev/keystore';

/** Annotation of a workload or its pod template that, as `"false"`, keeps Certrelay from restarting it. */
export const restartAnnotation = 'certrelay.dev/restart';

/** Annotation of a workload that holds when a rollout of ours was last begun. */
export const sinceAnnotation = 'certrelay.dev/rollout-since';

/** ployst's environment variable, for targets with `restartStrategy: env`. */
export const refreshVariable = 'LETSENCRYPT_CERT_REFRESH';

type StringMap = Readonly<Record<string, string>>;

/** A cluster Secret as it was read. */
export interface ClusterSecret {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  /** `immutable: true`: the data can no longer be changed, by anybody. */
  readonly immutable: boolean;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  /** Base64, as the API has it. Never logged. */
  readonly data: StringMap;
  /** When something that we applied last changed, to the second; absent where we applied nothing. */
  readonly appliedAt?: Date | undefined;
  /** Names in each that we applied last time. */
  readonly owned: Readonly<Record<'data' | 'labels' | 'annotations', readonly string[]>>;
}

/** When the certificate in a Secret of ours ends; `undefined` where that is not noted. */
export function readNotAfter({ annotations }: Pick<ClusterSecret, 'annotations'>): Date | undefined {
  const instant = new Date(annotations[notAfterAnnotation] ?? '');
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

/** A cluster Secret as a list shows it. */
export interface ListedSecret {
  readonly name: string;
  readonly secret: ClusterSecret;
}

/** The part of a cluster Secret that is applied: what it does not name stays with whoever owns it. */
export interface SecretManifest {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  /** Base64. Never logged. */
  readonly data: StringMap;
}

/** How far the rollout of the newest pod template is. `held`: it does not move until a person acts (paused, or pods
 *  that are only replaced when deleted), so nobody waits for it. `message` says what is missing. */
export type Rollout =
  | { readonly state: 'complete' }
  | { readonly state: 'progressing' | 'failed' | 'held'; readonly message: string };

/** Which Secrets some pods use: volumes, projected and CSI volumes, env, envFrom; of init containers too. */
export interface SecretUses {
  /** Names, each once, sorted. */
  readonly secrets: readonly string[];
  /** Those of them whose new values running pods do not get to see: they must restart. A mounted volume refreshes. */
  readonly fixed: readonly string[];
}

/** A Deployment, StatefulSet or DaemonSet as it was read. */
export interface Workload extends WorkloadReference, SecretUses {
  /** Annotations of the pod template. */
  readonly annotations: StringMap;
  /** First container of the pod template, and its value of `refreshVariable`. */
  readonly container: string;
  readonly refresh?: string | undefined;
  /** When a rollout of ours was last begun, where that was noted. */
  readonly rolloutSince?: Date | undefined;
  /** Counts changes of the specification. */
  readonly generation: number;
  readonly rollout: Rollout;
  /** All pods are stopped before new ones start (`Recreate`), and there are some. */
  readonly hasGapOnRestart: boolean;
  /** It says `certrelay.dev/restart: "false"`, or its pod template does: nobody restarts it but its owner. */
  readonly refusesRestart: boolean;
}

/** Kinds whose pods may use a Secret, and that Certrelay names and does not restart. `Rollout` is of Argo Rollouts. */
export const otherKinds = ['ReplicationController', 'ReplicaSet', 'CronJob', 'Pod', 'Rollout'] as const;
export type OtherKind = (typeof otherKinds)[number];

/** One object of those kinds that no other object looks after. */
export interface OtherUser extends SecretUses {
  readonly kind: OtherKind;
  readonly name: string;
}

/** The change to a pod template that starts a rollout; the same change twice changes nothing. An annotation is one Secret's
 *  own; ployst's variable is shared by all certificates of a workload, and holds the one delivered last. */
export type RestartMark = (
  | { readonly kind: 'annotation'; readonly key: string; readonly value: string }
  | { readonly kind: 'env'; readonly container: string; readonly value: string }
) & {
  /** When the rollout begins, noted on the workload itself, which restarts nothing: a later run knows its deadline by it. */
  readonly since?: Date;
};

/** `Deployment web`, as messages name a workload. */
export function nameWorkload({
  kind,
  name,
}: {
  readonly kind: WorkloadKind | OtherKind;
  readonly name: string;
}): string {
  return `${kind} ${name}`;
}
