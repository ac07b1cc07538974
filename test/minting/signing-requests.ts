// Certificate signing requests for the CA's contract, good ones and bad ones.
import 'reflect-metadata';
import { createPublicKey, KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);
const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A signing request as finalize takes it. */
export interface SigningRequest {
  /** base64url of the DER, as finalize takes it. */
  readonly csr: string;
  /** DER (SubjectPublicKeyInfo) of the key that it asks a certificate for. */
  readonly publicKey: Buffer;
}

/** A signing request for the names as alternative names, with a new P-256 key if not given another. */
export async function mintSigningRequest(
  names: readonly string[],
  options: {
    readonly key?: KeyObject | undefined;
    readonly commonName?: string;
    readonly rsaBits?: number;
  } = {},
): Promise<SigningRequest> {
  const algorithm = options.rsaBits
    ? {
        name: 'RSASSA-PKCS1-v1_5',
        hash: 'SHA-256',
        publicExponent: new Uint8Array([1, 0, 1]),
        modulusLength: options.rsaBits,
      }
    : p256;
  const keys = options.key
    ? await importPair(options.key)
    : await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    ...(options.commonName !== undefined && { name: `CN=${options.commonName}` }),
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))],
  });
  return {
    csr: Buffer.from(request.rawData).toString('base64url'),
    publicKey: KeyObject.from(keys.publicKey).export({ format: 'der', type: 'spki' }),
  };
}

/** The same request with its last byte changed: the signature no longer verifies. */
export function breakSignature(csr: string): string {
  const der = Buffer.from(csr, 'base64url');
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  return der.toString('base64url');
}

async function importPair(key: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, p256, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, p256, true, ['verify']),
  };
}
