// The metrics of an installation, written to the log (CloudWatch's embedded metric format).
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { InstallationMetrics } from '../../lib/status/measure.ts';

/** Puts the metrics in the namespace `Certrelay`, with the one dimension `Installation`. An alarm takes a
 *  missing data point for trouble, so this is called only after a look at everything. */
export function writeMetrics({ installation, ...values }: InstallationMetrics): void {
  const metrics = new Metrics({ namespace: 'Certrelay' });
  metrics.clearDefaultDimensions();
  metrics.addDimension('Installation', installation);
  for (const [name, value] of Object.entries(values)) {
    if (value !== null) metrics.addMetric(name, unitOf(name), value);
  }
  metrics.publishStoredMetrics();
}

/** CloudWatch has no unit for days. */
function unitOf(name: string): (typeof MetricUnit)[keyof typeof MetricUnit] {
  return name === 'SoonestExpiryDays' ? MetricUnit.NoUnit : MetricUnit.Count;
}
