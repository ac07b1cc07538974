// Reads and judges certificate signing requests (PKCS #10, RFC 2986) as a public CA does.
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { children, decode, type Element, encodeOid } from './der.ts';
import { thumbprintOf, weaknessOf } from './jws.ts';
import { malformed, Problem } from './problem.ts';

/** What the CA takes from an acceptable signing request. */
export interface SigningRequest {
  /** Lower case, sorted, without repeats: alternative names and the common name. */
  readonly names: readonly string[];
  readonly commonName: string | undefined;
  /** DER of SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  readonly thumbprint: string;
}

const extensionRequest = encodeOid('1.2.840.113549.1.9.14');
const subjectAlternativeName = encodeOid('2.5.29.17');
const commonNameType = encodeOid('2.5.4.3');
const hashes: readonly (readonly [Buffer, string])[] = [
  [encodeOid('1.2.840.10045.4.3.2'), 'sha256'],
  [encodeOid('1.2.840.10045.4.3.3'), 'sha384'],
  [encodeOid('1.2.840.10045.4.3.4'), 'sha512'],
  [encodeOid('1.2.840.113549.1.1.11'), 'sha256'],
  [encodeOid('1.2.840.113549.1.1.12'), 'sha384'],
  [encodeOid('1.2.840.113549.1.1.13'), 'sha512'],
];
const dnsName = 0x82;

/** @throws Problem `malformed` where it is not a signing request, `badCSR` where it is not acceptable */
export function readSigningRequest(der: Buffer): SigningRequest {
  const parsed = parse(der);
  const weakness = weaknessOf(parsed.key);
  if (weakness) throw bad(weakness);
  const hash = hashes.find(([oid]) => oid.equals(parsed.algorithm))?.[1];
  if (!hash) throw bad('its signature algorithm is not accepted');
  if (!verify(hash, parsed.signed, parsed.key, parsed.signature)) throw bad('its signature does not verify');
  if (parsed.alternativeNames.some((one) => one.tag !== dnsName))
    throw bad('it holds names that are not DNS names');
  const names = [
    ...parsed.alternativeNames.map((one) => one.content.toString('latin1')),
    parsed.commonName ?? [],
  ]
    .flat()
    .map((name) => name.toLowerCase());
  if (names.length === 0) throw bad('it holds no name');
  return {
    names: [...new Set(names)].sort(),
    commonName: parsed.commonName?.toLowerCase(),
    publicKey: parsed.publicKey,
    thumbprint: thumbprintOf(parsed.key),
  };
}

interface Parsed {
  readonly signed: Buffer;
  readonly key: KeyObject;
  readonly publicKey: Buffer;
  readonly algorithm: Buffer;
  readonly signature: Buffer;
  readonly commonName: string | undefined;
  readonly alternativeNames: readonly Element[];
}

function parse(der: Buffer): Parsed {
  try {
    const [information, algorithm, signature] = children(decode(der));
    const [, subject, publicKey, attributes] = children(present(information));
    return {
      signed: present(information).raw,
      key: createPublicKey({ key: present(publicKey).raw, format: 'der', type: 'spki' }),
      publicKey: present(publicKey).raw,
      algorithm: present(children(present(algorithm))[0]).raw,
      signature: present(signature).content.subarray(1),
      commonName: commonNameIn(present(subject)),
      alternativeNames: attributes ? alternativeNamesIn(attributes) : [],
    };
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw malformed('"csr" does not hold a certificate signing request');
  }
}

function commonNameIn(subject: Element): string | undefined {
  for (const relative of children(subject)) {
    for (const attribute of children(relative)) {
      const [type, value] = children(attribute);
      if (type?.raw.equals(commonNameType)) return value?.content.toString('utf8');
    }
  }
  return undefined;
}

function alternativeNamesIn(attributes: Element): readonly Element[] {
  for (const attribute of children(attributes)) {
    const [type, values] = children(attribute);
    if (!type?.raw.equals(extensionRequest)) continue;
    for (const extension of children(present(children(present(values))[0]))) {
      const [oid, ...rest] = children(extension);
      if (oid?.raw.equals(subjectAlternativeName)) return children(decode(present(rest.at(-1)).content));
    }
  }
  return [];
}

function present(element: Element | undefined): Element {
  if (!element) throw new RangeError('an element is missing');
  return element;
}

function bad(reason: string): Problem {
  return new Problem('badCSR', 400, `the signing request is refused: ${reason}`);
}
