// Verifies a certificate to import, before anything is written.

import { type Bundle, type BundleProblem, buildBundle } from '../certificate/bundle.ts';
import { UnparsableError } from '../certificate/der.ts';
import { measureDhPrime } from '../certificate/dh-parameters.ts';
import { certificatesIn } from '../certificate/pem.ts';
import { type CertificateMaterial, readCertificateMaterial } from './material.ts';

/** Why a certificate cannot be imported. */
export type ImportProblem = BundleProblem | 'Unreadable' | 'SelfSigned' | 'WeakDhParameters';

/** The verified certificate with notes for people; or its first problem,
 *  in a sentence that quotes nothing of it. */
export type ImportVerification =
  | { readonly ok: true; readonly bundle: Bundle; readonly notes: readonly string[] }
  | { readonly ok: false; readonly problem: ImportProblem; readonly message: string };

/** Attackers can break smaller groups (RFC 7919 §1). */
const minDhBits = 2048;

/** What a certificate must be to be imported. */
export interface ImportDemands {
  /** The exact names that it must be for, in any order. */
  readonly domains: readonly string[];
  /** The instant at which it must be valid. */
  readonly now: Date;
  /** Whether a self-signed certificate may be imported. Default: false. */
  readonly selfSigned?: boolean | undefined;
}

/** Verifies that a text has a certificate and key that servers can use, and builds its chain from the
 *  certificates of the text. */
export function verifyImport(
  text: string,
  { domains, now, selfSigned = false }: ImportDemands,
): ImportVerification {
  const material = readCertificateMaterial(text);
  if ('problem' in material) return refuse('Unreadable', material.problem);
  const verified = buildBundle({ ...material, domains }, now);
  if (!verified.ok) return verified;
  const { bundle } = verified;
  if (bundle.isSelfSigned && !selfSigned) return refuse('SelfSigned', selfSignedRefusal);
  const weakness = findDhWeakness(material);
  return weakness === undefined
    ? { ok: true, bundle, notes: describeNotes(bundle, material) }
    : refuse('WeakDhParameters', weakness);
}

function findDhWeakness({ dhParameters }: CertificateMaterial): string | undefined {
  if (dhParameters === undefined) return undefined;
  try {
    const bits = measureDhPrime(dhParameters);
    if (bits >= minDhBits) return undefined;
    return `its dhparam has ${bits} bits, and fewer than ${minDhBits} are not safe; leave it out, Certrelay delivers ffdhe2048`;
  } catch (error) {
    if (error instanceof UnparsableError)
      return `its dhparam cannot be read (${error.message}); leave it out`;
    throw error;
  }
}

const selfSignedRefusal =
  'the certificate is self-signed, so only clients that have a copy of it trust it; to import it all the same, add "selfSigned": true to the event';

function describeNotes(
  { chain, isSelfSigned, leftOut }: Bundle,
  { dhParameters }: CertificateMaterial,
): readonly string[] {
  const isLeafAlone = certificatesIn(chain).length === 1;
  return [
    ...(isLeafAlone && !isSelfSigned
      ? [
          'the chain has only the leaf, so many clients will refuse it; import the full chain (certbot: fullchain.pem)',
        ]
      : []),
    ...(isSelfSigned ? ['the certificate is self-signed; only clients that have a copy of it trust it'] : []),
    ...(leftOut > 0
      ? [`${leftOut} of the certificates were left out; they are not part of its chain, or not valid now`]
      : []),
    ...(dhParameters === undefined ? [] : ['its dhparam is not kept; formats with a dhparam get ffdhe2048']),
  ];
}

function refuse(problem: ImportProblem, message: string): ImportVerification {
  return { ok: false, problem, message };
}
