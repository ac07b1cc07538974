// The CA's own certificates, two roots and two intermediates, and the leaf certificates that they sign.
import 'reflect-metadata';
import { createHash, KeyObject, randomBytes, randomInt, sign, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { encode, encodeBits, encodeInteger, encodeOid, encodeTime, tag } from './der.ts';

x509.cryptoProvider.set(webcrypto);
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;

/** What a leaf certificate is to hold. */
export interface LeafRequest {
  readonly names: readonly string[];
  /** Absent: the subject stays empty. */
  readonly commonName: string | undefined;
  /** DER of SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A leaf certificate and the chains it can be served with. */
export interface Leaf {
  /** Hex of the serial's bytes as they stand in the certificate, without a leading 00. */
  readonly serial: string;
  /** base64url of the authority key identifier: the first half of a CertID (RFC 9773 §4.1). */
  readonly authorityKeyIdentifier: string;
  readonly der: Buffer;
  /** PEM chains, leaf first and without root; the first is the default, the others are alternates. */
  readonly chains: readonly string[];
}

interface Issuer {
  readonly subject: Buffer;
  readonly key: KeyObject;
  readonly keyIdentifier: Buffer;
  readonly chains: readonly string[];
}

/** The CA's keys: what it issues with and under. */
export interface Hierarchy {
  /** PEM of both roots; every default chain ends at the first. */
  readonly roots: string;
  issue(request: LeafRequest): Leaf;
}

/** Mints roots and intermediates. One intermediate hangs directly under the first root; the other under the
 *  second, which the first has cross-signed, so that default chains have two or three certificates, as chance
 *  will have it. */
export async function mintHierarchy(): Promise<Hierarchy> {
  const [x, y, one, two] = await Promise.all([
    mintKeys('Sandbox Root X'),
    mintKeys('Sandbox Root Y'),
    mintKeys('Sandbox Issuer 1'),
    mintKeys('Sandbox Issuer 2'),
  ]);
  const [rootX, rootY, oneByX, oneByY, twoByY, yByX] = await Promise.all([
    certify(x, x),
    certify(y, y),
    certify(one, x),
    certify(one, y),
    certify(two, y),
    certify(y, x),
  ]);
  const issuers = [
    issuerOf(one, oneByX, [[oneByX], [oneByY]]),
    issuerOf(two, twoByY, [[twoByY, yByX], [twoByY]]),
  ];
  return {
    roots: [rootX, rootY].map(pemOf).join(''),
    issue: (request) => {
      const issuer = issuers[randomInt(issuers.length)];
      if (!issuer) throw new Error('there is no intermediate');
      return issueLeaf(issuer, request);
    },
  };
}

interface Authority {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

async function mintKeys(commonName: string): Promise<Authority> {
  return {
    name: `C=XX, O=Certrelay sandbox, CN=${commonName}`,
    keys: await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']),
  };
}

async function certify(subject: Authority, issuer: Authority): Promise<x509.X509Certificate> {
  const isRoot = subject === issuer;
  return x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(16).toString('hex'),
    subject: subject.name,
    issuer: issuer.name,
    publicKey: subject.keys.publicKey,
    signingKey: issuer.keys.privateKey,
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + 3650 * dayMs),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(subject.keys.publicKey),
      ...(isRoot ? [] : [await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey)]),
    ],
  });
}

function issuerOf(
  authority: Authority,
  certificate: x509.X509Certificate,
  chains: readonly (readonly x509.X509Certificate[])[],
): Issuer {
  const identifier = certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId ?? '';
  return {
    subject: Buffer.from(certificate.subjectName.toArrayBuffer()),
    key: KeyObject.from(authority.keys.privateKey),
    keyIdentifier: Buffer.from(identifier, 'hex'),
    chains: chains.map((chain) => chain.map(pemOf).join('')),
  };
}

const ecdsaWithSha256 = encode(tag.sequence, encodeOid('1.2.840.10045.4.3.2'));

// Written by hand: the library takes several times longer than all the rest of an order.
function issueLeaf(issuer: Issuer, request: LeafRequest): Leaf {
  // Bytes under 01 never come first, those over 7f do: half of the serials carry DER's leading 00.
  const serial = Buffer.concat([Buffer.from([randomInt(1, 256)]), randomBytes(17)]);
  const signed = encode(
    tag.sequence,
    encode(0xa0, encodeInteger(Buffer.from([2]))),
    encodeInteger(serial),
    ecdsaWithSha256,
    issuer.subject,
    encode(tag.sequence, encodeTime(request.notBefore), encodeTime(request.notAfter)),
    subjectOf(request.commonName),
    request.publicKey,
    encode(0xa3, encode(tag.sequence, ...extensionsOf(issuer, request))),
  );
  const der = encode(tag.sequence, signed, ecdsaWithSha256, encodeBits(sign('sha256', signed, issuer.key)));
  const leaf = pem(der);
  return {
    serial: serial.toString('hex'),
    authorityKeyIdentifier: issuer.keyIdentifier.toString('base64url'),
    der,
    chains: issuer.chains.map((chain) => leaf + chain),
  };
}

function subjectOf(commonName: string | undefined): Buffer {
  if (commonName === undefined) return encode(tag.sequence);
  const value = encode(tag.utf8String, Buffer.from(commonName));
  return encode(tag.sequence, encode(tag.set, encode(tag.sequence, encodeOid('2.5.4.3'), value)));
}

// The profile of a public CA's server certificate (RFC 5280 §4.2; the Baseline Requirements'
// domain-validated policy).
function extensionsOf(issuer: Issuer, { names, commonName, publicKey }: LeafRequest): readonly Buffer[] {
  const alternativeNames = encode(tag.sequence, ...names.map((name) => encode(0x82, Buffer.from(name))));
  const oids = (...dotted: readonly string[]) => encode(tag.sequence, ...dotted.map(encodeOid));
  return [
    extension('2.5.29.15', encode(tag.bitString, Buffer.from([7, 0x80])), true),
    extension('2.5.29.37', oids('1.3.6.1.5.5.7.3.1')),
    extension('2.5.29.19', encode(tag.sequence), true),
    extension('2.5.29.14', encode(tag.octetString, keyIdentifierOf(publicKey))),
    extension('2.5.29.35', encode(tag.sequence, encode(0x80, issuer.keyIdentifier))),
    extension('2.5.29.17', alternativeNames, commonName === undefined),
    extension('2.5.29.32', encode(tag.sequence, oids('2.23.140.1.2.1'))),
  ];
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  const parts = [encodeOid(oid), ...(critical ? [encode(tag.boolean, Buffer.from([0xff]))] : [])];
  return encode(tag.sequence, ...parts, encode(tag.octetString, value));
}

// Any unique value will do (RFC 7093 §2 method 4 style): the hash of the whole key structure, cut to 160
// bits.
function keyIdentifierOf(publicKey: Buffer): Buffer {
  return createHash('sha256').update(publicKey).digest().subarray(0, 20);
}

function pemOf(certificate: x509.X509Certificate): string {
  return pem(Buffer.from(certificate.rawData));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
