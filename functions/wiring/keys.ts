// Private keys, for functions of which few runs make one.
import type { KeyType } from '../../lib/certificate/spec.ts';

/** As `KeyMaker.generate`; what makes keys is loaded with the first one. */
export async function generateKeyLazily(type: KeyType): Promise<string> {
  const { keyMaker } = await import('../../lib/adapters/acme/keys.ts');
  return keyMaker.generate(type);
}
