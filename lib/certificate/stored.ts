// Values that Certrelay keeps in AWS Secrets Manager, as code sees them.
import { createHash } from 'node:crypto';
import type { CertificateSpec, KeyType } from './spec.ts';

/** An issued certificate with its key. Never logged. */
export interface StoredCertificate {
  /** PEM, leaf first. */
  readonly chain: string;
  /** PKCS#8 PEM. */
  readonly key: string;
  /** Directory URL of the CA it was ordered from. */
  readonly issuer: string;
  readonly profile?: string | undefined;
  /** Present where the specification does not come from the inventory file. */
  readonly spec?: StoredSpec | undefined;
}

/** Where specifications come from beside the file: the webhook, objects in clusters, another tool's Secret. */
export const specSources = ['registration', 'discovery', 'import'] as const;
export type SpecSource = (typeof specSources)[number];

/** A specification that did not come from the inventory file, and where it came from. */
export interface StoredSpec extends CertificateSpec {
  readonly source: SpecSource;
}

/** An order in flight (AWSPENDING): what a later run needs to finish it. Never logged. */
export interface PendingOrder {
  /** PKCS#8 PEM of the new certificate's key. */
  readonly key: string;
  readonly keyType: KeyType;
  /** Directory URL the order goes to. */
  readonly issuer: string;
  readonly profile?: string | undefined;
  readonly domains: readonly string[];
  /** Names that claims before this one were for, whose TXT values may still be in DNS. */
  readonly formerDomains?: readonly string[] | undefined;
  /** The run that claims. */
  readonly run: string;
  /** Until when the claimant may be alive; past it the claim may be taken over. */
  readonly deadline: Date;
  /** Specification of a registered certificate, carried along so that storing loses nothing. */
  readonly spec?: StoredSpec | undefined;
}

/** No function runs longer (AWS Lambda), and clocks differ a little. */
const longestInvocationMs = 20 * 60_000;

/** Whether the run that claimed until `deadline` may still be alive. A deadline that no invocation can have is one that
 *  somebody else wrote: it keeps nobody out. */
export function mayBeAlive(deadline: Date, now: Date): boolean {
  const leftMs = deadline.getTime() - now.getTime();
  return leftMs > 0 && leftMs <= longestInvocationMs;
}

/** The specification where it did not come from the inventory file; `undefined` where it did. */
export function registeredSpec(spec: CertificateSpec | StoredSpec): StoredSpec | undefined {
  return 'source' in spec ? spec : undefined;
}

/** Version id under which an order's certificate is stored: the same order always gives the same version, so that
 *  storing it twice is storing it once. 64 hex digits, as ClientRequestToken allows. */
export function versionOfOrder(orderUrl: string): string {
  return createHash('sha256').update(orderUrl).digest('hex');
}
