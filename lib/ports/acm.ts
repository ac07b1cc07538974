// Port to AWS Certificate Manager (ACM). Each comment is part of the contract.
import type { AcmCertificate } from '../policy/delivery/acm.ts';
import { CertrelayError } from './errors.ts';

/** Why a call to ACM failed.
 *  - `Denied`: the IAM role lacks a right.
 *  - `Throttled`: too many requests in the account.
 *  - `LimitExceeded`: a quota of the account is used up.
 *  - `NotFound`: no certificate has the ARN.
 *  - `NotImported`: ACM itself issued the certificate with the ARN, so nothing can be imported over it.
 *  - `KeyTypeConflict`: the certificate with the ARN has a key of another type, which cannot change.
 *  - `Rejected`: ACM refuses the certificate.
 *  - `Failed`: anything else. */
export type CertificateManagerErrorCode =
  | 'Denied'
  | 'Throttled'
  | 'LimitExceeded'
  | 'NotFound'
  | 'NotImported'
  | 'KeyTypeConflict'
  | 'Rejected'
  | 'Failed';

/** A failed call to AWS Certificate Manager. */
export class CertificateManagerError extends CertrelayError<CertificateManagerErrorCode> {}

/** ACM in one region of the caller's account. Every call rejects with a `CertificateManagerError`, or with
 *  the signal's reason. Every call may be repeated, except an `import` without `arn`, which makes another
 *  certificate. */
export interface CertificateManager {
  /** The certificate with this ARN; `undefined` if there is none. */
  read(arn: string, signal: AbortSignal): Promise<AcmCertificate | undefined>;
  /** Whether the certificate was imported. Nothing can be imported over one that ACM issued itself. */
  isImported(arn: string, signal: AbortSignal): Promise<boolean>;
  /** ARNs, sorted, of the imported certificates with the tag of our certificate `name`. Searches only
   *  certificates that have one of `domains`. */
  find(name: string, domains: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** Imports a certificate and returns its ARN. With `arn` it replaces the certificate there. Without, it
   *  gets a new ARN and the tag of our certificate `name`. `chain` is PEM, leaf first; `key` is PKCS#8
   *  PEM. */
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

/** Connects to ACM in a region. The caller closes the connection. */
export type ConnectCertificateManager = (region: string) => Promise<CertificateManager>;
