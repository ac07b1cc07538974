// The certificates of an account in AWS Certificate Manager, and what it takes as one; no protocol.
import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { Refusal } from './refusal.ts';

/** One certificate of one region. */
export interface AcmEntry {
  readonly arn: string;
  readonly region: string;
  readonly type: 'IMPORTED' | 'AMAZON_ISSUED';
  readonly tags: Map<string, string>;
  readonly importedAt: Date;
  /** PEM. */
  readonly leaf: string;
  readonly chain: string | undefined;
  readonly key: string;
}

/** What ImportCertificate is given; PEM. */
export interface Material {
  readonly leaf: string;
  readonly chain: string | undefined;
  readonly key: string;
}

export const account = '123456789012';
const largestKeyBytes = 5_120;
const largestLeafBytes = 32_768;

export class AcmCertificates {
  readonly entries: AcmEntry[] = [];
  /** Quota of imported certificates, each region its own. */
  limit = 2_500;
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Where `arn` is absent, as a new one. @throws Refusal. */
  import(
    region: string,
    material: Material,
    arn: string | undefined,
    tags: ReadonlyMap<string, string>,
  ): AcmEntry {
    if (arn !== undefined && tags.size > 0) {
      throw new Refusal('ValidationException', 'Tagging is not permitted on re-import.');
    }
    checkMaterial(material, this.#now());
    if (arn === undefined) {
      const count = this.entries.filter((one) => one.region === region && one.type === 'IMPORTED').length;
      if (count >= this.limit)
        throw new Refusal('LimitExceededException', 'You have reached your limit of certificates.');
      return this.add(region, 'IMPORTED', material, tags);
    }
    const before = this.find(region, arn);
    if (before.type !== 'IMPORTED') {
      throw new Refusal('ValidationException', `The certificate ${arn} is not an imported certificate.`);
    }
    checkSuccession(before.leaf, material.leaf);
    const entry = { ...before, ...material, importedAt: this.#now() };
    this.entries.splice(this.entries.indexOf(before), 1, entry);
    return entry;
  }

  /** Without a look at it, as one that ACM issues. */
  add(
    region: string,
    type: AcmEntry['type'],
    material: Material,
    tags: ReadonlyMap<string, string> = new Map(),
  ): AcmEntry {
    const arn = `arn:aws:acm:${region}:${account}:certificate/${randomUUID()}`;
    const entry = { arn, region, type, tags: new Map(tags), importedAt: this.#now(), ...material };
    this.entries.push(entry);
    return entry;
  }

  /** @throws Refusal where the region has none under the ARN. */
  find(region: string, arn: string): AcmEntry {
    if (!/^arn:[\w+=/,.@-]+:acm:[\w+=/,.@-]*:[0-9]+:[\w+=,.@-]+(\/[\w+=,.@-]+)*$/.test(arn)) {
      throw new Refusal(
        'ValidationException',
        `Value '${arn}' at 'certificateArn' failed to satisfy constraint.`,
      );
    }
    const entry = this.entries.find((one) => one.arn === arn && one.region === region);
    if (!entry) throw new Refusal('ResourceNotFoundException', `Could not find certificate ${arn}.`);
    return entry;
  }

  remove(arn: string): void {
    this.entries.splice(
      this.entries.findIndex((one) => one.arn === arn),
      1,
    );
  }
}

/** ACM's name for the key of a certificate. */
export function keyAlgorithmOf(leaf: string): string {
  const { asymmetricKeyType, asymmetricKeyDetails } = new X509Certificate(leaf).publicKey;
  if (asymmetricKeyType === 'rsa') return `RSA_${asymmetricKeyDetails?.modulusLength}`;
  const curves: Readonly<Record<string, string>> = { prime256v1: 'EC_prime256v1', secp384r1: 'EC_secp384r1' };
  return curves[asymmetricKeyDetails?.namedCurve ?? ''] ?? 'unknown';
}

function checkMaterial({ leaf, chain, key }: Material, now: Date): void {
  const refuse = (message: string) => new Refusal('ValidationException', message);
  if (Buffer.byteLength(key) > largestKeyBytes) throw refuse('The private key is longer than 5120 bytes.');
  if (Buffer.byteLength(leaf) > largestLeafBytes) throw refuse('The certificate is longer than 32768 bytes.');
  if (leaf.split('-----BEGIN CERTIFICATE-----').length !== 2) {
    throw refuse(
      'The certificate field contains more than one certificate. You can specify only one certificate in this field.',
    );
  }
  const certificate = read(
    () => new X509Certificate(leaf),
    'The certificate is not a valid PEM-encoded certificate.',
  );
  const privateKey = read(() => createPrivateKey(key), 'The private key is not supported.');
  if (!certificate.checkPrivateKey(privateKey))
    throw refuse('The private key does not match the public key of the certificate.');
  if (certificate.validFromDate > now || certificate.validToDate <= now) {
    throw refuse('The certificate must be valid now: it is not yet, or no longer.');
  }
  const above = (chain?.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []).map(
    (pem) => read(() => new X509Certificate(pem), 'The certificate chain is not valid PEM.'),
  );
  const isSelfSigned = certificate.subject === certificate.issuer;
  const all = [certificate, ...above];
  const isChain = all.every((one, index) => {
    const next = all[index + 1];
    return next === undefined || (one.checkIssued(next) && one.verify(next.publicKey));
  });
  if ((above.length === 0 && !isSelfSigned) || !isChain) {
    throw refuse('Could not validate the certificate with the certificate chain.');
  }
}

/** What may not change under one ARN: the type and size of the key, and values of key usages that are
 *  there. */
function checkSuccession(before: string, after: string): void {
  const [old, next] = [keyAlgorithmOf(before), keyAlgorithmOf(after)];
  if (old !== next) {
    throw new Refusal(
      'ValidationException',
      `The key type and size cannot be changed: it is ${old}, not ${next}.`,
    );
  }
  const lost = usagesOf(before).filter((usage) => usage !== clientAuth && !usagesOf(after).includes(usage));
  if (lost.length > 0) {
    throw new Refusal(
      'ValidationException',
      `The certificate has no longer the extended key usage ${lost.join(', ')}.`,
    );
  }
}

const clientAuth = '1.3.6.1.5.5.7.3.2';

function usagesOf(leaf: string): readonly string[] {
  return (
    new x509.X509Certificate(leaf).getExtension(x509.ExtendedKeyUsageExtension)?.usages.map(String) ?? []
  );
}

function read<T>(parse: () => T, message: string): T {
  try {
    return parse();
  } catch {
    throw new Refusal('ValidationException', message);
  }
}
