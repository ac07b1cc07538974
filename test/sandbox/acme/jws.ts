// Signed request bodies: flattened JWS with the header RFC 8555 §6.2 asks for, and keys as JWK.
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import * as z from 'zod';
import { malformed, Problem } from './problem.ts';

/** Algorithms the CA accepts, each with the kind of key that it belongs to. */
const algorithms: Readonly<Record<string, { readonly hash: string; readonly key: string }>> = {
  RS256: { hash: 'sha256', key: 'rsa' },
  ES256: { hash: 'sha256', key: 'prime256v1' },
  ES384: { hash: 'sha384', key: 'secp384r1' },
};

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/);
const flattened = z.strictObject({
  protected: base64url.min(1),
  payload: base64url,
  signature: base64url.min(1),
});
const protectedHeader = z.object({
  alg: z.string(),
  nonce: z.string().optional(),
  url: z.string().optional(),
  kid: z.string().optional(),
  jwk: z.unknown().optional(),
});
const publicJwk = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: z.string(), x: base64url, y: base64url }),
  z.object({ kty: z.literal('RSA'), n: base64url, e: base64url }),
]);

/** A request body taken apart, not verified. */
export interface Jws {
  readonly header: z.infer<typeof protectedHeader>;
  /** Empty for POST-as-GET. */
  readonly payload: Buffer;
  readonly signedBytes: Buffer;
  readonly signature: Buffer;
}

/** A public key and its thumbprint (RFC 7638), which names an account's key. */
export interface PublicKey {
  readonly key: KeyObject;
  readonly thumbprint: string;
  /** Curve name, or `rsa`. */
  readonly kind: string;
}

/** Reads a request body; nothing is verified yet.
 *  @throws Problem `malformed`, `badSignatureAlgorithm` */
export function readJws(body: Buffer): Jws {
  const jws = takeApart(parseJson(body));
  const { alg, kid, jwk } = jws.header;
  if (!algorithms[alg]) throw unsupported(alg);
  if (kid !== undefined && jwk !== undefined) {
    throw malformed('"jwk" and "kid" exclude each other in the JWS header');
  }
  return jws;
}

/** A JWS of any algorithm, not verified.
 *  @throws Problem `malformed` */
export function takeApart(value: unknown): Jws {
  const outer = flattened.safeParse(value);
  if (!outer.success) throw malformed('not a flattened JWS with one signature and no unprotected header');
  const { data } = outer;
  const header = protectedHeader.safeParse(parseJson(Buffer.from(data.protected, 'base64url')));
  if (!header.success) throw malformed('the protected header of the JWS cannot be read');
  return {
    header: header.data,
    payload: Buffer.from(data.payload, 'base64url'),
    signedBytes: Buffer.from(`${data.protected}.${data.payload}`),
    signature: Buffer.from(data.signature, 'base64url'),
  };
}

/** @throws Problem `malformed`, `badSignatureAlgorithm` where key and algorithm do not belong together */
export function verifyJws(jws: Jws, { key, kind }: PublicKey): void {
  const algorithm = algorithms[jws.header.alg];
  if (!algorithm || algorithm.key !== kind) throw unsupported(jws.header.alg);
  if (!verify(algorithm.hash, jws.signedBytes, { key, dsaEncoding: 'ieee-p1363' }, jws.signature)) {
    throw malformed('the signature of the JWS does not verify');
  }
}

/** @throws Problem `malformed`, `badPublicKey` */
export function importJwk(jwk: unknown): PublicKey {
  const parsed = publicJwk.safeParse(jwk);
  if (!parsed.success) throw malformed('the JWK in the JWS header cannot be read');
  let key: KeyObject;
  try {
    key = createPublicKey({ key: parsed.data, format: 'jwk' });
  } catch {
    throw malformed('the JWK in the JWS header is not a key');
  }
  const weakness = weaknessOf(key);
  if (weakness) throw new Problem('badPublicKey', 400, weakness);
  return { key, thumbprint: thumbprintOf(key), kind: kindOf(key) };
}

/** Why a key is not accepted, for accounts and certificates alike; `undefined` where it is. */
export function weaknessOf(key: KeyObject): string | undefined {
  const kind = kindOf(key);
  if (kind === 'prime256v1' || kind === 'secp384r1') return undefined;
  if (kind !== 'rsa') return `a key of type ${kind} is not supported; use P-256, P-384 or RSA`;
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (![2048, 3072, 4096].includes(modulusLength)) {
    return `an RSA key of ${modulusLength} bits is not supported; use 2048, 3072 or 4096`;
  }
  return publicExponent === 65_537n ? undefined : 'an RSA key must have the exponent 65537';
}

/** RFC 7638: the required members in lexical order, without spaces. */
export function thumbprintOf(key: KeyObject): string {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

function kindOf(key: KeyObject): string {
  return key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? 'unknown';
}

function unsupported(algorithm: string): Problem {
  const supported = Object.keys(algorithms);
  return new Problem(
    'badSignatureAlgorithm',
    400,
    `JWS algorithm "${algorithm}" does not fit: ${supported.join(', ')}`,
    {
      members: { algorithms: supported },
    },
  );
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
