// What is inside a keyChange request: the new key's own word that it takes over an account (RFC 8555
// §7.3.5).
import * as z from 'zod';
import { importJwk, type PublicKey, readJws, verifyJws } from './jws.ts';
import { malformed } from './problem.ts';
import { parsePayload } from './reply.ts';

const takeover = z.object({ account: z.string(), oldKey: z.unknown() });

/** The new key, where everything about the request is right for an account with this URL and key.
 *  @throws Problem `malformed`, `badPublicKey`, `badSignatureAlgorithm` */
export function readKeyChange(
  payload: Buffer,
  expected: { readonly url: string; readonly accountUrl: string; readonly publicKey: PublicKey },
): PublicKey {
  const inner = readJws(payload);
  const { jwk, nonce, url } = inner.header;
  if (jwk === undefined) throw malformed('the inner JWS has no "jwk"');
  if (nonce !== undefined) throw malformed('the inner JWS has a "nonce"');
  if (url !== expected.url) throw malformed(`"url" of the inner JWS is "${url}", not "${expected.url}"`);
  const publicKey = importJwk(jwk);
  verifyJws(inner, publicKey);
  const { account, oldKey } = parsePayload(takeover, inner.payload);
  if (account !== expected.accountUrl) throw malformed(`the account "${account}" is not the one that signed`);
  if (importJwk(oldKey).thumbprint !== expected.publicKey.thumbprint)
    throw malformed('"oldKey" is not the key of the account');
  if (publicKey.thumbprint === expected.publicKey.thumbprint) throw malformed('the new key is the old one');
  return publicKey;
}
