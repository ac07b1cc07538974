// Writes certificate signing requests (PKCS #10, RFC 2986) in DER and PEM.

import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { writeElement, writeInteger } from '../../certificate/der-writing.ts';
import { writePem } from '../../certificate/pem.ts';

/** Longest common name, in characters (RFC 5280, appendix A.1: ub-common-name). */
const maxCommonName = 64;

/** Identifier octets of the elements in a request. */
const tag = {
  bitString: 0x03,
  octetString: 0x04,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  attributes: 0xa0,
  dnsName: 0x82,
} as const;

/** Object identifiers in DER, tag and length included. */
const oid = {
  commonName: Buffer.from('0603550403', 'hex'),
  subjectAltName: Buffer.from('0603551d11', 'hex'),
  extensionRequest: Buffer.from('06092a864886f70d01090e', 'hex'),
} as const;

/** AlgorithmIdentifiers in DER (RFC 5758 §3.2, RFC 8017 §A.2). */
const algorithms = {
  ecdsaWithSha256: Buffer.from('300a06082a8648ce3d040302', 'hex'),
  ecdsaWithSha384: Buffer.from('300a06082a8648ce3d040303', 'hex'),
  rsaWithSha256: Buffer.from('300d06092a864886f70d01010b0500', 'hex'),
} as const;

/** A request for certificate names, as PEM. `key` is the certificate's private key as PEM. The common name is
 *  the first of the names with at most 64 characters, or empty if all are longer. */
export function writeSigningRequest(key: string, domains: readonly string[]): string {
  const privateKey = createPrivateKey(key);
  const information = writeElement(
    tag.sequence,
    writeInteger(0),
    writeSubject(domains.find((domain) => domain.length <= maxCommonName)),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    writeAttributes(domains),
  );
  const { hash, identifier } = algorithmFor(privateKey);
  const signature = sign(hash, information, privateKey);
  const request = writeElement(tag.sequence, information, identifier, bits(signature));
  return writePem('CERTIFICATE REQUEST', request);
}

function writeSubject(commonName: string | undefined): Buffer {
  if (commonName === undefined) return writeElement(tag.sequence);
  const value = writeElement(tag.utf8String, Buffer.from(commonName));
  return writeElement(tag.sequence, writeElement(tag.set, writeElement(tag.sequence, oid.commonName, value)));
}

/** The attributes: one extensionRequest (RFC 2985 §5.4.2) with one extension, subjectAltName. */
function writeAttributes(domains: readonly string[]): Buffer {
  const names = writeElement(
    tag.sequence,
    ...domains.map((domain) => writeElement(tag.dnsName, Buffer.from(domain, 'ascii'))),
  );
  const extension = writeElement(tag.sequence, oid.subjectAltName, writeElement(tag.octetString, names));
  const extensions = writeElement(tag.set, writeElement(tag.sequence, extension));
  return writeElement(tag.attributes, writeElement(tag.sequence, oid.extensionRequest, extensions));
}

function algorithmFor(key: KeyObject): { readonly hash: string; readonly identifier: Buffer } {
  if (key.asymmetricKeyType === 'rsa') return { hash: 'sha256', identifier: algorithms.rsaWithSha256 };
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
    ? { hash: 'sha384', identifier: algorithms.ecdsaWithSha384 }
    : { hash: 'sha256', identifier: algorithms.ecdsaWithSha256 };
}

/** A BIT STRING of whole bytes. */
function bits(bytes: Buffer): Buffer {
  return writeElement(tag.bitString, Buffer.from([0]), bytes);
}
