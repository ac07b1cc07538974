// The socket between the deploy story and a Kubernetes cluster; each comment is part of the contract.

import type { SecretTarget, WorkloadKind, WorkloadReference } from '../certificate/spec.ts';
import type { Delivery } from '../policy/delivery/secret.ts';
import type { FoundSecret, ToolObjects } from '../policy/kubernetes/migration-source.ts';
import type {
  ClusterSecret,
  ListedSecret,
  OtherKind,
  OtherUser,
  RestartMark,
  SecretManifest,
  Workload,
} from '../policy/kubernetes/objects.ts';
import type { TlsObject, TlsObjectKind } from '../policy/kubernetes/tls-objects.ts';

import type { AgentError } from './agents.ts';
import { CertrelayError } from './errors.ts';

/** `Unreachable`: no connection or no answer, so the whole cluster is down. `Unavailable`: the server
 *  answered that it cannot now (429, 5xx). `Malformed`: an answer that is not Kubernetes'. `TooLarge`: an
 *  answer over the limit of what is read. `Expired`: the server no longer keeps the list that was begun.
 *  `Forbidden`: RBAC (the message names the missing verb). `Foreign`: the Secret belongs to another
 *  certificate, or to somebody else. `TypeConflict`: its `type`, which nobody can change, is another.
 *  `Replayed`: an agent's statement is older than the one it delivered last. `NotFound`, `Conflict`,
 *  `Rejected`: as the server says. `SignInFailed`: the credentials are missing, unusable or refused.
 *  `Unsupported`: the server is too old for the call. `RolloutFailed`: the pods with the new certificate do
 *  not come up. */
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

/** What a cluster did not do, or was not asked to do; the code says why. */
export class ClusterError extends CertrelayError<ClusterErrorCode> {}

/** `certrelay` owns what it applies: a key it no longer names goes. `certrelay-kept` holds what was found in
 *  a Secret that had to be made again, so that `certrelay` does not own it. */
type FieldManager = 'certrelay' | 'certrelay-kept';

/** One cluster, over one connection. Every call gives up after some seconds or as soon as the signal is
 *  aborted (it rejects with the signal's reason then), may be made twice, and fails with a `ClusterError`. */
export interface Cluster {
  /** The Secret, or `undefined` where there is none (nor the namespace). */
  readSecret(namespace: string, name: string, signal: AbortSignal): Promise<ClusterSecret | undefined>;
  /** Server-side apply. Keys, labels and annotations that the manifest does not name stay with their owners.
   *  Gives the Secret as stored, after admission. `over` is the Secret it was decided upon: our fields are
   *  taken over from other managers. Without `over` the Secret is made, and other managers' values are never
   *  overwritten.
   *  @throws ClusterError `Conflict` where the Secret is no longer what it was decided upon, `NotFound` where
   *  the namespace is missing, `Rejected` where validation or admission refuses it. */
  applySecret(
    manifest: SecretManifest,
    options: { readonly manager: FieldManager; readonly over?: ClusterSecret | undefined },
    signal: AbortSignal,
  ): Promise<ClusterSecret>;
  /** Every Secret of the namespace that has our label, however many pages that takes. */
  listSecrets(namespace: string, signal: AbortSignal): Promise<readonly ListedSecret[]>;
  /** Deletes just this state of the Secret. @throws ClusterError `Conflict` where it has changed since. */
  deleteSecret(namespace: string, name: string, over: ClusterSecret, signal: AbortSignal): Promise<void>;
  /** Every workload of the kind in the namespace, however many pages that takes. */
  listWorkloads(namespace: string, kind: WorkloadKind, signal: AbortSignal): Promise<readonly Workload[]>;
  /** Every object of the kind in the namespace that no other object looks after.
   *  @throws ClusterError `NotFound` where the cluster has no such kind. */
  listOthers(namespace: string, kind: OtherKind, signal: AbortSignal): Promise<readonly OtherUser[]>;
  /** As `Directory.listTlsObjects`. */
  listTlsObjects: ClusterDirectory['listTlsObjects'];
  /** Other namespaces whose Gateways may take Secrets of this one, each once: as its ReferenceGrants say,
   *  without which no Gateway serves a Secret of another namespace. A cluster that does not know those has
   *  none. */
  listGatewayNamespaces(namespace: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Marks the pod template; gives the workload afterwards. Its `generation` has grown unless the mark was
   *  there. */
  restartWorkload(
    namespace: string,
    workload: WorkloadReference,
    mark: RestartMark,
    signal: AbortSignal,
  ): Promise<Workload>;
  /** Ends the connection. */
  close(): Promise<void>;
}

/** Gives the cluster of that name in the inventory. Whoever asked for it, and nobody else, closes it.
 *  @throws ClusterError `SignInFailed` where what signs in to it is missing or cannot be used. */
export type ConnectCluster = (name: string, signal: AbortSignal) => Promise<Cluster>;

/** A target that is to get back the version before the one in use. */
export interface ReturnQuestion {
  readonly target: SecretTarget;
  /** The version before. */
  readonly delivery: Delivery;
  /** This run has seen the one in use fail at the target. */
  readonly isSeen: boolean;
}

/** Judges whether the target may have it back: `undefined`, or why not, as the rest of "the version before
 *  cannot take its place: …". `Unseen`: it may, once a run has seen the failure for itself. @throws
 *  ClusterError */
export type JudgeReturn = (
  question: ReturnQuestion,
  cluster: Cluster,
  signal: AbortSignal,
) => Promise<AgentError | undefined>;

/** The objects of one cluster that use certificates, read and never written. Every call keeps the rules of
 *  `Cluster`. */
export interface ClusterDirectory {
  /** Every object of the kinds in the namespace, in the order of the kinds. A cluster that does not know
   *  Gateways has none. */
  listTlsObjects(
    namespace: string,
    kinds: readonly TlsObjectKind[],
    signal: AbortSignal,
  ): Promise<readonly TlsObject[]>;
  /** The Secret with its values, or `undefined` where there is none. */
  readFoundSecret(namespace: string, name: string, signal: AbortSignal): Promise<FoundSecret | undefined>;
  /** What other tools keep certificates by in the namespace. */
  listToolObjects(namespace: string, signal: AbortSignal): Promise<ToolObjects>;
  /** Ends the connection. */
  close(): Promise<void>;
}

/** As `ConnectCluster`. */
export type ConnectDirectory = (name: string, signal: AbortSignal) => Promise<ClusterDirectory>;

/** Where a cluster's API server is, and who calls it. Never logged. */
export interface ClusterAccess {
  /** `https` URL, without a slash at the end. */
  readonly server: string;
  /** PEM of the authorities that may have signed the server's certificate; absent: the public ones. */
  readonly ca?: string | undefined;
  /** Name to ask for and to find in the server's certificate, where it is not the URL's. */
  readonly serverName?: string | undefined;
  /** `http` or `https` URL of a proxy. */
  readonly proxy?: string | undefined;
  /** A bearer token; or what gives the one for a call that is made now. */
  readonly token?: string | ReadToken | undefined;
  /** PEM of a client certificate and its key. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string } | undefined;
  /** For messages: where all this was found, such as `the kubeconfig`, and a sentence for whoever is refused
   *  (401). */
  readonly origin: string;
  readonly onRefusal: string;
}

/** @throws ClusterError `SignInFailed` where there is none, or the signal's reason. */
export type ReadToken = (signal: AbortSignal) => Promise<string>;
