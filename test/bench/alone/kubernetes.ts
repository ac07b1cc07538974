// The bundle that a cold start is measured against: the Kubernetes client and nothing else.
export * from '@kubernetes/client-node';

/** Asks nothing: what is compared is the import. */
export async function handler(): Promise<void> {}
