// The socket between the deploy story and AWS Certificate Manager (ACM); each comment is part of the
// contract.
import type { AcmCertificate } from '../policy/delivery/acm.ts';
import { CertrelayError } from './errors.ts';

/** By AWS Certificate Manager. `Denied`, `Throttled`: as AWS says. `LimitExceeded`: a quota of the account.
 *  `NotFound`: no certificate has the ARN. `NotImported`: one that ACM issued itself. `KeyTypeConflict`:
 *  under that ARN the key stays of another type. `Rejected`: it does not take the certificate. `Failed`:
 *  anything else. */
export type CertificateManagerErrorCode =
  | 'Denied'
  | 'Throttled'
  | 'LimitExceeded'
  | 'NotFound'
  | 'NotImported'
  | 'KeyTypeConflict'
  | 'Rejected'
  | 'Failed';

/** What AWS Certificate Manager did not do; the code says why. */
export class CertificateManagerError extends CertrelayError<CertificateManagerErrorCode> {}

/** ACM in one region of the caller's account. Every call may be made twice but for an `import` without `arn`,
 *  and fails with a `CertificateManagerError`, or the signal's reason. */
export interface CertificateManager {
  /** `undefined` where there is no certificate under the ARN. */
  read(arn: string, signal: AbortSignal): Promise<AcmCertificate | undefined>;
  /** Whether it was imported; what ACM issued itself cannot be imported over. */
  isImported(arn: string, signal: AbortSignal): Promise<boolean>;
  /** ARNs of the imported certificates that carry the tag of our certificate `name`, in the order of their
   *  text. Looked for among those that are for one of `domains`. */
  find(name: string, domains: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** Imports over what is under `arn`, or where there is none under a new ARN that carries the tag of `name`;
   *  gives the ARN. `chain` is PEM, leaf first, `key` PKCS#8 PEM. */
  import(
    material: {
      readonly name: string;
      readonly chain: string;
      readonly key: string;
      readonly arn?: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<string>;
  /** Closes idle connections. */
  close(): void;
}

/** Gives ACM in that region. Whoever asked for it, and nobody else, closes it. */
export type ConnectCertificateManager = (region: string) => Promise<CertificateManager>;
