// Decides whether a certificate must be imported into AWS Certificate Manager, and under which ARN.
import type { KeyType } from '../../certificate/spec.ts';
import { readCertificate } from '../../certificate/x509.ts';
import type { Delivery } from './secret-plan.ts';

/** The certificate that ACM has under an ARN. */
export interface AcmCertificate {
  readonly arn: string;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  /** `undefined` if it is none of `keyTypes`. */
  readonly keyType: KeyType | undefined;
}

/** What to do for the target. `create` imports under a new ARN, `apply` replaces what the ARN has, `keep`
 *  does nothing. */
export type ImportPlan =
  | { readonly action: 'create' | 'apply' | 'keep' }
  | { readonly action: 'refuse'; readonly code: 'KeyTypeConflict'; readonly message: string };

/** Compares the certificate under the target's ARN with the one to deliver.
 *  ACM never changes the key type of an ARN, so another key type is refused before a call is made.
 *  @param found `undefined` if the target has no ARN yet. */
export function planImport(delivery: Delivery, found: AcmCertificate | undefined): ImportPlan {
  if (found === undefined) return { action: 'create' };
  if (found.fingerprint === delivery.fingerprint) return { action: 'keep' };
  const { keyType } = readCertificate(delivery.chain);
  if (found.keyType === keyType) return { action: 'apply' };
  const [imported, delivered] = [found.keyType, keyType].map((type) => type ?? 'another type');
  const message = `${found.arn} has a key of type ${imported}, certificate ${delivery.certificate} has ${delivered}, and ACM never changes the key type of an ARN: set "key" of the certificate back, or, once nothing uses the ARN, delete it in ACM to get a new one`;
  return { action: 'refuse', code: 'KeyTypeConflict', message };
}

/** The recorded ARN that is in the region; `undefined` if there is none. */
export function findArn(arns: readonly string[] | undefined, region: string): string | undefined {
  return arns?.find((arn) => arn.split(':')[3] === region);
}
