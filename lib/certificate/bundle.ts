// Verifies that a chain and a key are what a server can use: nothing is stored or delivered that did not pass
// here.

import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { type ReadableChain, readChain, readWhatCanBe } from './chain-reading.ts';
import { UnparsableError } from './der.ts';
import { belongsTo, chooseLeaf } from './leaf.ts';
import { hasAll, namesRequested, sameNames } from './names.ts';
import {
  type CertificatePath,
  findPaths,
  isSelfSigned,
  isSignedBy,
  issuersIn,
  withoutCopies,
} from './path.ts';
import { beginsLater, isValidAt, validityOf } from './validity.ts';
import { type CertificateFacts, factsOf } from './x509.ts';

/** A verified chain and key, in one canonical spelling. */
export interface Bundle {
  /** PEM, leaf first, 64 columns, one newline at the end. */
  readonly chain: string;
  /** PKCS#8 PEM. */
  readonly key: string;
  /** Facts of the leaf. */
  readonly facts: CertificateFacts;
  /** The names that were asked for. A CA may have added others, which only `facts.names` has. */
  readonly names: readonly string[];
  /** Until when it can be used: the end of the leaf or of the authority that signed it, whichever comes
   *  first. */
  readonly validUntil: Date;
  /** Whether no authority has signed the leaf. */
  readonly isSelfSigned: boolean;
  /** How many different certificates were given that are not in `chain`, those that cannot be read too. */
  readonly leftOut: number;
}

/** `Unparsable`: chain or key cannot be read. `KeyMismatch`: the key is that of no certificate.
 *  `NamesChanged`: not the names asked for. `Expired`, `NotYetValid`: the leaf, or all that is there of the
 *  authority that signed it, has ended, or begins later, at the instant given. */
export type BundleProblem = 'Unparsable' | 'KeyMismatch' | 'NamesChanged' | 'Expired' | 'NotYetValid';

/** The bundle, or the first problem found and a sentence about it that holds no PEM. */
export type BundleVerdict =
  | { readonly ok: true; readonly bundle: Bundle }
  | {
      readonly ok: false;
      readonly problem: BundleProblem;
      readonly message: string;
      /** Of `NotYetValid`: when it begins. */
      readonly validFrom?: Date;
    };

/** What came from the CA, an AWS secret or a person. */
export interface UnverifiedBundle {
  /** PEM certificates in any order; text and PEM of other kinds around them are passed over. */
  readonly chain: string;
  /** Private key, PEM: PKCS#8, PKCS#1 or SEC 1, not encrypted. */
  readonly key: string;
  /** The names that a CA was asked for, as they are stored. They count if the certificate has all of them. */
  readonly requestedNames?: readonly string[] | undefined;
  /** The exact names it must be for, in any order; absent: whatever it says. */
  readonly domains?: readonly string[];
  /** Names it must be for among others, letter by letter: a wildcard stands for none. They become its
   *  `names`. */
  readonly domainsAtLeast?: readonly string[];
}

/** Longer chains were never stored. */
const maxStoredLength = 10;

/** Verifies a stored value, in the order of `BundleProblem`. A chain that is in order stays as it is to the
 *  byte, whatever its end, so that nothing is delivered again: each certificate signed by the next one, and
 *  where `now` is given all of them valid then, but for a root above two others and what stands behind it.
 *  Any other chain is built as by `buildBundle`. Never throws. */
export function verifyBundle(input: UnverifiedBundle, now?: Date): BundleVerdict {
  return judge(input, { now, of: 'stored' });
}

/** Verifies what came from a person, and builds its chain: the best path (`findPaths`) of authorities that
 *  are valid at `now`, from the certificate of the key on. What is not on it is left out; where nothing
 *  signed the certificate it stands alone. The order of what is given, and copies in it, change nothing.
 *  Never throws. */
export function buildBundle(input: UnverifiedBundle, now: Date): BundleVerdict {
  return judge(input, { now, of: 'person' });
}

/** The same of what came from a CA, which nobody can correct: what cannot be read, and an issuer of which
 *  only halves were sent that others signed and that are not valid, counts as not sent. */
export function buildIssuedBundle(input: UnverifiedBundle, now: Date): BundleVerdict {
  return judge(input, { now, of: 'ca' });
}

interface Manner {
  readonly now: Date | undefined;
  readonly of: 'stored' | 'person' | 'ca';
}

function judge(input: UnverifiedBundle, manner: Manner): BundleVerdict {
  const key = readKey(input.key);
  if (key === undefined) return refuse('Unparsable', 'the private key is not PEM of an unencrypted key');
  try {
    const read =
      manner.of === 'ca'
        ? readWhatCanBe(input.chain, (one) => belongsTo(one, key))
        : { certificates: readChain(input.chain), passedOver: 0 };
    return judgeBundle(input, read, key, manner);
  } catch (error) {
    if (error instanceof UnparsableError)
      return refuse('Unparsable', `the chain cannot be read: ${error.message}`);
    throw error;
  }
}

