// What is asked of a server in a TLS handshake, and what comes of it.
import type { KeyType } from '../../certificate/spec.ts';

/** What servers tell certificates of the same name apart by. */
export type KeyFamily = 'rsa' | 'ecdsa';

/** What a ClientHello (RFC 8446 §4.1.2) offers beside the name. */
export interface ClientHello {
  /** The only keys that are accepted; absent: any. */
  readonly keyFamily?: KeyFamily;
  /** Protocols for ALPN (RFC 7301); absent: no ALPN. */
  readonly protocols?: readonly string[];
}

/** How many handshakes must show a certificate before it is believed of an address that has shown another,
 *  or before the other is revoked. They find the second of two servers that take turns, and in 7 of 8 cases
 *  of two that are chosen at random. */
export const confirmingHandshakes = 4;

/** The certificate that a server should present. */
export interface ExpectedCertificate {
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  /** SHA-256 of another leaf that is as good, hex: before a rollout, that of the version before. */
  readonly previous?: string | undefined;
  /** Type of its key; absent: unknown, or not the same for both. */
  readonly keyType?: KeyType | undefined;
  /** How many handshakes in a row must show it. Default: 1. More find servers that differ behind one
   *  address, such as those of a load balancer. */
  readonly handshakes?: number | undefined;
}

/** What one handshake showed, or why there was none. */
export type HandshakeOutcome =
  /** The server showed a certificate, and that it has its key. `fingerprint`: SHA-256 of the leaf's DER, hex;
   *  `names`: its DNS names; `keyType`: absent for one that the inventory does not know; `remark`: what else
   *  a person should know of the handshake. */
  | {
      readonly kind: 'leaf';
      readonly fingerprint: string;
      readonly names: readonly string[];
      readonly notAfter: Date;
      readonly keyType?: KeyType | undefined;
      readonly remark?: string;
    }
  /** No certificate was shown: no address was found, or no server answered by TLS. `isRefused`: a server took
   *  the connection and ended it without one. */
  | { readonly kind: 'silent'; readonly problem: string; readonly isRefused?: boolean }
  /** This machine cannot connect there, or must not. */
  | { readonly kind: 'unprobed'; readonly problem: string }
  /** DNS gives more addresses than are probed: `count` addresses of the name were left out. */
  | { readonly kind: 'unlooked'; readonly count: number; readonly problem: string };
