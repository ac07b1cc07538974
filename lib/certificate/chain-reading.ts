// Takes the text of a chain apart into certificates: strictly, or whatever of it can be read.

import type { X509Certificate } from 'node:crypto';
import { UnparsableError } from './der.ts';
import { certificatesIn, derOf, holdsPrivateKey, splitPem } from './pem.ts';
import { parseCertificate } from './x509.ts';

/** More certificates than any CA sends; each one costs time. */
const maxCertificates = 50;

/** What could be read of a chain. */
export interface ReadableChain {
  /** Each certificate once, fifty at most. */
  readonly certificates: readonly X509Certificate[];
  /** How many different blocks were passed over: not to be read, cut off, or too many. */
  readonly passedOver: number;
}

/** Each certificate of the text. A private key among them is refused, because chains are shown and delivered
 *  openly.
 *  @throws UnparsableError for a block that cannot be read or is cut off, for none and for over fifty. */
export function readChain(pem: string): readonly X509Certificate[] {
  refusePrivateKey(pem);
  const certificates = certificatesIn(pem);
  if (certificates.length === 0) throw new UnparsableError('it holds no PEM certificate');
  if (countCutOff(pem) > 0) throw new UnparsableError('a PEM block is cut off');
  if (certificates.length > maxCertificates)
    throw new UnparsableError(`it holds over ${maxCertificates} certificates`);
  return certificates.map(parseCertificate);
}

/** What can be read of the text. Of over fifty certificates those that are wanted come first, then those that
 *  stand first.
 *  @throws UnparsableError if it holds a private key or no certificate that can be read. */
export function readWhatCanBe(
  pem: string,
  isWanted: (certificate: X509Certificate) => boolean,
): ReadableChain {
  refusePrivateKey(pem);
  const blocks = new Map(certificatesIn(pem).map((block) => [derOf(block).toString('base64'), block]));
  const all = [...blocks.values()].flatMap(readIfPossible);
  if (all.length === 0) throw new UnparsableError('it holds no PEM certificate that can be read');
  const wanted = all.length > maxCertificates ? all.filter(isWanted) : [];
  const certificates = [...new Set([...wanted, ...all])].slice(0, maxCertificates);
  return { certificates, passedOver: blocks.size - certificates.length + countCutOff(pem) };
}

function readIfPossible(block: string): readonly X509Certificate[] {
  try {
    return [parseCertificate(block)];
  } catch (error) {
    if (error instanceof UnparsableError) return [];
    throw error;
  }
}

function refusePrivateKey(pem: string): void {
  if (holdsPrivateKey(pem)) throw new UnparsableError('it holds a private key');
}

function countCutOff(pem: string): number {
  return pem.split('-----BEGIN ').length - 1 - splitPem(pem).length;
}
