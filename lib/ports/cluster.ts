// Ports to a Kubernetes cluster. Each comment is part of the contract.

import type { WorkloadKind, WorkloadReference } from '../certificate/rollout-spec.ts';
import type { SecretTarget } from '../certificate/spec.ts';
import type { Delivery } from '../policy/delivery/secret-plan.ts';
import type { FoundSecret, ToolObjects } from '../policy/kubernetes/migration-source.ts';
import type {
  ClusterSecret,
  ListedSecret,
  OtherKind,
  OtherUser,
  RestartPatch,
  SecretManifest,
  SecretPrecondition,
  Workload,
} from '../policy/kubernetes/objects.ts';
import type { RunningPod } from '../policy/kubernetes/pods.ts';
import type { GrantedSource, TlsObject, TlsObjectKind } from '../policy/kubernetes/tls-objects.ts';
import type { AgentError } from './agents.ts';
import { CertrelayError } from './errors.ts';

/** Why a call to a cluster failed, or was not made.
 *  - `Unreachable`: no connection or no answer; the whole cluster counts as down.
 *  - `Unavailable`: the server refuses for now (429, 5xx).
 *  - `Malformed`: the answer is not one of the Kubernetes API.
 *  - `TooLarge`: the answer is over a size limit.
 *  - `Expired`: the server has dropped a list between two pages.
 *  - `Forbidden`: RBAC refuses; the message names the missing verb.
 *  - `Foreign`: the Secret belongs to another certificate or another owner.
 *  - `TypeConflict`: the Secret has another `type`, which cannot be changed.
 *  - `Replayed`: the signed statement for an agent is older than the one it delivered last.
 *  - `NotFound`, `Conflict`, `Rejected`: as the server answers.
 *  - `SignInFailed`: the credentials are missing, unusable or refused.
 *  - `Unsupported`: the server is too old for the call.
 *  - `RolloutFailed`: the pods with the new certificate do not become ready. */
export type ClusterErrorCode =
  | 'Unreachable'
  | 'Unavailable'
  | 'Malformed'
  | 'TooLarge'
  | 'Expired'
  | 'Forbidden'
  | 'Foreign'
  | 'TypeConflict'
  | 'Replayed'
  | 'NotFound'
  | 'Conflict'
  | 'Rejected'
  | 'SignInFailed'
  | 'Unsupported'
  | 'RolloutFailed';

/** A failed call to a cluster. */
export class ClusterError extends CertrelayError<ClusterErrorCode> {}

/** A field manager of server-side apply. `certrelay` owns what it applies: the server deletes a key that it
 *  no longer names. `certrelay-kept` owns the other keys of a Secret that had to be created again, so that
 *  `certrelay` does not own them. */
type FieldManager = 'certrelay' | 'certrelay-kept';

/** One cluster, over one connection. Every call has a timeout of some seconds, rejects with a `ClusterError`
 *  or with the signal's reason, and may be repeated. */
export interface Cluster {
  /** The Secret; `undefined` if there is none, or no such namespace. */
  readSecret(namespace: string, name: string, signal: AbortSignal): Promise<ClusterSecret | undefined>;
  /** Applies a Secret (server-side apply) and returns it as stored, after admission. Keys, labels and
   *  annotations that the manifest does not name are kept for their owners. `over` is the Secret that the
   *  manifest was decided for: our fields are then taken over from other managers. Without `over` the Secret
   *  is created, and values of other managers are never overwritten.
   *  @throws ClusterError `Conflict` if the Secret has changed since `over` was read; `NotFound` if the
   *  namespace does not exist; `Rejected` if validation or admission refuses it. */
  applySecret(
    manifest: SecretManifest,
    options: { readonly manager: FieldManager; readonly over?: ClusterSecret | undefined },
    signal: AbortSignal,
  ): Promise<ClusterSecret>;
  /** All Secrets in the namespace with our label. */
  listSecrets(namespace: string, signal: AbortSignal): Promise<readonly ListedSecret[]>;
  /** Deletes the Secret if it has not changed since `over` was read.
   *  @throws ClusterError `Conflict` if it has changed. */
  deleteSecret(namespace: string, name: string, over: SecretPrecondition, signal: AbortSignal): Promise<void>;
  /** All workloads of the kind in the namespace.
   *  @throws ClusterError `NotFound` if the cluster does not have the kind, as may be so for `Rollout`. */
  listWorkloads(namespace: string, kind: WorkloadKind, signal: AbortSignal): Promise<readonly Workload[]>;
  /** All objects of the kind in the namespace that are not over, with their owners. Of pods only those that
   *  name a Secret, and of pods with the same owner and the same Secrets only one. */
  listOthers(namespace: string, kind: OtherKind, signal: AbortSignal): Promise<readonly OtherUser[]>;
  /** All pods in the namespace that are not over. */
  listPods(namespace: string, signal: AbortSignal): Promise<readonly RunningPod[]>;
  /** As `ClusterDirectory.listTlsObjects`. */
  listTlsObjects: ClusterDirectory['listTlsObjects'];
  /** Which objects of other namespaces may use Secrets of this one, because a ReferenceGrant allows it. Each
   *  once; empty if the cluster does not have ReferenceGrants. */
  listGrantedSources(namespace: string, signal: AbortSignal): Promise<readonly GrantedSource[]>;
  /** Restarts a workload by a change of its pod template (of a Rollout: of `restartAt`), and returns the
   *  workload. Its `generation` is higher than before, unless it was like that already. */
  restartWorkload(
    namespace: string,
    workload: WorkloadReference,
    patch: RestartPatch,
    signal: AbortSignal,
  ): Promise<Workload>;
  /** Closes the connection; calls under way fail. */
  close(): Promise<void>;
}

