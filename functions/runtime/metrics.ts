// The metrics of an installation, written to the log (CloudWatch's embedded metric format).
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

/** One look at a whole installation. Its fields are names of metrics, which alarms and dashboards read. */
export interface InstallationMetrics {
  /** The prefix of the installation: value of the dimension `Installation`. */
  readonly installation: string;
  /** Certificates for which a person must act. */
  readonly DegradedCertificates: number;
  /** Clusters, issuers, agents, functions and channels for which a person must act. */
  readonly DegradedOthers: number;
  /** Certificates that a person paused or froze, or whose trouble a person acknowledged. */
  readonly SuspendedCertificates: number;
  /** Days until the certificate that ends first, negative after its end; `null`: nothing is stored. */
  readonly SoonestExpiryDays: number | null;
  /** Targets that do not have the current version. */
  readonly PendingTargets: number;
  /** All certificates. */
  readonly Certificates: number;
}

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
