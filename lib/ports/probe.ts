// The sockets of looking at what is served: each interface is a contract, each comment part of it.
import type { HandshakeOutcome, ProbeSummary } from '../policy/serving/served.ts';
import type { CertificateProbeSpec } from '../policy/serving/served-targets.ts';

/** The addresses that DNS gives for a name now, of both families, through its aliases; none where it has
 *  none.
 *  @throws DnsError `Lookup` where DNS does not answer, `NoZone` where its aliases lead nowhere; the signal's
 *  reason where that ends it. */
export type FindAddresses = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Shakes hands with a server by TLS under a name and gives what it saw; a server that does not answer is a
 *  sighting, too. Whether anybody vouches for the certificate is not asked, and nothing is sent but the
 *  handshake.
 *  @throws the signal's reason where that ends it, and nothing else. */
export type ShakeHands = (
  endpoint: { readonly address: string; readonly port: number; readonly name: string },
  signal: AbortSignal,
) => Promise<HandshakeOutcome>;

/** A certificate that should be served: its names, where to look, and SHA-256 of its DER, hex. */
export interface ServedQuery {
  readonly names: readonly string[];
  readonly probe: CertificateProbeSpec;
  readonly fingerprint: string;
}

/** Looks once, at every address, at what is served now, and judges it. Sends nothing but handshakes and notes
 *  nothing.
 *  @throws the signal's reason where that ends it. */
export type ProbeServed = (query: ServedQuery, signal: AbortSignal) => Promise<ProbeSummary>;

/** Whether anybody on the internet can have that address: not loopback, link-local, private or one for
 *  metadata. */
export type IsPublicAddress = (address: string) => boolean;
