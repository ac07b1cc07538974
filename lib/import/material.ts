// Reads certificates and account keys in the forms of other tools: PEM, or JSON with a value per file name.

import { createPrivateKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { splitPem } from '../certificate/pem.ts';
import { countOf } from '../policy/words.ts';

/** A certificate's chain and key in PEM form, not verified. Never log it. */
export interface CertificateMaterial {
  readonly chain: string;
  readonly key: string;
  /** `DH PARAMETERS` PEM. */
  readonly dhParameters?: string | undefined;
}

/** An ACME account's key, and its URL if the text has one. Never log it. */
export interface AccountMaterial {
  readonly key: KeyObject;
  readonly url?: string | undefined;
}

/** Why a text cannot be used, in a sentence that quotes nothing of the text. */
export interface Unreadable {
  readonly problem: string;
}

/** Field names of chain and key: of Kubernetes, certbot and nginx-ssl-proxy. */
const pairs = [
  ['tls.crt', 'tls.key'],
  ['fullchain.pem', 'privkey.pem'],
  ['proxycert', 'proxykey'],
] as const;

/** Chain and key of a text: PEM blocks in any order; or JSON with `tls.crt` and `tls.key`, or with the names
 *  of certbot or nginx-ssl-proxy; or a Kubernetes Secret as `kubectl get -o json` prints it. */
export function readCertificateMaterial(text: string): CertificateMaterial | Unreadable {
  const fields = readFields(text);
  if (fields === undefined) return readBlocks(text);
  for (const [chainName, keyName] of pairs) {
    const [chain, key] = [fields[chainName], fields[keyName]];
    if (typeof chain !== 'string' || typeof key !== 'string') continue;
    return { chain, key, dhParameters: textOf(fields.dhparam ?? fields['dhparam.pem']) };
  }
  const names = pairs.map(([chain, key]) => `"${chain}" and "${key}"`).join(', or ');
  return { problem: `it has JSON without a certificate and key; name them ${names}` };
}

/** The account key and URL of a text: JSON of kube-lego (`tls.key`, `acme-registration-url` or
 *  `acme-registration.json`), certbot (`private_key.json`, `regr.json`) or cert-manager (`tls.key`); or the
 *  key alone as PEM. */
export function readAccountMaterial(text: string): AccountMaterial | Unreadable {
  const fields = readFields(text);
  const jwk = fields && readObject(fields.private_key ?? fields['private_key.json']);
  const pem = fields ? textOf(fields['tls.key'] ?? fields.key) : text;
  const key = jwk ? readJwk(jwk) : readPem(pem ?? '');
  if (key === undefined) {
    const problem =
      'it has no account key; expected "tls.key" (PEM), "private_key.json" (JWK), or PEM that is not encrypted';
    return { problem };
  }
  const registration = fields && readObject(fields['regr.json'] ?? fields['acme-registration.json']);
  return { key, url: textOf(fields?.['acme-registration-url'] ?? fields?.url ?? registration?.uri) };
}

const anyObject = z.record(z.string(), z.unknown());
const kubernetesSecret = z.object({ kind: z.literal('Secret'), data: z.record(z.string(), z.base64()) });

/** The fields of a JSON object; for a Kubernetes Secret, its decoded data. `undefined` for any other text. */
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

/** The object, or the object that a JSON text contains. `undefined` for anything else. */
function readObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'string') return anyObject.safeParse(value).data;
  try {
    return anyObject.safeParse(JSON.parse(value)).data;
  } catch {
    // V8's error message would quote the text.
    return undefined;
  }
}

function readBlocks(text: string): CertificateMaterial | Unreadable {
  const blocks = splitPem(text);
  const find = (kind: RegExp) => blocks.filter(({ label }) => kind.test(label)).map((block) => block.text);
  const [certificates, keys] = [find(/^CERTIFICATE$/), find(/PRIVATE KEY$/)];
  const [key] = keys;
  if (certificates.length === 0 || key === undefined || keys.length > 1) {
    const found = `${countOf(certificates.length, 'certificate')} and ${countOf(keys.length, 'private key')}`;
    return {
      problem: `it has PEM with ${found}; expected the chain and one key, or JSON with "tls.crt" and "tls.key"`,
    };
  }
  return { chain: certificates.join('\n'), key, dhParameters: find(/^DH PARAMETERS$/)[0] };
}

function readPem(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's error message could contain bytes of the key.
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
