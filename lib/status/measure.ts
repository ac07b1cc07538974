// What alarms and dashboards read of a report.
import { listOthers } from './changes.ts';
import type { StatusReport } from './report.ts';

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

/** Measures a report over everything. */
export function measureInstallation(report: StatusReport): InstallationMetrics {
  const { installation, summary, soonestExpiry, pendingTargets } = report;
  const { waitingForDns: _, ...counts } = summary;
  return {
    installation,
    DegradedCertificates: summary.Degraded,
    DegradedOthers: listOthers(report).filter(({ health }) => health.health === 'Degraded').length,
    SuspendedCertificates: summary.Suspended,
    SoonestExpiryDays: soonestExpiry?.days ?? null,
    PendingTargets: pendingTargets,
    Certificates: Object.values(counts).reduce((sum, count) => sum + count, 0),
  };
}
