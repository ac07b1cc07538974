// Answers how everything stands. Called by schedule, for its log and metrics, and by hand.
import { randomUUID } from 'node:crypto';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { connectSecretsManager } from '../lib/adapters/secrets-manager/connection.ts';
import { parseStatusEvent } from '../lib/requests/requests.ts';
import { describeStatus, type StatusReport } from '../lib/status/status.ts';
import { beginInvocation, type Context, throwFailures } from './runtime/invocation.ts';

/** The report. @throws AggregateError with everything that a person must look at, where the event says `"check": true`. */
export async function handler(event: unknown, context: Context): Promise<StatusReport> {
  const request = parseStatusEvent(event);
  const { settings, inventory, clock, log, signal } = await beginInvocation(context);
  const secrets = connectSecretsManager({ prefix: settings.prefix, uuid: randomUUID });
  try {
    const ports = {
      store: secrets.certificates,
      agents: secrets.agents,
      installation: secrets.installation,
      publicKey: secrets.publicKey,
      clock,
      log,
    };
    const { staleAfterMs } = settings;
    const run = { ...request, inventory, staleAfterMs, signal };
    const { report, problems } = await describeStatus(ports, run);
    if (!request.certificates) measure(report, clock.now());
    if (request.check) throwFailures(problems, 'checks');
    return report;
  } finally {
    secrets.close();
  }
}

/** CloudWatch metrics by the log (EMF): certificates by how they stand, and each agent's silence by its cluster. */
function measure({ summary, agents }: StatusReport, now: Date): void {
  const metrics = new Metrics({ namespace: 'Certrelay', serviceName: 'certrelay' });
  for (const [word, count] of Object.entries(summary)) {
    metrics.addMetric(`certificates ${word}`, MetricUnit.Count, count);
  }
  metrics.publishStoredMetrics();
  for (const { cluster, lastSeen } of agents) {
    if (!lastSeen) continue;
    const single = metrics.singleMetric();
    single.addDimension('cluster', cluster);
    single.addMetric('agent silence', MetricUnit.Seconds, (now.getTime() - lastSeen.getTime()) / 1000);
  }
}
