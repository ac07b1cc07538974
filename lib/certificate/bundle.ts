// Verifies that a chain and a key are what a server can use: nothing is stored or delivered that did not pass here.

import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { UnparsableError } from './der.ts';
import { sameNames } from './names.ts';
import { certificatesIn, holdsPrivateKey } from './pem.ts';
import { type CertificateFacts, factsOf, parseCertificate } from './x509.ts';

/** A verified chain and key, in one canonical spelling. */
export interface Bundle {
  /** PEM, leaf first, 64 columns, one newline at the end. */
  readonly chain: string;
  /** PKCS#8 PEM. */
  readonly key: string;
  /** Facts of the leaf. */
  readonly facts: CertificateFacts;
  /** End of the first certificate of the path to end: the leaf's own, as a rule. */
  readonly validUntil: Date;
}

/** `Unparsable`: chain or key cannot be read. `NotLeafFirst`: the key is that of a later certificate. `KeyMismatch`: of none.
 *  `NamesChanged`: not exactly the names asked for. `ChainBroken`: a certificate is not signed by the next one.
 *  `Expired`, `NotYetValid`: one of the path has ended, or begins later, at the instant given. */
export type BundleProblem =
  | 'Unparsable'
  | 'NotLeafFirst'
  | 'KeyMismatch'
  | 'NamesChanged'
  | 'ChainBroken'
  | 'Expired'
  | 'NotYetValid';

/** The bundle, or the first problem found and a sentence about it that holds no PEM. */
export type BundleVerdict =
  | { readonly ok: true; readonly bundle: Bundle }
  | {
      readonly ok: false;
      readonly problem: BundleProblem;
      readonly message: string;
      /** Of `NotYetValid`: when the last certificate of the path begins. */
      readonly validFrom?: Date;
    };

/** What came from the CA, an AWS secret or a person. */
export interface UnverifiedBundle {
  /** PEM certificates; text around them is passed over. */
  readonly chain: string;
  /** Private key, PEM: PKCS#8, PKCS#1 or SEC 1, not encrypted. */
  readonly key: string;
  /** The exact names it must be for; absent: whatever it says. */
  readonly domains?: readonly string[];
}

/** More certificates than any CA sends; each one costs a signature check. */
const maxChainLength = 10;

/** Clocks differ: a certificate that begins this much later counts as valid, in milliseconds. */
const skewMs = 5 * 60_000;

/** Whether a certificate is valid at `now`. A beginning up to five minutes later is forgiven, an end never. */
export function isValidAt(
  { notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'>,
  now: Date,
): boolean {
  return notAfter > now && !beginsLater(notBefore, now);
}

/** Checks chain and key in the order of `BundleProblem`. Where `now` is given, every certificate of the path must be valid
 *  then: the leaf, and the authorities that sign one another from it on. A root above them is not asked, nor what stands
 *  behind it, because clients have their own. Chains may have any length up to 10; the last certificate's own issuer is not looked
 *  for. Never throws. */
export function verifyBundle(input: UnverifiedBundle, now?: Date): BundleVerdict {
  const key = readKey(input.key);
  if (key === undefined) return refuse('Unparsable', 'the private key is not PEM of an unencrypted key');
  try {
    const chain = readChain(input.chain);
    return judgeBundle(input, chain, key, now);
  } catch (error) {
    if (error instanceof UnparsableError)
      return refuse('Unparsable', `the chain cannot be read: ${error.message}`);
    throw error;
  }
}

function judgeBundle(
  input: UnverifiedBundle,
  chain: readonly X509Certificate[],
  key: KeyObject,
  now: Date | undefined,
): BundleVerdict {
  const facts = chain.map(factsOf);
  const [leaf] = facts;
  if (leaf === undefined) return refuse('Unparsable', 'the chain holds no certificate');

  const keyHolder = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (keyHolder < 0) return refuse('KeyMismatch', 'the private key belongs to no certificate of the chain');
  if (keyHolder > 0) {
    const place = `${keyHolder + 1} of ${chain.length}`;
    return refuse(
      'NotLeafFirst',
      `the private key belongs to certificate ${place}; the leaf must stand first`,
    );
  }

  if (input.domains !== undefined && !sameNames(input.domains, leaf.names)) {
    const names = `${leaf.names.join(', ') || 'no names'}, not for ${input.domains.join(', ')}`;
    return refuse('NamesChanged', `the certificate is for ${names}`);
  }

  const unsigned = chain.findIndex((certificate, index) => !isSignedBy(certificate, chain[index + 1]));
  if (unsigned >= 0) {
    return refuse(
      'ChainBroken',
      `certificate ${unsigned + 1} of ${chain.length} is not signed by the next one`,
    );
  }

  const root = chain.findIndex((certificate, index) => index > 1 && isSelfSigned(certificate));
  const path = root < 0 ? facts : facts.slice(0, root);
  const untimely = now && findUntimely(path, now);
  if (untimely !== undefined) return untimely;

  const pem = chain.map((certificate) => certificate.toString()).join('');
  return {
    ok: true,
    bundle: {
      chain: pem,
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      facts: leaf,
      validUntil: new Date(Math.min(...path.map(({ notAfter }) => notAfter.getTime()))),
    },
  };
}

function findUntimely(path: readonly CertificateFacts[], now: Date): BundleVerdict | undefined {
  const nameOf = (one: CertificateFacts) =>
    one === path[0] ? 'the certificate' : `the certificate of ${one.commonName ?? 'an authority'}`;
  const expired = path.find(({ notAfter }) => notAfter <= now);
  if (expired) return refuse('Expired', `${nameOf(expired)} expired at ${expired.notAfter.toISOString()}`);
  const [last] = path.toSorted((one, other) => other.notBefore.getTime() - one.notBefore.getTime());
  if (!last || !beginsLater(last.notBefore, now)) return undefined;
  const message = `${nameOf(last)} is valid only from ${last.notBefore.toISOString()} on`;
  return { ok: false, problem: 'NotYetValid', message, validFrom: last.notBefore };
}

function beginsLater(notBefore: Date, now: Date): boolean {
  return notBefore.getTime() > now.getTime() + skewMs;
}

/** Each certificate of the text. A private key among them is refused, because chains are shown and delivered openly. */
function readChain(pem: string): readonly X509Certificate[] {
  if (holdsPrivateKey(pem)) throw new UnparsableError('it holds a private key');
  const certificates = certificatesIn(pem);
  if (certificates.length === 0) throw new UnparsableError('it holds no PEM certificate');
  if (certificates.length !== pem.split('-----BEGIN ').length - 1)
    throw new UnparsableError('a PEM block is cut off');
  if (certificates.length > maxChainLength)
    throw new UnparsableError(`it holds over ${maxChainLength} certificates`);
  return certificates.map(parseCertificate);
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // What OpenSSL says of a key that it cannot read helps nobody, and must not carry key bytes anywhere.
    return undefined;
  }
}

/** Whether the next certificate issued this one by name, key identifier, key usage and signature; true for the last one. */
function isSignedBy(certificate: X509Certificate, next: X509Certificate | undefined): boolean {
  if (next === undefined) return true;
  try {
    return next.ca && certificate.checkIssued(next) && certificate.verify(next.publicKey);
  } catch {
    return false;
  }
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return isSignedBy(certificate, certificate);
}

function refuse(problem: BundleProblem, message: string): BundleVerdict {
  return { ok: false, problem, message };
}
