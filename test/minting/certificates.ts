// Mints certificate chains with throw-away keys; nothing here outlives the process.
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { KeyType } from '../../lib/certificate/spec.ts';

x509.cryptoProvider.set(webcrypto);

/** What to mint; every field that is absent has an ordinary value. */
export interface Minting {
  /** The first becomes the common name. */
  readonly domains: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly keyType?: KeyType | undefined;
  /** PKCS#8 PEM of the leaf's key, of any type; absent: a new one. */
  readonly key?: string | undefined;
  /** Authorities between leaf and root that stand in the chain; 1. The root never does. */
  readonly intermediates?: number;
  /** End of the root; absent: that of the leaf. */
  readonly rootNotAfter?: Date | undefined;
  /** Signs the leaf instead of the last of them, and stands in the chain after it. */
  readonly issuer?: Authority;
  /** Serial number of the leaf as hex of its DER contents. */
  readonly serial?: string | undefined;
  /** Key identifier of the issuer, hex, written into the leaf instead of the true one; `none` leaves it
   *  out. */
  readonly authorityKeyId?: string;
}

/** PEM of everything that was minted. */
export interface MintedChain {
  /** Leaf first. */
  readonly chain: string;
  /** The certificates of the chain, one by one. */
  readonly certificates: readonly string[];
  /** PKCS#8 PEM of the leaf's key. */
  readonly key: string;
  /** PEM of the root, which is not part of the chain. */
  readonly root: string;
}

/** A certificate authority that can sign. */
export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** A chain for the domains: leaf, then intermediates, under a new root that is valid for as long. */
export async function mintChain(minting: Minting): Promise<MintedChain> {
  const validity = { notBefore: minting.notBefore, notAfter: minting.notAfter };
  const rootEnd = minting.rootNotAfter ?? minting.notAfter;
  const root = await mintAuthority('Minted Root', { ...validity, notAfter: rootEnd });
  const authorities = [root];
  for (let index = 1; index <= (minting.intermediates ?? 1); index += 1) {
    authorities.unshift(await mintAuthority(`Minted Intermediate ${index}`, validity, authorities[0]));
  }
  if (minting.issuer !== undefined) authorities.unshift(minting.issuer);
  const [issuer = root] = authorities;

  const algorithm = keyAlgorithms[minting.keyType ?? 'ecdsa-p256'];
  const keys =
    minting.key === undefined
      ? await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
      : await importKeys(minting.key);
  const keyId = minting.authorityKeyId;
  const authorityKeyId =
    keyId === undefined
      ? [await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate)]
      : [keyId].filter((id) => id !== 'none').map((id) => new x509.AuthorityKeyIdentifierExtension(id));
  const leaf = await x509.X509CertificateGenerator.create({
    ...validity,
    ...(minting.serial === undefined ? {} : { serialNumber: minting.serial }),
    subject: `CN=${minting.domains[0] ?? ''}`,
    issuer: issuer.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: signing,
    extensions: [
      new x509.SubjectAlternativeNameExtension(minting.domains.map((value) => ({ type: 'dns', value }))),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ...authorityKeyId,
    ],
  });
  const chain = [leaf, ...authorities.slice(0, -1).map((authority) => authority.certificate)];
  const certificates = chain.map((certificate) => `${certificate.toString('pem')}\n`);
  return {
    chain: certificates.join(''),
    certificates,
    key: toPem(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)),
    root: `${root.certificate.toString('pem')}\n`,
  };
}

/** A certificate that signed itself, and is no authority. */
export async function mintSelf({
  domains,
  ...validity
}: Pick<Minting, 'domains' | 'notBefore' | 'notAfter'>): Promise<{
  readonly chain: string;
  readonly key: string;
}> {
  const keys = await webcrypto.subtle.generateKey(signing, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: `CN=${domains[0] ?? ''}`,
    keys,
    signingAlgorithm: signing,
    extensions: [
      new x509.SubjectAlternativeNameExtension(domains.map((value) => ({ type: 'dns', value }))),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    ],
  });
  return {
    chain: `${certificate.toString('pem')}\n`,
    key: toPem(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)),
  };
}

/** An authority under an issuer, or under itself where none is given. `keys`: those of another authority,
 *  under a new name; `ca: false`: one whose certificate does not say that it may sign. */
export async function mintAuthority(
  commonName: string,
  validity: { readonly notBefore: Date; readonly notAfter: Date },
  issuer?: Authority,
  change: { readonly keys?: webcrypto.CryptoKeyPair; readonly ca?: boolean } = {},
): Promise<Authority> {
  const keys = change.keys ?? (await webcrypto.subtle.generateKey(signing, true, ['sign', 'verify']));
  const maySign = [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
    subject: `CN=${commonName}`,
    issuer: issuer?.certificate.subject ?? `CN=${commonName}`,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: signing,
    extensions: [
      ...(change.ca === false ? [] : maySign),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) };
const keyAlgorithms = {
  'ecdsa-p256': { name: 'ECDSA', namedCurve: 'P-256' },
  'ecdsa-p384': { name: 'ECDSA', namedCurve: 'P-384' },
  'rsa-2048': { ...rsa, modulusLength: 2048 },
  'rsa-3072': { ...rsa, modulusLength: 3072 },
  'rsa-4096': { ...rsa, modulusLength: 4096 },
} as const;

async function importKeys(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const privateKey = createPrivateKey(pem);
  const isP384 = privateKey.asymmetricKeyDetails?.namedCurve === 'secp384r1';
  const algorithm =
    privateKey.asymmetricKeyType === 'rsa'
      ? { ...rsa, hash: 'SHA-256' }
      : { ...signing, namedCurve: isP384 ? 'P-384' : 'P-256' };
  const [pkcs8, spki] = [
    privateKey.export({ type: 'pkcs8', format: 'der' }),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  ];
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
  };
}

function toPem(pkcs8: ArrayBuffer): string {
  const lines =
    Buffer.from(pkcs8)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
}
