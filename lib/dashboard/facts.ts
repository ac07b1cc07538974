// What the page shows: the health of everything, and the tags of certificates.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import type { SubjectHealth } from '../policy/health/others.ts';
import type { StoreEntry } from '../ports/store.ts';

/** What the page shows. */
export interface DashboardFacts {
  /** The prefix of the installation. */
  readonly installation: string;
  readonly at: Date;
  /** The worst first; only the one that is asked for, if it is one. */
  readonly certificates: readonly CertificateHealth[];
  readonly others: readonly SubjectHealth[];
  /** The tags of the certificates, by name. */
  readonly entries: ReadonlyMap<string, StoreEntry>;
}
