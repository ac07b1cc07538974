// What other tools leave behind, as one AWS secret holds it: PEM as it stands, or JSON with a file's name before each.

import { createPrivateKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { splitPem } from '../certificate/pem.ts';

/** A certificate's files, not verified. Never logged. */
export interface CertificateMaterial {
  readonly chain: string;
  readonly key: string;
  /** `DH PARAMETERS` PEM. */
  readonly dhParameters?: string | undefined;
}

/** An ACME account's key, and its URL where that is there. Never logged. */
export interface AccountMaterial {
  readonly key: KeyObject;
  readonly url?: string | undefined;
}

/** A sentence that quotes nothing of the text. */
export interface Unreadable {
  readonly problem: string;
}

/** Names under which tools keep chain and key: Kubernetes, certbot, nginx-ssl-proxy. */
const pairs = [
  ['tls.crt', 'tls.key'],
  ['fullchain.pem', 'privkey.pem'],
  ['proxycert', 'proxykey'],
] as const;

/** Chain and key: PEM blocks in any order, or JSON with `tls.crt` and `tls.key` (or certbot's or nginx-ssl-proxy's names),
 *  or a Kubernetes Secret as `kubectl get -o json` prints it. */
export function readCertificateMaterial(text: string): CertificateMaterial | Unreadable {
  const fields = readFields(text);
  if (fields === undefined) return readBlocks(text);
  for (const [chainName, keyName] of pairs) {
    const [chain, key] = [fields[chainName], fields[keyName]];
    if (typeof chain !== 'string' || typeof key !== 'string') continue;
    return { chain, key, dhParameters: textOf(fields.dhparam ?? fields['dhparam.pem']) };
  }
  const names = pairs.map(([chain, key]) => `"${chain}" and "${key}"`).join(', or ');
  return { problem: `it holds JSON without a certificate and its key; name them ${names}` };
}

/** The account of kube-lego (`tls.key`, `acme-registration-url`; before that `acme-registration.json`), of certbot
 *  (`private_key.json`, `regr.json`) or of cert-manager (`tls.key`); or PEM of the key alone. */
export function readAccountMaterial(text: string): AccountMaterial | Unreadable {
  const fields = readFields(text);
  const jwk = fields && readObject(fields.private_key ?? fields['private_key.json']);
  const pem = fields ? textOf(fields['tls.key'] ?? fields.key) : text;
  const key = jwk ? readJwk(jwk) : readPem(pem ?? '');
  if (key === undefined) {
    const problem =
      'it holds no account key; expected "tls.key" (PEM), "private_key.json" (JWK), or PEM that is not encrypted';
    return { problem };
  }
  const registration = fields && readObject(fields['regr.json'] ?? fields['acme-registration.json']);
  return { key, url: textOf(fields?.['acme-registration-url'] ?? fields?.url ?? registration?.uri) };
}

const anyObject = z.record(z.string(), z.unknown());
const kubernetesSecret = z.object({ kind: z.literal('Secret'), data: z.record(z.string(), z.base64()) });

/** Fields of a JSON object; of a Kubernetes Secret its data, decoded. `undefined` for any other text. */
function readFields(text: string): Readonly<Record<string, unknown>> | undefined {
  const parsed = readObject(text);
  const secret = kubernetesSecret.safeParse(parsed);
  if (!secret.success) return parsed;
  const decoded = Object.entries(secret.data.data).map(([name, value]) => [
    name,
    Buffer.from(value, 'base64').toString('utf8'),
  ]);
  return Object.fromEntries(decoded);
}

/** An object, or the text of one. */
function readObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'string') return anyObject.safeParse(value).data;
  try {
    return anyObject.safeParse(JSON.parse(value)).data;
  } catch {
    // V8's message would quote the text.
    return undefined;
  }
}

function readBlocks(text: string): CertificateMaterial | Unreadable {
  const blocks = splitPem(text);
  const find = (kind: RegExp) => blocks.filter(({ label }) => kind.test(label)).map((block) => block.text);
  const [certificates, keys] = [find(/^CERTIFICATE$/), find(/PRIVATE KEY$/)];
  const [key] = keys;
  if (certificates.length === 0 || key === undefined || keys.length > 1) {
    const found = `${certificates.length} certificates and ${keys.length} private keys`;
    return {
      problem: `it holds PEM of ${found}; expected the chain and one key, or JSON with "tls.crt" and "tls.key"`,
    };
  }
  return { chain: certificates.join('\n'), key, dhParameters: find(/^DH PARAMETERS$/)[0] };
}

function readPem(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // What OpenSSL says of a key that it cannot read must not carry key bytes anywhere.
    return undefined;
  }
}

function readJwk(jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
