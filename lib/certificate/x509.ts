// Reads facts of an X.509 certificate (RFC 5280). Hostile bytes give an error and nothing worse.
import { type KeyObject, X509Certificate } from 'node:crypto';
import { type DerElement, derTag, expectTag, readElements, readOnly, UnparsableError } from './der.ts';
import type { KeyType } from './spec.ts';
import { validityOf } from './validity.ts';

/** Fields of a certificate. */
export interface CertificateFacts {
  /** dNSName entries of the subjectAltName extension, lower case, in their order. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the DER, lower-case hex without colons. */
  readonly fingerprint: string;
  /** Contents of the serialNumber INTEGER, lower-case hex; a leading 00 is kept. */
  readonly serial: string;
  /** Key identifier of the authorityKeyIdentifier extension, lower-case hex. */
  readonly authorityKeyId: string | undefined;
  /** Common name of the issuer. */
  readonly issuer: string | undefined;
  /** Common name of the subject; some profiles leave it out. */
  readonly commonName: string | undefined;
  /** Absent for a key type that the inventory does not know. */
  readonly keyType: KeyType | undefined;
}

/** Larger input is refused unread: it would not fit into an AWS secret either. */
const maxBytes = 65_536;

/** Facts of one certificate: PEM text (its first certificate) or DER.
 *  @throws UnparsableError for anything that is not one whole X.509 certificate. */
export function readCertificate(pemOrDer: string | Uint8Array): CertificateFacts {
  return factsOf(parseCertificate(pemOrDer));
}

/** The certificate as Node's class, for checks of keys and signatures.
 *  @throws UnparsableError for anything that Node cannot read or that is over 64 KB. */
export function parseCertificate(pemOrDer: string | Uint8Array): X509Certificate {
  if (pemOrDer.length > maxBytes) throw new UnparsableError('a certificate over 64 KB');
  try {
    return new X509Certificate(pemOrDer);
  } catch (error) {
    throw new UnparsableError('not an X.509 certificate', { cause: error });
  }
}

/** Facts of a certificate that Node has read.
 *  @throws UnparsableError if its DER is not strict. */
export function factsOf(certificate: X509Certificate): CertificateFacts {
  const fields = readFields(certificate.raw);
  const { notBefore, notAfter } = validityOf(certificate);
  return {
    names: readDnsNames(fields.extensions.get(oid.subjectAltName)),
    notBefore: validDate(notBefore),
    notAfter: validDate(notAfter),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    serial: toHex(fields.serial),
    authorityKeyId: readKeyIdentifier(fields.extensions.get(oid.authorityKeyIdentifier)),
    issuer: readCommonName(fields.issuer),
    commonName: readCommonName(fields.subject),
    keyType: keyTypeOf(certificate),
  };
}

/** The certificate's id in renewalInfo URLs (RFC 9773 §4.1): two parts in base64url, joined by a dot.
 *  `undefined` if the certificate has no authority key identifier. */
export function certificateId(
  facts: Pick<CertificateFacts, 'authorityKeyId' | 'serial'>,
): string | undefined {
  if (facts.authorityKeyId === undefined) return undefined;
  const [authority, serial] = [facts.authorityKeyId, facts.serial].map((hex) =>
    Buffer.from(hex, 'hex').toString('base64url'),
  );
  return `${authority}.${serial}`;
}

/** Object identifiers as the hex of their DER contents. */
const oid = { commonName: '550403', subjectAltName: '551d11', authorityKeyIdentifier: '551d23' } as const;

interface Fields {
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Value of each extension by its object identifier. */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
}

/** The parts of a Certificate (RFC 5280 §4.1) that Node does not give, or not exactly. */
function readFields(der: Uint8Array): Fields {
  const [tbsCertificate] = readElements(readOnly(der, derTag.sequence).contents);
  const parts = readElements(expectTag(tbsCertificate, derTag.sequence).contents);
  const isVersion = parts[0]?.tag === contextTag(0, 'constructed');
  const [serial, , issuer, , subject, , ...optional] = isVersion ? parts.slice(1) : parts;
  const extensions = optional.find((part) => part.tag === contextTag(3, 'constructed'));
  return {
    serial: expectTag(serial, derTag.integer).contents,
    issuer: expectTag(issuer, derTag.sequence).contents,
    subject: expectTag(subject, derTag.sequence).contents,
    extensions: readExtensions(extensions),
  };
}

function readExtensions(element: DerElement | undefined): ReadonlyMap<string, Uint8Array> {
  const extensions = new Map<string, Uint8Array>();
  if (element === undefined) return extensions;
  for (const extension of readElements(readOnly(element.contents, derTag.sequence).contents)) {
    const parts = readElements(expectTag(extension, derTag.sequence).contents);
    const id = toHex(expectTag(parts[0], derTag.objectIdentifier).contents);
    if (extensions.has(id)) throw new UnparsableError('an X.509 extension stands twice');
    extensions.set(id, expectTag(parts.at(-1), derTag.octetString).contents);
  }
  return extensions;
}

/** RFC 5280 §4.2.1.6; other kinds of names are passed over. */
function readDnsNames(value: Uint8Array | undefined): readonly string[] {
  if (value === undefined) return [];
  return readElements(readOnly(value, derTag.sequence).contents)
    .filter((name) => name.tag === contextTag(2, 'primitive'))
    .map((name) => Buffer.from(name.contents).toString('latin1').toLowerCase());
}

/** RFC 5280 §4.2.1.1. */
function readKeyIdentifier(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const parts = readElements(readOnly(value, derTag.sequence).contents);
  const identifier = parts.find((part) => part.tag === contextTag(0, 'primitive'));
  return identifier === undefined ? undefined : toHex(identifier.contents);
}

/** First common name of a Name (RFC 5280 §4.1.2.4). */
function readCommonName(name: Uint8Array): string | undefined {
  for (const set of readElements(name)) {
    for (const attribute of readElements(expectTag(set, derTag.set).contents)) {
      const [type, value] = readElements(expectTag(attribute, derTag.sequence).contents);
      if (toHex(expectTag(type, derTag.objectIdentifier).contents) !== oid.commonName) continue;
      return value === undefined ? undefined : readText(value);
    }
  }
  return undefined;
}

function readText(value: DerElement): string | undefined {
  const isText = [derTag.utf8String, derTag.printableString, derTag.ia5String].some(
    (tag) => tag === value.tag,
  );
  return isText ? Buffer.from(value.contents).toString('utf8') : undefined;
}

function keyTypeOf(certificate: X509Certificate): KeyType | undefined {
  let key: KeyObject;
  try {
    key = certificate.publicKey;
  } catch {
    return undefined;
  }
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ec') return curves[details?.namedCurve ?? ''];
  return key.asymmetricKeyType === 'rsa' ? moduli[details?.modulusLength ?? 0] : undefined;
}

const curves: Readonly<Record<string, KeyType>> = { prime256v1: 'ecdsa-p256', secp384r1: 'ecdsa-p384' };
const moduli: Readonly<Record<number, KeyType>> = { 2048: 'rsa-2048', 3072: 'rsa-3072', 4096: 'rsa-4096' };

function validDate(date: Date): Date {
  if (Number.isNaN(date.getTime())) throw new UnparsableError('a validity date that cannot be read');
  return date;
}

function contextTag(number: number, form: 'primitive' | 'constructed'): number {
  return (form === 'constructed' ? 0xa0 : 0x80) | number;
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
