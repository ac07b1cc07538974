// Layouts of a cluster Secret: which keys hold which PEM, byte for byte.
import type { SecretFormat } from './spec.ts';

/** A Secret's immutable `type` and its values before base64. */
export interface SecretLayout {
  readonly type: 'kubernetes.io/tls' | 'Opaque';
  readonly values: Readonly<Record<string, string>>;
}

/** Chain and key as PEM. */
export interface PemPair {
  readonly chain: string;
  readonly key: string;
}

/** The Secret that holds chain and key in a format. Line ends become single newlines, and each PEM ends with exactly one.
 *  - `tls`: what Ingress controllers read.
 *  - `ployst`: the six keys of the ployst/letsencrypt container.
 *  - `nginx-ssl-proxy`: the three files nginx-ssl-proxy mounts.
 *  - `combined-pem`: key then chain in one file, as HAProxy reads it. */
export function layOut(pair: PemPair, format: SecretFormat): SecretLayout {
  const chain = normalizePem(pair.chain);
  const key = normalizePem(pair.key);
  switch (format) {
    case 'tls':
      return { type: 'kubernetes.io/tls', values: { 'tls.crt': chain, 'tls.key': key } };
    case 'ployst':
      return {
        type: 'Opaque',
        values: {
          proxycert: chain,
          proxykey: key,
          'tls.crt': chain,
          'tls.key': key,
          'tls.pem': chain + key,
          dhparam: ffdhe2048,
        },
      };
    case 'nginx-ssl-proxy':
      return { type: 'Opaque', values: { proxycert: chain, proxykey: key, dhparam: ffdhe2048 } };
    case 'combined-pem':
      return { type: 'Opaque', values: { 'tls-combined.pem': key + chain } };
  }
}

function normalizePem(pem: string): string {
  return `${pem.replaceAll('\r\n', '\n').trim()}\n`;
}

/** Diffie-Hellman group ffdhe2048 (RFC 7919 appendix A.1) with generator 2: public, the same for everybody. */
export const ffdhe2048 = `-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
`;