function judgeBundle(
  input: UnverifiedBundle,
  { certificates: given, passedOver }: ReadableChain,
  key: KeyObject,
  { now, of }: Manner,
): BundleVerdict {
  const certificates = withoutCopies(given);
  const isUsable = (one: X509Certificate) => now === undefined || isValidAt(validityOf(one), now);
  const [first] = given;
  const keeps = of === 'stored' && first && belongsTo(first, key) && isInOrder(given, isUsable);
  const leaf = keeps
    ? first
    : chooseLeaf(certificates, key, { hasNames: (one) => namesOf(input, one) !== undefined, isUsable });
  if (leaf === undefined)
    return refuse('KeyMismatch', 'the private key belongs to no certificate of the chain');

  const facts = factsOf(leaf);
  const names = namesOf(input, facts);
  if (names === undefined) {
    const requested = (input.domains ?? input.domainsAtLeast ?? []).join(', ');
    return refuse(
      'NamesChanged',
      `the certificate is for ${facts.names.join(', ') || 'no names'}, not for ${requested}`,
    );
  }
  const issuers = issuersIn(leaf, certificates).filter(
    (one) => !Number.isNaN(validityOf(one).notAfter.getTime()),
  );
  // An authority that others have signed may have another half, which clients know: what ends is this half.
  const mayBeHalves = of === 'ca' && !issuers.some(isUsable);
  const judged = mayBeHalves ? issuers.filter(isSelfSigned) : issuers;
  const untimely = now && findUntimely(leaf, judged, now);
  if (untimely !== undefined) return untimely;

  const path = keeps ? given : (findPaths(leaf, certificates, isUsable)[0] ?? [leaf]);
  const issuerEnd = (path[1] && validityOf(path[1]).notAfter.getTime()) || Number.POSITIVE_INFINITY;
  return {
    ok: true,
    bundle: {
      chain: writeChain(path),
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      facts,
      names,
      validUntil: new Date(Math.min(facts.notAfter.getTime(), issuerEnd)),
      isSelfSigned: isSelfSigned(leaf),
      leftOut: certificates.length - withoutCopies(path).length + passedOver,
    },
  };
}

/** The names that were asked for; `undefined` if the certificate is not for those that the input demands. */
function namesOf(
  { requestedNames, domains, domainsAtLeast }: UnverifiedBundle,
  facts: CertificateFacts,
): readonly string[] | undefined {
  if (domainsAtLeast) return hasAll(facts.names, domainsAtLeast) ? domainsAtLeast : undefined;
  const names = namesRequested(requestedNames, facts);
  return domains === undefined || sameNames(domains, names) ? names : undefined;
}

/** Whether the chain was stored in order, each certificate signed by the next one. Clients have roots of
 *  their own: a root above two others, and what stands behind it, need not be usable. */
function isInOrder(
  chain: readonly X509Certificate[],
  isUsable: (certificate: X509Certificate) => boolean,
): boolean {
  if (chain.length > maxStoredLength) return false;
  const isLinked = chain.every((one, index) => {
    const next = chain[index + 1];
    return next === undefined || isSignedBy(one, next);
  });
  if (!isLinked) return false;
  const root = chain.findIndex((one, index) => index > 1 && isSignedBy(one, one));
  return (root < 0 ? chain : chain.slice(0, root)).every(isUsable);
}

function findUntimely(
  leaf: X509Certificate,
  issuers: readonly X509Certificate[],
  now: Date,
): BundleVerdict | undefined {
  const nameOf = (one: X509Certificate) =>
    one === leaf ? 'the certificate' : `the certificate of ${commonNameOf(one) ?? 'an authority'}`;
  const endOf = (one: X509Certificate) => validityOf(one).notAfter;
  const beginOf = (one: X509Certificate) => validityOf(one).notBefore;
  const unended = issuers.filter((one) => endOf(one) > now);
  const expired = endOf(leaf) <= now ? leaf : unended.length === 0 ? issuers[0] : undefined;
  if (expired) return refuse('Expired', `${nameOf(expired)} expired at ${endOf(expired).toISOString()}`);
  const [issuer = leaf] = unended.toSorted((one, other) => beginOf(one).getTime() - beginOf(other).getTime());
  const last = beginOf(issuer) > beginOf(leaf) ? issuer : leaf;
  const validFrom = beginOf(last);
  if (!beginsLater(validFrom, now)) return undefined;
  const message = `${nameOf(last)} is valid only from ${validFrom.toISOString()} on`;
  return { ok: false, problem: 'NotYetValid', message, validFrom };
}

function commonNameOf(certificate: X509Certificate): string | undefined {
  try {
    return factsOf(certificate).commonName;
  } catch (error) {
    if (error instanceof UnparsableError) return undefined;
    throw error;
  }
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // What OpenSSL says of a key that it cannot read helps nobody, and must not carry key bytes anywhere.
    return undefined;
  }
}

function writeChain(path: CertificatePath | readonly X509Certificate[]): string {
  return path.map((certificate) => certificate.toString()).join('');
}

function refuse(problem: BundleProblem, message: string): BundleVerdict {
  return { ok: false, problem, message };
}
