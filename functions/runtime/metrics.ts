// The metrics of an installation, written to the log (CloudWatch's embedded metric format).
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { StatusReport } from '../../lib/status/status.ts';

/** Certificates by how they stand, and each agent's silence in seconds by its cluster. */
export function writeMetrics({ summary, agents }: StatusReport, now: Date): void {
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
