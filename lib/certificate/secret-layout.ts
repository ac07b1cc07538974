// Layouts of a Kubernetes Secret: which keys contain what, byte for byte.

import { provideKeystore } from './keystore.ts';
import { certificatesIn } from './pem.ts';
import type { KeyNames, PemFormat, SecretFormat } from './spec.ts';

/** A Secret's immutable `type` and its values before base64. */
export interface SecretLayout {
  readonly type: 'kubernetes.io/tls' | 'Opaque';
  readonly values: Readonly<Record<string, string | Uint8Array>>;
  /** The seal of a PKCS#12 keystore (`keystore.ts`); absent in other formats. */
  readonly seal?: string | undefined;
}

/** Chain and key as PEM. */
export interface PemPair {
  readonly chain: string;
  readonly key: string;
}

/** The layout that a target asks for. `password` is for PKCS#12 keystores only. */
export interface LayoutChoice {
  readonly format: SecretFormat;
  readonly keys?: KeyNames | undefined;
  readonly password?: string | undefined;
  /** What the Secret contains now. A keystore in it that is still valid is kept, not written again. */
  readonly existing?:
    | { readonly values: Readonly<Record<string, Uint8Array>>; readonly seal?: string | undefined }
    | undefined;
}

/** The Secret's values for a chain and a key in one format. The same input always gives the same bytes.
 *  @throws Error if a keystore is requested without a password. */
export function layOut(pair: PemPair, { format, keys, password, existing }: LayoutChoice): SecretLayout {
  if (format === 'pkcs12') {
    if (password === undefined) throw new Error('a keystore cannot be written without its password');
    const { keystore = 'keystore.p12' } = keys ?? {};
    const kept = { bytes: existing?.values[keystore], seal: existing?.seal };
    const { bytes, seal } = provideKeystore(pair, password, kept);
    return { type: 'Opaque', values: { [keystore]: bytes }, seal };
  }
  const values = layOutPem(pair, format, keys);
  const isTls = format === 'tls' && ['tls.crt', 'tls.key'].every((name) => Object.hasOwn(values, name));
  return { type: isTls ? 'kubernetes.io/tls' : 'Opaque', values };
}

/** Values of the PEM formats, by key. Line ends become single newlines; each PEM ends with exactly one.
 *  - `tls`: what Ingress controllers read.
 *  - `ployst`: the six keys of the ployst/letsencrypt container.
 *  - `nginx-ssl-proxy`: the three files nginx-ssl-proxy mounts.
 *  - `combined-pem`: key then chain in one file, as HAProxy reads it. */
export function layOutPem(
  pair: PemPair,
  format: PemFormat,
  keys: KeyNames = {},
): Readonly<Record<string, string>> {
  const chain = normalizePem(pair.chain);
  const key = normalizePem(pair.key);
  switch (format) {
    case 'tls': {
      const pems = { [keys.cert ?? 'tls.crt']: chain, [keys.key ?? 'tls.key']: key };
      return keys.chain === undefined ? pems : { ...pems, [keys.chain]: withoutLeaf(chain) };
    }
    case 'ployst':
      return {
        proxycert: chain,
        proxykey: key,
        'tls.crt': chain,
        'tls.key': key,
        'tls.pem': chain + key,
        dhparam: ffdhe2048,
      };
    case 'nginx-ssl-proxy':
      return { proxycert: chain, proxykey: key, dhparam: ffdhe2048 };
    case 'combined-pem':
      return { [keys.pem ?? 'tls-combined.pem']: key + chain };
  }
}

function normalizePem(pem: string): string {
  return `${pem.replaceAll('\r\n', '\n').trim()}\n`;
}

/** The certificates after the first; empty if there is only one. */
function withoutLeaf(chain: string): string {
  const [, ...others] = certificatesIn(chain);
  return others.map(normalizePem).join('');
}

/** Diffie-Hellman group ffdhe2048 (RFC 7919 appendix A.1) with generator 2: public, the same for
 *  everybody. */
export const ffdhe2048 = `-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
`;
