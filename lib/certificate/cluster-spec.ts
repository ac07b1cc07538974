// What a user says of a cluster: how it is signed in to, and how it is spoken with.

/** How a cluster is signed in to: by a kubeconfig, by an IAM role that EKS knows, by the service account of the pod that
 *  this runs in; or not at all: only an agent in it reaches it. */
export type ClusterSignIn =
  | { readonly kubeconfig: KubeconfigSource }
  | { readonly eks: EksSpec }
  /** `folder` holds `token` and `ca.crt`, where that is not Kubernetes' usual one. */
  | { readonly inCluster: true | { readonly folder: string } }
  | { readonly agent: true };

/** An AWS secret or a file that holds a kubeconfig. */
export type KubeconfigSource = { readonly secret: string } | { readonly file: string };

/** One cluster of EKS. */
export interface EksSpec {
  readonly name: string;
  readonly region: string;
  /** The role that has an access entry in the cluster; absent: the function's own. */
  readonly roleArn?: string | undefined;
}

/** How a cluster is spoken with; what is given goes before what the kubeconfig or EKS says. */
export interface ClusterSettings {
  /** `https` URL of the API server, without a slash at the end. */
  readonly server?: string | undefined;
  /** Trust anchors for the API server's TLS: PEM text, or a file that holds it. */
  readonly caBundle?: string | { readonly file: string } | undefined;
  /** `http` or `https` URL of a proxy. */
  readonly proxy?: string | undefined;
  /** How long one attempt of a call may take; absent: 15. */
  readonly timeoutSeconds?: number | undefined;
  /** Targets under way at once; absent: 8. */
  readonly concurrency?: number | undefined;
  /** Namespaces in which Secrets of ours whose target is gone are deleted; `true`: those of its targets; absent: none. */
  readonly prune?: true | readonly string[] | undefined;
}

export type ClusterSpec = ClusterSignIn & ClusterSettings;
