// Chooses the issuer's preferred chain among those that a CA offers for a certificate (RFC 8555 §7.4.2).

import { UnparsableError } from '../../certificate/der.ts';
import { certificatesIn } from '../../certificate/pem.ts';
import { readCertificate } from '../../certificate/x509.ts';
import { AcmeError } from '../../ports/acme.ts';
import type { Log } from '../../ports/log.ts';

/** One downloaded chain. */
export interface Download {
  /** URL that it was downloaded from. */
  readonly url: string;
  /** PEM, leaf first. */
  readonly chain: string;
  /** The response's Link header. */
  readonly link: string | undefined;
}

/** Most alternate chains that are downloaded. Each costs a request, and no known CA offers as many. */
const maxAlternates = 10;

/** The PEM chain whose topmost certificate was issued by `preferred`, a common name: `first`, which is the
 *  CA's default, or the first alternate that matches. If none matches, logs a warning and returns the
 *  default. An alternate that cannot be downloaded is skipped. */
export async function chooseChain(
  first: Download,
  preferred: string,
  download: (url: string) => Promise<Download>,
  log: Log,
): Promise<string> {
  const results = [topmostIssuer(first.chain)];
  if (results[0] === preferred) return first.chain;
  for (const url of alternatesOf(first).slice(0, maxAlternates)) {
    try {
      const { chain } = await download(url);
      const issuer = topmostIssuer(chain);
      if (issuer === preferred) return chain;
      results.push(issuer);
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

/** Common name of the issuer of a chain's last certificate; `undefined` if that cannot be read. */
function topmostIssuer(chain: string): string | undefined {
  const last = certificatesIn(chain).at(-1);
  if (last === undefined) return undefined;
  try {
    return readCertificate(last).issuer;
  } catch (error) {
    if (error instanceof UnparsableError) return undefined;
    throw error;
  }
}
