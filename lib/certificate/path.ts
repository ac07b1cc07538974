// Builds certification paths (RFC 5280 §6): from a leaf through the authorities that signed one another, out
// of certificates in any order.

import type { X509Certificate } from 'node:crypto';
import { validityOf } from './validity.ts';

/** Certificates of which each is signed by the next one; the leaf comes first. */
export type CertificatePath = readonly [X509Certificate, ...X509Certificate[]];

/** Each signature check costs time. Only certificates whose names and key identifiers fit cost one. */
const maxSignatureChecks = 200;
/** Cross-signed authorities can make very many paths: the search ends after so many steps. */
const maxSteps = 5_000;

/** Paths from the leaf that cannot be made any longer, the best one first: one whose issuer lasts as long
 *  as the leaf, and then all of whose authorities do, or else lasts longest; of those the longest; of
 *  those one that does not end with a root, because clients have roots of their own; of those the one
 *  whose authorities end last. The order of `others` and copies in it change nothing. `isUsable`:
 *  authorities for which it is false are on no path. A path has no key twice, and ends at a certificate
 *  that signed itself. */
export function findPaths(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  isUsable: (authority: X509Certificate) => boolean = () => true,
): readonly CertificatePath[] {
  const authorities = withoutCopies(others)
    .filter((one) => one.ca && isUsable(one))
    .toSorted(compareFingerprints);
  const issuersOf = createIssuersOf(authorities);
  const identities = new Map([leaf, ...authorities].map((one) => [one, identityOf(one)]));
  const paths: CertificatePath[] = [];
  let steps = 0;
  const extend = (path: CertificatePath): void => {
    steps += 1;
    const known = new Set(path.map((one) => identities.get(one)));
    const next = issuersOf(path.at(-1) ?? leaf).filter((issuer) => !known.has(identities.get(issuer)));
    if (next.length === 0 || steps > maxSteps) paths.push(path);
    else for (const issuer of next) extend([...path, issuer]);
  };
  extend([leaf]);
  return sortPaths(paths);
}

/** The certificates that signed this one, in the order of `others`, without itself. */
export function issuersIn(
  certificate: X509Certificate,
  others: readonly X509Certificate[],
): readonly X509Certificate[] {
  return createIssuersOf(withoutCopies(others))(certificate);
}

/** Whether `issuer` is an authority that signed the certificate: by name, key identifier, key usage and
 *  signature. */
export function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return mayBeIssuedBy(certificate, issuer) && hasSignatureOf(certificate, issuer);
}

/** Whether a certificate is signed with its own key, be it an authority or not. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && hasSignatureOf(certificate, certificate);
}

/** Each certificate once, in order of first appearance. */
export function withoutCopies(certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  const byFingerprint = new Map<string, X509Certificate>();
  for (const one of certificates)
    if (!byFingerprint.has(one.fingerprint256)) byFingerprint.set(one.fingerprint256, one);
  return [...byFingerprint.values()];
}

/** Looks issuers up once for each certificate, within `maxSignatureChecks`. */
function createIssuersOf(
  authorities: readonly X509Certificate[],
): (certificate: X509Certificate) => readonly X509Certificate[] {
  const known = new Map<string, readonly X509Certificate[]>();
  let checks = 0;
  const find = (certificate: X509Certificate): readonly X509Certificate[] => {
    const fitting = authorities.filter(
      (one) => one.fingerprint256 !== certificate.fingerprint256 && mayBeIssuedBy(certificate, one),
    );
    if (fitting.length === 0 || isSelfSigned(certificate)) return [];
    return fitting.filter((one) => {
      checks += 1;
      return checks <= maxSignatureChecks && hasSignatureOf(certificate, one);
    });
  };
  return (certificate) => {
    const issuers = known.get(certificate.fingerprint256) ?? find(certificate);
    known.set(certificate.fingerprint256, issuers);
    return issuers;
  };
}

function mayBeIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return issuer.ca && certificate.checkIssued(issuer);
  } catch {
    return false;
  }
}

function hasSignatureOf(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A key that OpenSSL cannot read or use has signed nothing.
    return false;
  }
}

/** The same for all certificates of one authority, cross-signed ones too: its name and key. */
function identityOf(certificate: X509Certificate): string {
  try {
    const key = certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    return `${certificate.subject}\n${key}`;
  } catch {
    return certificate.fingerprint256;
  }
}

/** There are very many of them: each is looked at once. */
function sortPaths(paths: readonly CertificatePath[]): readonly CertificatePath[] {
  const ranked = paths.map((path) => ({ path, ranks: ranksOf(path), name: path.map(fingerprintOf).join() }));
  ranked.sort((one, other) => {
    const difference = other.ranks
      .map((rank, index) => rank - (one.ranks[index] ?? 0))
      .find((by) => by !== 0);
    return difference ?? (one.name < other.name ? -1 : 1);
  });
  return ranked.map(({ path }) => path);
}

/** What makes a path better than another, the most important first; more is better. */
function ranksOf(path: CertificatePath): readonly number[] {
  const root = endsWithRoot(path) ? 0 : 1;
  return [usableUntil(path.slice(0, 2)), usableUntil(path), path.length, root, endOf(path)];
}

/** When the first of the certificates ends, in epoch milliseconds. */
function usableUntil(path: readonly X509Certificate[]): number {
  return Math.min(...path.map((one) => validityOf(one).notAfter.getTime() || 0));
}

function endsWithRoot(path: CertificatePath): boolean {
  const top = path.at(-1);
  return top !== undefined && path.length > 1 && top.subject === top.issuer;
}

/** When the first of the authorities ends, in epoch milliseconds; 0 without authorities. */
function endOf([, ...authorities]: CertificatePath): number {
  return authorities.length === 0 ? 0 : usableUntil(authorities);
}

function compareFingerprints(one: X509Certificate, other: X509Certificate): number {
  return one.fingerprint256 < other.fingerprint256 ? -1 : 1;
}

function fingerprintOf({ fingerprint256 }: X509Certificate): string {
  return fingerprint256;
}
