// Reads an account's private key from its PEM, and computes its thumbprint, which is part of each TXT value.
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { AcmeError } from '../../ports/acme.ts';

/** The private key in a PEM: P-256, P-384 or RSA.
 *  @throws AcmeError `Malformed` if the text is not a private key, or one of another type. */
export function readAccountKey(pem: string): KeyObject {
  const key = parsePrivateKey(pem);
  const { asymmetricKeyType: type, asymmetricKeyDetails: { namedCurve } = {} } = key;
  if (type === 'rsa' || namedCurve === 'prime256v1' || namedCurve === 'secp384r1') return key;
  const advice =
    'import a P-256, P-384 or RSA key in its place, or delete the AWS secret of the account to register a new account';
  throw new AcmeError(
    'Malformed',
    `the stored ACME account key is of type ${namedCurve ?? type}, which cannot sign requests: ${advice}`,
  );
}

function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new AcmeError('Malformed', 'the stored ACME account key is not a private key in PEM');
  }
}

/** JWK thumbprint of an account key (RFC 7638): SHA-256 in base64url. */
export function thumbprint(key: KeyObject): string {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  const required = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url');
}
