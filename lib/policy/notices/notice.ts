// A notice to people: what a channel is told at once. All texts are on one line and short.
import type { HealthWord } from '../../state/health.ts';
import type { Subject } from '../health/change.ts';

/** One trouble, or its end: the cause, and how many certificates it makes ill. */
export interface NoticeEntry {
  readonly subject: Subject;
  readonly health: HealthWord;
  readonly previousHealth: HealthWord;
  readonly reason: string;
  /** One sentence. */
  readonly message: string;
  /** Names of the certificate, or the certificates that the cause makes ill; the last one may count
   *  others. */
  readonly names: readonly string[];
  /** How many certificates a cause makes ill; `null` for a certificate. */
  readonly certificates: number | null;
  readonly since: Date;
  readonly notAfter: Date | null;
  readonly expiresInDays: number | null;
  readonly command: string | null;
}

/** A certificate that was issued. */
export interface IssuedEntry {
  readonly certificate: string;
  readonly names: readonly string[];
  readonly issuer: string;
  readonly version: string;
  readonly notAfter: Date;
}

/** A line of a digest's table. */
export interface TableRow {
  readonly subject: Subject;
  readonly health: HealthWord;
  readonly reason: string | null;
  readonly message: string | null;
  readonly notAfter: Date | null;
  readonly expiresInDays: number | null;
}

/** What all notices have. */
interface NoticeHead {
  /** The same for each try, and for the same news told again: a receiver can tell repeats by it. */
  readonly id: string;
  /** Prefix of the installation's AWS secrets. */
  readonly installation: string;
  /** When it was so. */
  readonly at: Date;
  /** How many more there are than the notice lists. */
  readonly more: number;
  /** URL of the dashboard in AWS's console, known as the notice is given to a channel. Absent: there is
   *  none. */
  readonly dashboard?: string | undefined;
}

/** What changed in one pass, by cause: troubles that began, or that ended. */
export interface HealthNotice extends NoticeHead {
  readonly event: 'Degraded' | 'Recovered';
  /** At least one, but in what is left of a notice whose first incidents a channel has taken. */
  readonly entries: readonly NoticeEntry[];
  /** What else recovered that was not told with a cause: for channels that close what they opened. */
  readonly others: readonly Subject[];
}

/** Certificates that were issued. */
export interface IssuedNotice extends NoticeHead {
  readonly event: 'Issued';
  /** At least one. */
  readonly issued: readonly IssuedEntry[];
}

/** The state of everything. */
export interface DigestNotice extends NoticeHead {
  readonly event: 'Digest';
  readonly summary: Readonly<Record<HealthWord, number>>;
  readonly rows: readonly TableRow[];
}

/** What a person asked for to see whether notices arrive. */
export interface TestNotice extends NoticeHead {
  readonly event: 'Test';
}

/** Any notice; `event` tells which. */
export type Notice = HealthNotice | IssuedNotice | DigestNotice | TestNotice;
