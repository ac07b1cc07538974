// Brings stored certificates into clusters and rolls the workloads that use them. Called by event, schedule and hand.
import { deployCertificates } from '../lib/deploy/deploy.ts';
import { fanOut, findDelegatedClusters } from '../lib/deploy/fan-out.ts';
import type { CertificateReport, PruneReport } from '../lib/deploy/invocation.ts';
import { parseDeployEvent } from '../lib/requests/requests.ts';
import { defineQueueFunction } from './runtime/define-function.ts';
import { connectDelivery } from './wiring/delivery.ts';
import { openDeployQueueLazily } from './wiring/lazy-deploy-queue.ts';

/** What a direct call answers with. */
export interface DeployAnswer {
  readonly dryRun: boolean;
  /** Clusters that passes of their own look after: their targets are in none of the entries. */
  readonly handedOn: readonly string[];
  /** The worst first; `omitted`: how many more there are, where they are too many for an answer. */
  readonly certificates: readonly CertificateReport[];
  readonly omitted?: number | undefined;
  /** Secrets whose target is gone, in clusters that say `prune`. */
  readonly pruned: readonly PruneReport[];
}

/** A direct call answers with the report, and throws once all is tried where targets failed; a batch answers
 *  with the messages of which a certificate failed. */
export const handler = defineQueueFunction({
  parse: (event, { prefix }) => parseDeployEvent(event, prefix),
  connect(invocation, closing) {
    const { deployQueueUrl } = invocation.settings;
    const queue = deployQueueUrl === undefined ? undefined : openDeployQueueLazily(deployQueueUrl, closing);
    return { queue, ...connectDelivery(invocation, closing) };
  },
  async run(request, { queue, ...ports }, { id, inventory, signal, cleanUpSignal }) {
    const clusters = queue ? findDelegatedClusters(request, inventory) : [];
    const handedOn = queue ? await fanOut(clusters, { queue, log: ports.log }, id, signal) : [];
    const delegatedClusters = handedOn.length > 0 ? handedOn : undefined;
    const invocation = { ...request, delegatedClusters, inventory, signal, cleanUpSignal };
    const { failures, ...report } = await deployCertificates(ports, invocation);
    const answer: DeployAnswer = { dryRun: request.dryRun ?? false, handedOn, ...report };
    return { answer, failures: [...failures.values()].flat(), failed: 'targets' };
  },
  async work(request, ports, { inventory, signal, cleanUpSignal }) {
    const invocation = { ...request, inventory, signal, cleanUpSignal };
    const { failures } = await deployCertificates(ports, invocation);
    // The next reconcile goes into the cluster again; a message that came back would do so beside it.
    return request.clusters ? new Map<string, unknown>() : failures;
  },
});
