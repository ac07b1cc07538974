// Finds the certificate of a private key among others.

import type { KeyObject, X509Certificate } from 'node:crypto';
import { isSelfSigned } from './path.ts';
import { validityOf } from './validity.ts';
import { type CertificateFacts, factsOf } from './x509.ts';

/** What makes one certificate of a key better than another. */
export interface LeafPreference {
  readonly hasNames: (facts: CertificateFacts) => boolean;
  readonly isUsable: (certificate: X509Certificate) => boolean;
}

/** The certificate that the key belongs to; `undefined` if it is none of these. Of several, such as one and
 *  its renewal: one that an authority has signed, that has the names, that is usable, that begins last, in
 *  that order. Their order changes nothing. */
export function chooseLeaf(
  certificates: readonly X509Certificate[],
  key: KeyObject,
  { hasNames, isUsable }: LeafPreference,
): X509Certificate | undefined {
  const holders = certificates.filter((certificate) => belongsTo(certificate, key));
  if (holders.length < 2) return holders[0];
  const ranks = new Map(
    holders.map((one) => [
      one,
      [isSelfSigned(one) ? 0 : 1, canRead(one, hasNames) ? 1 : 0, isUsable(one) ? 1 : 0, beginOf(one)],
    ]),
  );
  const compare = (one: X509Certificate, other: X509Certificate): number => {
    const [mine = [], others = []] = [ranks.get(one), ranks.get(other)];
    const difference = others.map((value, index) => value - (mine[index] ?? 0)).find((value) => value !== 0);
    return difference ?? (one.fingerprint256 < other.fingerprint256 ? -1 : 1);
  };
  return holders.toSorted(compare)[0];
}

/** Whether the private key is that of the certificate. */
export function belongsTo(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    return false;
  }
}

function canRead(certificate: X509Certificate, test: (facts: CertificateFacts) => boolean): boolean {
  try {
    return test(factsOf(certificate));
  } catch {
    return false;
  }
}

function beginOf(certificate: X509Certificate): number {
  return validityOf(certificate).notBefore.getTime() || 0;
}
