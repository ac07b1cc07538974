// Reads the size of Diffie-Hellman parameters.
import { derTag, expectTag, readElements, readOnly, UnparsableError } from './der.ts';
import { derOf, splitPem } from './pem.ts';

/** Length in bits of the prime in `DH PARAMETERS` PEM (PKCS #3 §9).
 *  @throws UnparsableError for any other text. */
export function measureDhPrime(pem: string): number {
  const block = splitPem(pem).find(({ label }) => label === 'DH PARAMETERS');
  if (block === undefined) throw new UnparsableError('no PEM of Diffie-Hellman parameters');
  const [prime] = readElements(readOnly(derOf(block.text), derTag.sequence).contents);
  const hex = Buffer.from(expectTag(prime, derTag.integer).contents).toString('hex');
  return hex === '' ? 0 : BigInt(`0x${hex}`).toString(2).length;
}
