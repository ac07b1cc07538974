// External account binding: a new account's key, signed with a MAC key that the CA gave out before (RFC 8555
// §7.3.4).
import { createHmac, timingSafeEqual } from 'node:crypto';
import { importJwk, type PublicKey, takeApart } from './jws.ts';
import { malformed, Problem, unauthorized } from './problem.ts';
import type { Settings } from './settings.ts';

const hashes: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

/** Checks the binding in a request to `url` that `publicKey` signed. None is fine where none is required.
 *  @throws Problem `externalAccountRequired`, `malformed`, `unauthorized`, `badPublicKey` */
export function checkBinding(
  binding: unknown,
  publicKey: PublicKey,
  url: string,
  { externalAccountRequired, externalAccounts }: Settings,
): void {
  if (binding === undefined) {
    if (!externalAccountRequired) return;
    throw new Problem('externalAccountRequired', 403, 'a new account must have an externalAccountBinding');
  }
  const { header, payload, signedBytes, signature } = takeApart(binding);
  const hash = hashes[header.alg];
  if (hash === undefined) throw malformed(`the binding's algorithm "${header.alg}" is no MAC`);
  if (header.nonce !== undefined) throw malformed('the binding has a "nonce"');
  if (header.kid === undefined) throw malformed('the binding has no "kid"');
  if (header.url !== url) throw malformed(`the binding's "url" is "${header.url}", not "${url}"`);
  const key = externalAccounts.get(header.kid);
  if (key === undefined) throw unauthorized(`the binding's key "${header.kid}" is not known`);
  const mac = createHmac(hash, Buffer.from(key, 'base64url')).update(signedBytes).digest();
  if (signature.length !== mac.length || !timingSafeEqual(signature, mac)) {
    throw unauthorized('the MAC of the binding does not verify');
  }
  if (importJwk(parseJson(payload)).thumbprint !== publicKey.thumbprint) {
    throw new Problem(
      'badPublicKey',
      400,
      'the binding is for another key than the one that signed the request',
    );
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
