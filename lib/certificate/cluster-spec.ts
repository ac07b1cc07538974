// How the inventory describes a cluster: how to sign in to it and how to call it.

/** How Certrelay signs in to a cluster. Exactly one of: a kubeconfig, an IAM role with an EKS access entry,
 *  the service account of its own pod. `agent`: nobody signs in from outside, an agent in the cluster
 *  delivers. */
export type ClusterSignIn =
  | { readonly kubeconfig: KubeconfigSource }
  | { readonly eks: EksSpec }
  /** `folder` contains `token` and `ca.crt`; `true`: the folder that Kubernetes mounts by default. */
  | { readonly inCluster: true | { readonly folder: string } }
  | { readonly agent: true };

/** The AWS secret or the file that contains a kubeconfig. */
export type KubeconfigSource = { readonly secret: string } | { readonly file: string };

/** One cluster of EKS. */
export interface EksSpec {
  readonly name: string;
  readonly region: string;
  /** The role that has an access entry in the cluster; absent: the function's own. */
  readonly roleArn?: string | undefined;
}

/** How Certrelay calls a cluster. What is set here wins over the kubeconfig or EKS. */
export interface ClusterSettings {
  /** `https` URL of the API server, without a slash at the end. */
  readonly server?: string | undefined;
  /** Trust anchors for the API server's TLS: PEM text, or a file that contains it. */
  readonly caBundle?: string | { readonly file: string } | undefined;
  /** `http` or `https` URL of a proxy. */
  readonly proxy?: string | undefined;
  /** How long one attempt of a call may take; absent: 15. */
  readonly timeoutSeconds?: number | undefined;
  /** Targets under way at once; absent: 8. */
  readonly concurrency?: number | undefined;
  /** Namespaces in which `deploy` deletes Secrets of ours that have no target any more. `true`: the
   *  namespaces of the cluster's targets; absent: none. */
  readonly prune?: true | readonly string[] | undefined;
}

/** One cluster of the inventory. */
export type ClusterSpec = ClusterSignIn & ClusterSettings;
