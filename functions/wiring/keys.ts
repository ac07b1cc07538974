// Makes private keys, for functions that rarely need one.
import type { KeyType } from '../../lib/certificate/spec.ts';

/** As `KeyMaker.generate`. The code is loaded with the first key. */
export async function generateKeyLazily(type: KeyType): Promise<string> {
  const { keyMaker } = await import('../../lib/adapters/acme/keys.ts');
  return keyMaker.generate(type);
}
