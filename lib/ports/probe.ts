// Ports of probing, which checks the certificates that servers present. Each comment is part of the contract.
import type { ClientHello, ExpectedCertificate, HandshakeOutcome } from '../policy/serving/handshake.ts';
import type { ProbeSummary } from '../policy/serving/served.ts';
import type { CertificateProbeSpec } from '../policy/serving/served-targets.ts';

/** The IPv4 and IPv6 addresses that DNS has for a name now, at the end of its CNAMEs; empty if there are
 *  none.
 *  @throws DnsError `Lookup` if DNS does not answer; `NoZone` if its CNAMEs are a circle or too many.
 *  @throws the signal's reason once the signal is aborted. */
export type FindAddresses = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** One handshake: the server, the name that is sent (SNI), and what is offered. */
export interface HandshakeRequest extends ClientHello {
  readonly address: string;
  readonly port: number;
  readonly name: string;
}

/** Makes one TLS handshake with a server, and returns the outcome. No answer is an outcome too. A certificate
 *  counts as shown once the server has proved that it has the key, even if the handshake fails after that, as
 *  with a server that demands a client certificate. The certificate is not verified, and nothing but the
 *  handshake is sent.
 *  @throws the signal's reason once the signal is aborted, and nothing else. */
export type ShakeHands = (request: HandshakeRequest, signal: AbortSignal) => Promise<HandshakeOutcome>;

/** A certificate that servers should present. */
export interface ServedQuery extends ExpectedCertificate {
  readonly names: readonly string[];
  /** The servers to probe. */
  readonly probe: CertificateProbeSpec;
}

/** Probes every address of a certificate, and summarizes what the servers present. Records nothing.
 *  @throws the signal's reason once the signal is aborted. */
export type ProbeServed = (query: ServedQuery, signal: AbortSignal) => Promise<ProbeSummary>;

/** Whether an IP address is public: not loopback, link-local, private, or one of a metadata service. */
export type IsPublicAddress = (address: string) => boolean;
