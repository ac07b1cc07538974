// Chooses the issuer's preferred chain among those that a CA offers for a certificate (RFC 8555 §7.4.2).

import type { X509Certificate } from 'node:crypto';
import { readWhatCanBe } from '../../certificate/chain-reading.ts';
import { UnparsableError } from '../../certificate/der.ts';
import { hasAll } from '../../certificate/names.ts';
import { type CertificatePath, findPaths } from '../../certificate/path.ts';
import { isValidAt, validityOf } from '../../certificate/validity.ts';
import { factsOf } from '../../certificate/x509.ts';
import { AcmeError } from '../../ports/acme.ts';
import type { Log } from '../../ports/log.ts';

/** One downloaded chain. */
export interface Download {
  /** URL that it was downloaded from. */
  readonly url: string;
  /** PEM certificates, as a rule with the leaf first. */
  readonly chain: string;
  /** The response's Link header. */
  readonly link: string | undefined;
}

/** Most alternate chains that are downloaded. Each costs a request, and no known CA offers as many. */
const maxAlternates = 10;

/** What a chain is chosen by. */
export interface ChainPreference {
  /** Common name of the issuer of the topmost certificate. */
  readonly preferred: string;
  /** Names of the order; absent if the CA does not repeat them. */
  readonly names?: readonly string[] | undefined;
  /** The instant at which its authorities must be valid. */
  readonly now: Date;
}

/** The PEM chain whose path ends below the preferred issuer: `first`, which is the CA's default, or the first
 *  alternate that matches. Authorities that are not on that path are taken out of it. If none matches, logs a
 *  warning and returns the default as it is. An alternate that cannot be downloaded is skipped. */
export async function chooseChain(
  first: Download,
  preference: ChainPreference,
  download: (url: string) => Promise<Download>,
  log: Log,
): Promise<string> {
  const { preferred } = preference;
  const found = findPreferred(first.chain, preference);
  if (found.chain !== undefined) return found.chain;
  const results = [found.issuer];
  for (const url of alternatesOf(first).slice(0, maxAlternates)) {
    try {
      const { chain } = await download(url);
      const alternate = findPreferred(chain, preference);
      if (alternate.chain !== undefined) return alternate.chain;
      results.push(alternate.issuer);
    } catch (error) {
      if (!(error instanceof AcmeError)) throw error;
      results.push(error.message);
    }
  }
  const offered = results.map((issuer) => issuer ?? 'unreadable');
  log.warn('preferred chain not offered', { preferredChain: preferred, offered });
  return first.chain;
}

/** Targets of `rel="alternate"` (RFC 8288 §3), in the CA's order. */
function alternatesOf({ url, link = '' }: Download): readonly string[] {
  const links = link.matchAll(/<([^<>]*)>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:"[^"]*"|[^\s",;]+))?)*)/g);
  return [...links].flatMap(([, target = '', parameters = '']) => {
    const relations = [...parameters.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"([^"]*)"|([^\s",;]+))/g)]
      .filter(([, name = '']) => name.toLowerCase() === 'rel')
      .flatMap(([, , quoted, bare]) => (quoted ?? bare ?? '').toLowerCase().split(/\s+/));
    const resolved = URL.parse(target, url);
    return relations.includes('alternate') && resolved ? [resolved.href] : [];
  });
}

/** `chain`: PEM of the path that ends below the preferred issuer; absent if there is none. `issuer`: the
 *  topmost issuer of the best path; absent if the certificates cannot be read. */
function findPreferred(
  text: string,
  { preferred, names = [], now }: ChainPreference,
): { readonly chain?: string; readonly issuer?: string | undefined } {
  try {
    const { certificates } = readWhatCanBe(text, (one) => !one.ca);
    const leaf = findLeaf(certificates, names);
    if (leaf === undefined) return {};
    const paths = findPaths(leaf, certificates, (one) => isValidAt(validityOf(one), now));
    const path = paths.find((candidate) => topmostIssuer(candidate) === preferred);
    if (path === undefined) return { issuer: paths[0] && topmostIssuer(paths[0]) };
    // Without the key nobody knows for sure which one is the leaf: only authorities may be left out.
    const others = certificates.filter((one) => !one.ca && !path.includes(one));
    return { chain: [...path, ...others].map(String).join('') };
  } catch (error) {
    if (error instanceof UnparsableError) return {};
    throw error;
  }
}

/** Guesses which certificate was issued, without its key: the first that is no authority and has the names of
 *  the order, else the first that is no authority, else the first. */
function findLeaf(
  certificates: readonly X509Certificate[],
  names: readonly string[],
): X509Certificate | undefined {
  const leaves = certificates.filter((one) => !one.ca);
  const named = leaves.find((one) => hasAll(factsOf(one).names, names));
  return named ?? leaves[0] ?? certificates[0];
}

function topmostIssuer(path: CertificatePath): string | undefined {
  const top = path.at(-1);
  return top && factsOf(top).issuer;
}
