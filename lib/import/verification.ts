// Judges what is to be imported, before anything is written.

import { type Bundle, type BundleProblem, verifyBundle } from '../certificate/bundle.ts';
import { UnparsableError } from '../certificate/der.ts';
import { measureDhPrime } from '../certificate/dh-parameters.ts';
import { certificatesIn } from '../certificate/pem.ts';
import { type CertificateMaterial, readCertificateMaterial } from './material.ts';

/** Why a certificate cannot be imported. */
export type ImportProblem = BundleProblem | 'Unreadable' | 'WeakDhParameters';

/** What can be stored, with remarks for a person; or the first problem, in a sentence that quotes nothing. */
export type ImportVerdict =
  | { readonly ok: true; readonly bundle: Bundle; readonly notes: readonly string[] }
  | { readonly ok: false; readonly problem: ImportProblem; readonly message: string };

/** Smaller groups are within reach of an attacker (RFC 7919 §1). */
const minDhBits = 2048;

/** Whether the text of an AWS secret holds a certificate that servers can use for exactly these names at `now`. */
export function verifyImport(text: string, domains: readonly string[], now: Date): ImportVerdict {
  const material = readCertificateMaterial(text);
  if ('problem' in material) return refuse('Unreadable', material.problem);
  const verdict = verifyBundle({ ...material, domains }, now);
  if (!verdict.ok) return verdict;
  const { bundle } = verdict;
  const weakness = findDhWeakness(material);
  return weakness === undefined
    ? { ok: true, bundle, notes: remarks(bundle, material) }
    : refuse('WeakDhParameters', weakness);
}

function findDhWeakness({ dhParameters }: CertificateMaterial): string | undefined {
  if (dhParameters === undefined) return undefined;
  try {
    const bits = measureDhPrime(dhParameters);
    if (bits >= minDhBits) return undefined;
    return `its dhparam has ${bits} bits, and under ${minDhBits} TLS can be broken: leave it out, Certrelay delivers ffdhe2048`;
  } catch (error) {
    if (error instanceof UnparsableError)
      return `its dhparam cannot be read (${error.message}): leave it out`;
    throw error;
  }
}

function remarks({ chain }: Bundle, { dhParameters }: CertificateMaterial): readonly string[] {
  const isLeafAlone = certificatesIn(chain).length === 1;
  return [
    ...(isLeafAlone
      ? [
          'the chain is the leaf alone: clients that do not hold its issuer refuse it (certbot: fullchain.pem)',
        ]
      : []),
    ...(dhParameters === undefined ? [] : ['its dhparam is not kept: formats that have one get ffdhe2048']),
  ];
}

function refuse(problem: ImportProblem, message: string): ImportVerdict {
  return { ok: false, problem, message };
}
