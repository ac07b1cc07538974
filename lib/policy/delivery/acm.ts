// Decides what a target in AWS Certificate Manager needs, and which ARN is its own.
import type { KeyType } from '../../certificate/spec.ts';
import { readCertificate } from '../../certificate/x509.ts';
import type { Delivery } from './secret.ts';

/** What is under an ARN. */
export interface AcmCertificate {
  readonly arn: string;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  /** Absent for a key that no inventory can ask for. */
  readonly keyType: KeyType | undefined;
}

/** What to do: `create` imports under a new ARN, `apply` over what is there. */
export type ImportPlan =
  | { readonly action: 'create' | 'apply' | 'keep' }
  | { readonly action: 'refuse'; readonly code: 'KeyTypeConflict'; readonly message: string };

/** Judges the certificate that is under the target's ARN. ACM keeps the type of the key under an ARN for ever, so another
 *  one is refused before it is tried. */
export function planImport(delivery: Delivery, found: AcmCertificate | undefined): ImportPlan {
  if (found === undefined) return { action: 'create' };
  if (found.fingerprint === delivery.fingerprint) return { action: 'keep' };
  const { keyType } = readCertificate(delivery.chain);
  if (found.keyType === keyType) return { action: 'apply' };
  const [there, ours] = [found.keyType, keyType].map((type) => type ?? 'of another type');
  const message = `the key under ${found.arn} is ${there}, that of ${delivery.certificate} is ${ours}, and ACM does not change the type under one ARN: set "key" back, or delete the certificate in ACM so that it gets a new ARN, once nothing uses it`;
  return { action: 'refuse', code: 'KeyTypeConflict', message };
}

/** The ARN of that region among those that are remembered. */
export function findArn(arns: readonly string[] | undefined, region: string): string | undefined {
  return arns?.find((arn) => arn.split(':')[3] === region);
}
