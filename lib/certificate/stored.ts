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
  /** The names that the CA was asked for; absent where the certificate is for exactly these. It is judged by
   *  them (`namesRequested`), so that names which a CA adds are no reason to order again. */
  readonly requestedNames?: readonly string[] | undefined;
  /** Present unless the specification comes from the inventory file. */
  readonly spec?: StoredSpec | undefined;
}

/** Sources of specifications other than the inventory file: the webhook, objects in clusters, another tool's
 *  Secret. */
export const specSources = ['registration', 'discovery', 'import'] as const;
/** One of `specSources`. */
export type SpecSource = (typeof specSources)[number];

/** A specification that does not come from the inventory file, with its source. */
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
  /** Names of earlier claims, whose TXT values may still be in DNS. */
  readonly formerDomains?: readonly string[] | undefined;
  /** Id of the invocation that claims. */
  readonly run: string;
  /** Until when that invocation may be alive. After it another one may take the claim over. */
  readonly deadline: Date;
  /** The finalized order that a run has polled in vain, and when that was first so. */
  readonly unfinished?: { readonly orderUrl: string; readonly since: Date } | undefined;
  /** The order whose certificate the CA has issued and does not hand out, and when that was first so. */
  readonly unfetched?: { readonly orderUrl: string; readonly since: Date } | undefined;
  /** Specification of a registered certificate, kept here so that storing the certificate does not lose
   *  it. */
  readonly spec?: StoredSpec | undefined;
}

/** No function runs longer (AWS Lambda), and clocks differ a little. */
const longestInvocationMs = 20 * 60_000;

/** Whether the invocation that claimed until `deadline` may still be alive. False for a deadline later than
 *  any invocation can have: somebody else wrote it. */
export function mayBeAlive(deadline: Date, now: Date): boolean {
  const leftMs = deadline.getTime() - now.getTime();
  return leftMs > 0 && leftMs <= longestInvocationMs;
}

/** The specification if it does not come from the inventory file, else `undefined`. */
export function registeredSpec(spec: CertificateSpec | StoredSpec): StoredSpec | undefined {
  return 'source' in spec ? spec : undefined;
}

/** Version id under which an order's certificate is stored: the same order always gives the same version, so
 *  that storing it twice is storing it once. 64 hex digits, as ClientRequestToken allows. */
export function versionOfOrder(orderUrl: string): string {
  return createHash('sha256').update(orderUrl).digest('hex');
}
