// What certificate profiles allow, where a CA has published it (letsencrypt.org/docs/profiles, 2026-07-14).

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

/** How many names a certificate of this profile (absent: the CA's default) may have at most; `undefined` where it is not known. */
export function maxNamesOf(directory: string, profile: string | undefined): number | undefined {
  return known.get(directory)?.get(profile ?? 'classic');
}
