// Writes a PKCS#12 keystore (RFC 7292): private key and chain under one password, as OpenSSL 3 and Java read
// it. The same chain, key and password always give the same bytes, so that a delivery made twice changes
// nothing and anything else that somebody put there shows. No library does that: each draws its salts at
// random.

import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  hash,
  hkdfSync,
  pbkdf2Sync,
  X509Certificate,
} from 'node:crypto';
import { derTag } from './der.ts';
import { writeElement, writeInteger } from './der-writing.ts';
import { certificatesIn } from './pem.ts';

/** PBKDF2 iterations for each of a keystore's three keys. */
export const keystoreRounds = 100_000;

/** Iterations of keystores that earlier versions wrote, before there were seals: OpenSSL's default. */
export const earlierKeystoreRounds = 2048;

/** The name of the entry in the keystore: what Java calls its alias. */
const alias = 'certificate';

/** The keystore as DER: key and certificates are each encrypted with PBES2 and AES-256-CBC; an HMAC with
 *  SHA-256 covers both. `chain` is PEM, leaf first; `key` is PKCS#8 PEM. Takes about 125 ms of one
 *  processor. */
export function writeKeystore(
  { chain, key }: { readonly chain: string; readonly key: string },
  password: string,
  rounds = keystoreRounds,
): Buffer {
  const certificates = certificatesIn(chain).map((pem) => new X509Certificate(pem).raw);
  const privateKey = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
  // Java finds the chain of a key by what both carry.
  const id = createHash('sha256')
    .update(certificates[0] ?? '')
    .digest();
  const derive = saltsFrom(privateKey, password, certificates, rounds);
  const keyBag = bag(oid.shroudedKeyBag, encrypt(privateKey, password, derive('key')), attributes(id));
  const certBags = certificates.map((der, index) =>
    bag(
      oid.certBag,
      sequence(oid.x509Certificate, explicit(0, octets(der))),
      index === 0 ? attributes(id) : Buffer.alloc(0),
    ),
  );
  const [algorithm, encrypted] = encryptParts(sequence(...certBags), password, derive('certificates'));
  const content = sequence(oid.data, algorithm, writeElement(0x80, encrypted));
  const safe = sequence(
    sequence(oid.encryptedData, explicit(0, sequence(writeInteger(0), content))),
    sequence(oid.data, explicit(0, octets(sequence(keyBag)))),
  );
  return sequence(
    writeInteger(3),
    sequence(oid.data, explicit(0, octets(safe))),
    authenticate(safe, password, derive('mac')),
  );
}

interface Derivation {
  readonly salt: Buffer;
  readonly iv: Buffer;
  readonly rounds: number;
}

/** Salts and initialization vectors that nobody can foresee without the private key, and that change with
 *  every input. */
function saltsFrom(privateKey: Buffer, password: string, certificates: readonly Buffer[], rounds: number) {
  const input = createHash('sha256').update(Buffer.concat(certificates)).update(password).digest();
  return (purpose: string): Derivation => {
    const bytes = Buffer.from(hkdfSync('sha256', privateKey, input, purpose, 32));
    return { salt: bytes.subarray(0, 16), iv: bytes.subarray(16), rounds };
  };
}

/** EncryptedPrivateKeyInfo (RFC 5958 §3). */
function encrypt(plain: Buffer, password: string, salts: Derivation): Buffer {
  const [algorithm, encrypted] = encryptParts(plain, password, salts);
  return sequence(algorithm, octets(encrypted));
}

/** PBES2 with PBKDF2 and HMAC-SHA-256 (RFC 8018 §6.2): its AlgorithmIdentifier, and what it makes of the
 *  text. */
function encryptParts(
  plain: Buffer,
  password: string,
  { salt, iv, rounds }: Derivation,
): readonly [Buffer, Buffer] {
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(password, salt, rounds, 32, 'sha256'), iv);
  const derivation = sequence(
    oid.pbkdf2,
    sequence(octets(salt), writeInteger(rounds), sequence(oid.hmacWithSha256, none)),
  );
  const algorithm = sequence(oid.pbes2, sequence(derivation, sequence(oid.aes256Cbc, octets(iv))));
  return [algorithm, Buffer.concat([cipher.update(plain), cipher.final()])];
}

/** MacData (RFC 7292 §4). */
function authenticate(safe: Buffer, password: string, { salt, rounds }: Derivation): Buffer {
  const mac = createHmac('sha256', deriveMacKey(password, salt, rounds))
    .update(safe)
    .digest();
  return sequence(sequence(sequence(oid.sha256, none), octets(mac)), octets(salt), writeInteger(rounds));
}

/** RFC 7292 appendix B.2 for the one hash that a key of its own length takes: no block is derived after the
 *  first. */
function deriveMacKey(password: string, salt: Buffer, rounds: number): Buffer {
  const purpose = Buffer.alloc(64, 3);
  const text = Buffer.from(`${password}\0`, 'utf16le').swap16();
  let key = Buffer.concat([purpose, fill(salt), fill(text)]);
  for (let round = 0; round < rounds; round += 1) key = hash('sha256', key, 'buffer');
  return key;
}

/** Repeated up to whole blocks of SHA-256. */
function fill(bytes: Buffer): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / 64) * 64, bytes);
}

/** SafeBag (RFC 7292 §4.2). */
function bag(type: Buffer, value: Buffer, attributeSet: Buffer): Buffer {
  return sequence(type, explicit(0, value), attributeSet);
}

function attributes(id: Buffer): Buffer {
  const name = writeElement(0x1e, Buffer.from(alias, 'utf16le').swap16());
  return writeElement(
    0x31,
    sequence(oid.friendlyName, writeElement(derTag.set, name)),
    sequence(oid.localKeyId, writeElement(derTag.set, octets(id))),
  );
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return writeElement(derTag.sequence, ...parts);
}

function octets(bytes: Buffer): Buffer {
  return writeElement(derTag.octetString, bytes);
}

function explicit(number: number, value: Buffer): Buffer {
  return writeElement(0xa0 | number, value);
}

const none = Buffer.from('0500', 'hex');

/** Object identifiers, with tag and length. */
const oid = {
  data: Buffer.from('06092a864886f70d010701', 'hex'),
  encryptedData: Buffer.from('06092a864886f70d010706', 'hex'),
  shroudedKeyBag: Buffer.from('060b2a864886f70d010c0a0102', 'hex'),
  certBag: Buffer.from('060b2a864886f70d010c0a0103', 'hex'),
  x509Certificate: Buffer.from('060a2a864886f70d01091601', 'hex'),
  friendlyName: Buffer.from('06092a864886f70d010914', 'hex'),
  localKeyId: Buffer.from('06092a864886f70d010915', 'hex'),
  pbes2: Buffer.from('06092a864886f70d01050d', 'hex'),
  pbkdf2: Buffer.from('06092a864886f70d01050c', 'hex'),
  hmacWithSha256: Buffer.from('06082a864886f70d0209', 'hex'),
  aes256Cbc: Buffer.from('060960864801650304012a', 'hex'),
  sha256: Buffer.from('0609608648016503040201', 'hex'),
} as const;
