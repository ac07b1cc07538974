// Of the chains that a CA offers for a certificate, the one that the issuer prefers (RFC 8555 §7.4.2).
import { UnparsableError } from '../../certificate/der.ts';
import { readCertificate } from '../../certificate/x509.ts';
import { AcmeError } from '../../ports/acme.ts';
import type { Log } from '../../ports/log.ts';

/** One chain as it was downloaded. */
export interface Download {
  readonly url: string;
  /** PEM, leaf first. */
  readonly chain: string;
  /** The answer's Link header. */
  readonly link: string | undefined;
}

/** More chains than any CA offers; each costs a request. */
const maxAlternates = 10;

/** The default chain where its topmost certificate was issued by `preferred` (a common name), else the first alternate of which
 *  that is true, else the default with a warning: an alternate that cannot be had must not cost the certificate. */
export async function chooseChain(
  first: Download,
  preferred: string,
  download: (url: string) => Promise<Download>,
  log: Log,
): Promise<string> {
  const seen = [topmostIssuer(first.chain)];
  if (seen[0] === preferred) return first.chain;
  for (const url of alternatesOf(first).slice(0, maxAlternates)) {
    try {
      const { chain } = await download(url);
      const issuer = topmostIssuer(chain);
      if (issuer === preferred) return chain;
      seen.push(issuer);
    } catch (error) {
      if (!(error instanceof AcmeError)) throw error;
      seen.push(error.message);
    }
  }
  const offered = seen.map((issuer) => issuer ?? 'unreadable');
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

/** Common name of the issuer of the last certificate; chains may have any length. */
function topmostIssuer(chain: string): string | undefined {
  const last = chain.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)?.at(-1);
  if (last === undefined) return undefined;
  try {
    return readCertificate(last).issuer;
  } catch (error) {
    if (error instanceof UnparsableError) return undefined;
    throw error;
  }
}
