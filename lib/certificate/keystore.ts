// Decides whether a Secret's PKCS#12 keystore can stay or must be written. Deriving keys from a password is
// slow, so a keystore is made once for each version and not by every invocation.
import { createHmac, createPrivateKey } from 'node:crypto';
import { earlierKeystoreRounds, writeKeystore } from './pkcs12.ts';

/** Fewest characters of a password that nobody can guess from a keystore. */
export const shortestPassword = 16;

/** A keystore with its seal. Without a seal an earlier version of Certrelay wrote it. */
export interface SealedKeystore {
  readonly bytes: Uint8Array;
  readonly seal?: string | undefined;
}

/** The keystore for this chain, key and password: the existing one if its seal proves that it is just that,
 *  else a new one. An existing keystore without a seal stays if it is, byte for byte, what earlier versions
 *  of Certrelay wrote. */
export function provideKeystore(
  pair: { readonly chain: string; readonly key: string },
  password: string,
  { bytes, seal }: { readonly bytes?: Uint8Array | undefined; readonly seal?: string | undefined } = {},
): SealedKeystore {
  if (bytes !== undefined && isOurs(pair, password, { bytes, seal })) return { bytes, seal };
  const made = writeKeystore(pair, password);
  return { bytes: made, seal: sealKeystore(pair, password, made) };
}

function isOurs(pair: Pair, password: string, { bytes, seal }: SealedKeystore): boolean {
  if (seal !== undefined) return seal === sealKeystore(pair, password, bytes);
  return writeKeystore(pair, password, earlierKeystoreRounds).equals(bytes);
}

type Pair = Parameters<typeof provideKeystore>[0];

/** HMAC-SHA256 under the certificate's private key, base64url. It binds bytes, password and chain to each
 *  other. Without the key it tells nothing about the password. */
function sealKeystore({ chain, key }: Pair, password: string, bytes: Uint8Array): string {
  const hmac = createHmac('sha256', createPrivateKey(key).export({ type: 'pkcs8', format: 'der' }));
  // With their lengths, so that nothing can move from one part to the next.
  for (const part of [bytes, Buffer.from(password), Buffer.from(chain)]) {
    hmac.update(`${part.length}:`).update(part);
  }
  return hmac.digest('base64url');
}
