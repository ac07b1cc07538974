// Brings stored certificates into clusters and rolls the workloads that use them. Called by event, schedule and hand.
import { randomUUID } from 'node:crypto';
import type { SQSBatchResponse } from 'aws-lambda';
import { connectSecretsManager } from '../lib/adapters/secrets-manager/connection.ts';
import { deployCertificates } from '../lib/deploy/deploy.ts';
import { findClustersToHandOn, handOn } from '../lib/deploy/fan-out.ts';
import type { CertificateReport, DeployReport, PruneReport } from '../lib/deploy/run.ts';
import type { CertificateManager } from '../lib/ports/acm.ts';
import { createLook } from '../lib/probe/look.ts';
import { type DeployRequest, parseDeployEvent } from '../lib/requests/requests.ts';
import { answerBatch } from './runtime/batch.ts';
import { beginInvocation, type Context, type Invocation, throwFailures } from './runtime/invocation.ts';
import { connectClusters } from './wiring/clusters.ts';
import { openEventBus } from './wiring/event-bus.ts';
import { connectLook } from './wiring/look.ts';

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

/** A direct call answers with the report, and throws once all is tried where targets failed; a batch answers with the
 *  messages of which a certificate failed. */
export async function handler(event: unknown, context: Context): Promise<DeployAnswer | SQSBatchResponse> {
  const invocation = await beginInvocation(context);
  const parsed = parseDeployEvent(event, invocation.settings.prefix);
  if (parsed.kind === 'batch') {
    const work = async (request: DeployRequest) => {
      const { failures } = await deploy(request, invocation);
      // The next reconcile goes into the cluster again; a message that came back would do so beside it.
      return request.clusters ? new Map<string, unknown>() : failures;
    };
    return answerBatch(parsed.messages, work, invocation.log);
  }
  const { request } = parsed;
  const handedOn = await fanOut(request, invocation);
  const elsewhere = handedOn.length > 0 ? handedOn : undefined;
  const { certificates, omitted, pruned, failures } = await deploy(request, invocation, elsewhere);
  throwFailures([...failures.values()].flat(), 'targets');
  return { dryRun: request.dryRun ?? false, handedOn, certificates, omitted, pruned };
}

/** The client is loaded with the first target in ACM. */
async function connectAcm(region: string, prefix: string): Promise<CertificateManager> {
  const { connectCertificateManager } = await import('../lib/adapters/acm/connection.ts');
  return connectCertificateManager({ region, prefix });
}

/** Clusters that other invocations have been asked to look after. SQS is loaded where there are any. */
async function fanOut(
  request: DeployRequest,
  { id, settings, inventory, log, signal }: Invocation,
): Promise<readonly string[]> {
  const clusters = findClustersToHandOn(request, inventory);
  if (clusters.length === 0 || settings.deployQueueUrl === undefined) return [];
  const { connectDeployQueue } = await import('../lib/adapters/sqs/deploy-queue.ts');
  const queue = connectDeployQueue({ url: settings.deployQueueUrl });
  try {
    return await handOn(clusters, { queue, log }, id, signal);
  } finally {
    queue.close();
  }
}

async function deploy(
  request: DeployRequest,
  invocation: Invocation,
  elsewhere?: readonly string[],
): Promise<DeployReport> {
  const { settings, inventory, log, clock, signal, cleanUpSignal } = invocation;
  const secrets = connectSecretsManager({ prefix: settings.prefix, uuid: randomUUID });
  const bus = settings.eventBus === undefined ? undefined : openEventBus(settings.eventBus);
  try {
    const connect = connectClusters(invocation, secrets);
    const lookAtServed = createLook(connectLook(settings));
    const ports = {
      store: secrets.certificates,
      installation: secrets.installation,
      connect,
      connectAcm: (region: string) => connectAcm(region, settings.prefix),
      readText: secrets.readText,
      lookAtServed,
      announce: bus?.announce,
      clock,
      log,
    };
    return await deployCertificates(ports, { ...request, elsewhere, inventory, signal, cleanUpSignal });
  } finally {
    secrets.close();
    await bus?.close();
  }
}
