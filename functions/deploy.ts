// Delivers stored certificates to clusters and ACM, and restarts the workloads that use them. Called by
// event, by schedule and by hand.
import { deployCertificates } from '../lib/deploy/deploy.ts';
import { fanOut, findDelegatedClusters } from '../lib/deploy/fan-out.ts';
import type { CertificateReport, PruneReport } from '../lib/deploy/invocation.ts';
import { parseDeployEvent } from '../lib/requests/requests.ts';
import { defineQueueFunction, type Outcome } from './runtime/define-function.ts';
import { untold } from './runtime/failures.ts';
import { recordPassEnd } from './runtime/pass-end.ts';
import { connectDelivery } from './wiring/delivery.ts';
import { enqueueRequest, openRequestQueue } from './wiring/enqueue.ts';
import { openDeployQueueLazily } from './wiring/lazy-deploy-queue.ts';

/** Answer to a direct call. */
export interface DeployAnswer {
  readonly dryRun: boolean;
  /** Clusters that get an invocation of their own. Their targets are in none of the entries. */
  readonly handedOn: readonly string[];
  /** The worst first. `omitted`: how many more there are, if the answer has no room for all. */
  readonly certificates: readonly CertificateReport[];
  readonly omitted?: number | undefined;
  /** Kubernetes Secrets whose target is gone, in clusters with `prune`. */
  readonly pruned: readonly PruneReport[];
}

/** Answers a direct call with the report; throws if targets failed, after every target was tried. Answers a
 *  batch with the messages that failed. */
export const handler = defineQueueFunction({
  name: 'deploy',
  parse: (event, { prefix }) => parseDeployEvent(event, prefix),
  connect(invocation, closing) {
    const { deployQueueUrl } = invocation.settings;
    const queue = deployQueueUrl === undefined ? undefined : openDeployQueueLazily(deployQueueUrl, closing);
    const requests = openRequestQueue(deployQueueUrl, 'CERTRELAY_DEPLOY_QUEUE_URL', closing);
    return { queue, requests, ...connectDelivery(invocation, closing) };
  },
  async run(request, { queue, requests, ...ports }, own): Promise<Outcome<DeployAnswer | string>> {
    const { store } = ports;
    if (request.enqueue) return enqueueRequest(request, { requests, store }, 'deploy', own);
    const { id, inventory, signal, cleanUpSignal } = own;
    const clusters = queue ? findDelegatedClusters(request, inventory) : [];
    const handedOn = queue ? await fanOut(clusters, { queue, log: ports.log }, id, signal) : [];
    const delegatedClusters = handedOn.length > 0 ? handedOn : undefined;
    const invocation = { ...request, delegatedClusters, inventory, signal, cleanUpSignal };
    const { failures, ...report } = await deployCertificates(ports, invocation);
    // Clusters that were handed on are passes of their own.
    if (Object.keys(request).length === 0) await recordPassEnd('deploy', ports.operations, own);
    const answer: DeployAnswer = { dryRun: request.dryRun ?? false, handedOn, ...report };
    return { answer, failures: [...failures.values()].flat() };
  },
  async work(request, ports, { inventory, signal, cleanUpSignal }) {
    const invocation = { ...request, inventory, signal, cleanUpSignal };
    const { failures } = await deployCertificates(ports, invocation);
    // The next scheduled call visits the cluster again; a returned message would only do so at the same time.
    // What `status` does not tell comes again all the same, so that it ends as a dead letter.
    return request.clusters ? untold(failures) : failures;
  },
});