/** Connects to a cluster by its name in the inventory. The caller closes it.
 *  @throws ClusterError `SignInFailed` if the credentials are missing or unusable. */
export type ConnectCluster = (name: string, signal: AbortSignal) => Promise<Cluster>;

/** A target that could get its previous version back. */
export interface RollbackQuestion {
  readonly target: SecretTarget;
  /** The previous version. */
  readonly delivery: Delivery;
  /** Whether this run has seen the current version fail at the target. */
  readonly isSeen: boolean;
}

/** Decides whether a target may get its previous version back. Returns `undefined` if it may. Else an error
 *  whose message continues "the previous version cannot be put back: …". Its code is `Unseen` if the target
 *  may get it once this run has seen the failure itself.
 *  @throws ClusterError */
export type JudgeRollback = (
  question: RollbackQuestion,
  cluster: Cluster,
  signal: AbortSignal,
) => Promise<AgentError | undefined>;

/** Reads the objects of one cluster that use certificates, and never writes. Calls behave as those of
 *  `Cluster`. */
export interface ClusterDirectory {
  /** All objects of the kinds in the namespace, in the order of the kinds. No Gateways or ListenerSets if the
   *  cluster does not have the kind, even if the kind may not be listed. */
  listTlsObjects(
    namespace: string,
    kinds: readonly TlsObjectKind[],
    signal: AbortSignal,
  ): Promise<readonly TlsObject[]>;
  /** The Secret with its values; `undefined` if there is none. */
  readFoundSecret(namespace: string, name: string, signal: AbortSignal): Promise<FoundSecret | undefined>;
  /** The objects in the namespace by which other tools manage certificates. */
  listToolObjects(namespace: string, signal: AbortSignal): Promise<ToolObjects>;
  /** Closes the connection; calls under way fail. */
  close(): Promise<void>;
}

/** As `ConnectCluster`, for discovery and migration. */
export type ConnectDirectory = (name: string, signal: AbortSignal) => Promise<ClusterDirectory>;

/** How a cluster's API server is reached, and with which credentials. Never logged. */
export interface ClusterAccess {
  /** `https` URL without a slash at the end. */
  readonly server: string;
  /** PEM certificates of the authorities that the server's certificate must be from. Absent: the public
   *  ones. */
  readonly ca?: string | undefined;
  /** Name for TLS (SNI) that the server's certificate must have. Absent: the host of `server`. */
  readonly serverName?: string | undefined;
  /** `http` or `https` URL of a proxy. */
  readonly proxy?: string | undefined;
  /** A bearer token, or a function that returns the current one. */
  readonly token?: string | ReadToken | undefined;
  /** A client certificate and its private key, as PEM. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string } | undefined;
  /** Where the access was read, for messages, e.g. `the kubeconfig`. */
  readonly origin: string;
  /** What to do if the server refuses the credentials (401), for messages. */
  readonly onRefusal: string;
}

/** The bearer token that is valid now.
 *  @throws ClusterError `SignInFailed` if there is none
 *  @throws the signal's reason once the signal is aborted. */
export type ReadToken = (signal: AbortSignal) => Promise<string>;
