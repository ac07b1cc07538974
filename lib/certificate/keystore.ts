// The keystore of a Secret: which bytes it is to hold, given those that it holds. Deriving keys from a password is dear, so that it
// is done once for each version and not in each pass.
import { createHmac, createPrivateKey } from 'node:crypto';
import { earlierKeystoreRounds, writeKeystore } from './pkcs12.ts';

/** Of a password's characters, from which on nobody can guess it through a keystore. */
export const shortestPassword = 16;

/** A keystore with its seal; without one as versions before seals wrote it. */
export interface SealedKeystore {
  readonly bytes: Uint8Array;
  readonly seal?: string | undefined;
}

/** Gives what is held, where that is a keystore of just this chain, key and password as it was written, and else a new one.
 *  Without a seal it must be, byte for byte, what versions before seals wrote: such a one stays until the next certificate. */
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

/** HMAC-SHA256 under the certificate's private key, base64url: it binds bytes, password and chain to each other, and tells
 *  nothing of the password to whoever has not that key. */
function sealKeystore({ chain, key }: Pair, password: string, bytes: Uint8Array): string {
  const hmac = createHmac('sha256', createPrivateKey(key).export({ type: 'pkcs8', format: 'der' }));
  // With their lengths, so that nothing can move from one part to the next.
  for (const part of [bytes, Buffer.from(password), Buffer.from(chain)]) {
    hmac.update(`${part.length}:`).update(part);
  }
  return hmac.digest('base64url');
}
