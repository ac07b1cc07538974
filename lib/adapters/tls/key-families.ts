// Which certificates a ClientHello accepts, as options of Node: RSA or ECDSA.
import type { SecureContextOptions } from 'node:tls';
import type { KeyFamily } from '../../policy/serving/handshake.ts';

/** Cipher suites of TLS 1.3, which go with any key. Node switches TLS 1.3 off if `ciphers` has none. */
const tls13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const pkcs1 = ['rsa_pkcs1_sha256', 'rsa_pkcs1_sha384', 'rsa_pkcs1_sha512'];

/** Options that let a server choose only a certificate with a key of the family: in TLS 1.2 by cipher suites,
 *  in TLS 1.3 by signature algorithms (RFC 8446 §4.2.3). */
export const familyOptions: Readonly<Record<KeyFamily, Pick<SecureContextOptions, 'ciphers' | 'sigalgs'>>> = {
  rsa: {
    ciphers: [...tls13, 'ECDHE+aRSA', 'DHE+aRSA', 'kRSA', '!aNULL', '!eNULL'].join(':'),
    sigalgs: ['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512', ...pkcs1].join(':'),
  },
  ecdsa: {
    ciphers: [...tls13, 'ECDHE+aECDSA', '!aNULL', '!eNULL'].join(':'),
    // In TLS 1.3 PKCS #1 is for certificates alone: an RSA authority may have signed an ECDSA leaf.
    sigalgs: ['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384', 'ecdsa_secp521r1_sha512', ...pkcs1].join(
      ':',
    ),
  },
};
