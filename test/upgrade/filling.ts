// What is minted for a recorded installation, and put in where the recording has `{{…}}`.
import { createHash, createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import * as z from 'zod';
import { keyTypes } from '../../lib/certificate/spec.ts';
import { mintChain } from '../minting/certificates.ts';

/** By `<name>/<number of the version>`; times in seconds after the instant of the recording. */
export const recordedCertificates = z.record(
  z.string(),
  z.object({
    domains: z.array(z.string()),
    key: z.enum(keyTypes),
    notBefore: z.number(),
    notAfter: z.number(),
    serial: z.string().optional(),
    intermediates: z.int(),
    /** Present: the root stands at the end of the chain, as some CAs send it, and ends then. */
    rootNotAfter: z.number().optional(),
  }),
);

/** One certificate with its key, PEM. */
export interface Pair {
  readonly chain: string;
  /** Each certificate of the chain. */
  readonly certificates: readonly string[];
  readonly key: string;
}

/** By `<name>/<number of the version>`. */
export type Pairs = ReadonlyMap<string, Pair>;

/** Gives a text with what stands in braces put in. */
export type Fill = (text: string) => string;

/** Mints what was recorded, with its serial numbers and times. `zero`: the instant of the recording. */
export async function mintPairs(
  certificates: z.infer<typeof recordedCertificates>,
  zero: Date,
): Promise<Pairs> {
  const after = (seconds: number) => new Date(zero.getTime() + seconds * 1000);
  const minted = Object.entries(certificates).map(
    async ([id, { key: keyType, rootNotAfter, ...rest }]): Promise<readonly [string, Pair]> => {
      const validity = { notBefore: after(rest.notBefore), notAfter: after(rest.notAfter) };
      if (rootNotAfter === undefined)
        return [id, await mintChain({ ...rest, ...validity, keyType })] as const;
      const minting = { ...rest, ...validity, keyType, rootNotAfter: after(rootNotAfter) };
      const { chain, certificates, root, key } = await mintChain(minting);
      return [id, { chain: chain + root, certificates: [...certificates, root], key }] as const;
    },
  );
  return new Map(await Promise.all(minted));
}

/** `fixed`: words that the sandbox knows, such as the CA's origin. */
export function createFill(pairs: Pairs, zero: Date, fixed: Readonly<Record<string, string>>): Fill {
  const signingKey = generateKeyPairSync('ed25519').privateKey;
  const keys = new Map<string, string>();
  const now = Date.now();
  const pairOf = (id: string): Pair => {
    const pair = pairs.get(id);
    if (!pair) throw new Error(`nothing was minted for ${id}`);
    return pair;
  };
  const keyOf = (id: string): string => {
    const key = pairs.get(id)?.key ?? keys.get(id) ?? makeKey();
    keys.set(id, key);
    return key;
  };
  const words: Readonly<Record<string, (rest: string) => string>> = {
    chain: (id) => pairOf(id).chain,
    leaf: (id) => pairOf(id).certificates[0] ?? '',
    above: (id) => pairOf(id).certificates.slice(1).join(''),
    key: keyOf,
    fingerprint: (id) => fingerprintOf(pairOf(id)),
    id: (id) => idOf(pairOf(id)),
    signing: () => String(signingKey.export({ type: 'pkcs8', format: 'pem' })),
    public: () => createPublicKey(signingKey).export({ format: 'jwk' }).x ?? '',
    account: (path) => createHash('sha256').update(`${fixed.ca}${path}`).digest('hex').slice(0, 32),
    at: (rest) => {
      const instant = after(zero.getTime(), rest.replace('second ', ''));
      return rest.startsWith('second ') ? instant.replace('.000Z', 'Z') : instant;
    },
    now: (seconds) => after(now, seconds),
    unix: (seconds) => String(zero.getTime() / 1000 + Number(seconds)),
  };
  /** The signature of a claim, as the version before made it, byte for byte. */
  const signClaim = (claim: string, [cluster, certificate]: readonly string[]): string => {
    const [version, notBefore, signedAt] = claim.split('/');
    const pair = pairOf(`${certificate}/1`);
    const notAfter = new Date(new X509Certificate(pair.chain).validTo);
    const validity = { fingerprint: fingerprintOf(pair), notBefore, notAfter };
    const content = { cluster, certificate, version, ...validity, signedAt, isRollback: false };
    const signed = Buffer.from(`certrelay-delivery-v1\n${JSON.stringify(content)}`);
    return sign(null, signed, signingKey).toString('base64url');
  };
  return (text) =>
    text
      .replace(
        /\{\{(\w+)(?: ([^}]+))?\}\}/g,
        (whole, word: string, rest = '') => words[word]?.(rest) ?? fixed[word] ?? whole,
      )
      .replace(
        /^(.+)\{\{signature (.+)\}\}$/,
        (_, claim: string, whose: string) => claim + signClaim(claim, whose.split('/')),
      );
}

function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

function fingerprintOf({ chain }: Pair): string {
  return createHash('sha256').update(new X509Certificate(chain).raw).digest('hex');
}

/** Under which a CA knows it (RFC 9773 §4.1). */
function idOf({ chain }: Pair): string {
  const leaf = new x509.X509Certificate(chain);
  const keyId = leaf.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId ?? '';
  return [keyId, leaf.serialNumber].map((hex) => Buffer.from(hex, 'hex').toString('base64url')).join('.');
}

function after(from: number, seconds: string): string {
  return new Date(from + Number(seconds) * 1000).toISOString();
}
