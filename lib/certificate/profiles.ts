// What certificate profiles allow, if the CA has published it (letsencrypt.org/docs/profiles, 2026-07-14).

/** Let's Encrypt's profiles; an order that names none is of the first. */
const letsEncrypt: ReadonlyMap<string, number> = new Map([
  ['classic', 100],
  ['tlsserver', 25],
  ['shortlived', 25],
]);

const known: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map([
  ['https://acme-v02.api.letsencrypt.org/directory', letsEncrypt],
  ['https://acme-staging-v02.api.letsencrypt.org/directory', letsEncrypt],
]);

/** Most names in a certificate of the profile (absent: the CA's default); `undefined` if the CA has not
 *  published it. */
export function maxNamesOf(directory: string, profile: string | undefined): number | undefined {
  return known.get(directory)?.get(profile ?? 'classic');
}
