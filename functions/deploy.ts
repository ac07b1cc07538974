// Brings stored certificates into clusters and rolls the workloads that use them. Called by event, schedule and hand.
import { randomUUID } from 'node:crypto';
import type { SQSBatchResponse } from 'aws-lambda';
import type { CertificateManager } from '../lib/acm-ports.ts';
import { deployCertificates } from '../lib/deploy/deploy.ts';
import type { CertificateReport, DeployReport, PruneReport } from '../lib/deploy/run.ts';
import { type DeployRequest, parseDeployEvent } from '../lib/events.ts';
import { createLook } from '../lib/probe/look.ts';
import { connectSecretsManager } from '../lib/secrets-manager/connection.ts';
import { answerBatch } from './batch.ts';
import { connectClusters } from './clusters.ts';
import { beginInvocation, type Context, type Invocation, throwFailures } from './invocation.ts';
import { connectLook } from './look.ts';

/** What a direct call answers with. */
export interface DeployAnswer {
  readonly dryRun: boolean;
  readonly certificates: readonly CertificateReport[];
  /** Secrets whose target is gone, in clusters that say `prune`. */
  readonly pruned: readonly PruneReport[];
}

/** A direct call answers with the report, and throws once all is tried where targets failed; a batch answers with the
 *  messages of which a certificate failed. */
export async function handler(event: unknown, context: Context): Promise<DeployAnswer | SQSBatchResponse> {
  const invocation = await beginInvocation(context);
  const parsed = parseDeployEvent(event, invocation.settings.prefix);
  if (parsed.kind === 'batch') {
    const work = async (request: DeployRequest) => (await deploy(request, invocation)).failures;
    return answerBatch(parsed.messages, work, invocation.log);
  }
  const { certificates, pruned, failures } = await deploy(parsed.request, invocation);
  throwFailures([...failures.values()].flat(), 'targets');
  return { dryRun: parsed.request.dryRun ?? false, certificates, pruned };
}

/** The client is loaded with the first target in ACM. */
async function connectAcm(region: string): Promise<CertificateManager> {
  const { connectCertificateManager } = await import('../lib/acm/connection.ts');
  return connectCertificateManager(region);
}

async function deploy(request: DeployRequest, invocation: Invocation): Promise<DeployReport> {
  const { settings, inventory, log, clock, signal, cleanUpSignal } = invocation;
  const secrets = connectSecretsManager({ prefix: settings.prefix, uuid: randomUUID });
  try {
    const connect = connectClusters(invocation, secrets);
    const lookAtServed = createLook(connectLook(settings));
    const ports = {
      store: secrets.certificates,
      connect,
      connectAcm,
      readText: secrets.readText,
      lookAtServed,
      clock,
      log,
    };
    return await deployCertificates(ports, { ...request, inventory, signal, cleanUpSignal });
  } finally {
    secrets.close();
  }
}
