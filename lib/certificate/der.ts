// A strict reader of DER (X.690 §8, §10), enough for X.509. Never recursive, never slower than linear.

/** Bytes or text that cannot be read as what they should be. The message quotes none of them. */
export class UnparsableError extends Error {
  readonly code = 'Unparsable';
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'UnparsableError';
  }
}

/** One element: its identifier octet and its contents. */
export interface DerElement {
  readonly tag: number;
  readonly contents: Uint8Array;
}

/** Identifier octets that X.509 uses. */
export const derTag = {
  integer: 0x02,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Every element of the bytes, in order, without reading inside them.
 *  @throws UnparsableError for a cut element, a length that is not minimal or indefinite, or a high tag
 *  number. */
export function readElements(bytes: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const tag = byteAt(bytes, offset);
    if ((tag & 0x1f) === 0x1f) throw new UnparsableError('DER: a tag number over 30');
    const { length, start } = readLength(bytes, offset + 1);
    if (length > bytes.length - start) throw new UnparsableError('DER: an element is cut off');
    elements.push({ tag, contents: bytes.subarray(start, start + length) });
    offset = start + length;
  }
  return elements;
}

/** The bytes as exactly one element with the given tag.
 *  @throws UnparsableError for another tag, no element or more than one. */
export function readOnly(bytes: Uint8Array, tag: number): DerElement {
  const [element, ...others] = readElements(bytes);
  if (element === undefined || others.length > 0) throw new UnparsableError('DER: not exactly one element');
  return expectTag(element, tag);
}

/** The element, if it exists and has the given tag.
 *  @throws UnparsableError otherwise. */
export function expectTag(element: DerElement | undefined, tag: number): DerElement {
  if (element === undefined) throw new UnparsableError('DER: an element is missing');
  if (element.tag === tag) return element;
  const [found, expected] = [element.tag, tag].map((octet) => octet.toString(16).padStart(2, '0'));
  throw new UnparsableError(`DER: tag ${found} where ${expected} should be`);
}

function readLength(bytes: Uint8Array, offset: number): { readonly length: number; readonly start: number } {
  const first = byteAt(bytes, offset);
  if (first < 0x80) return { length: first, start: offset + 1 };
  const octets = first & 0x7f;
  if (octets === 0) throw new UnparsableError('DER: an indefinite length');
  if (octets > 4) throw new UnparsableError('DER: a length over 4 octets');
  let length = 0;
  for (let index = 1; index <= octets; index += 1) length = length * 256 + byteAt(bytes, offset + index);
  if (length < 0x80 || length < 256 ** (octets - 1)) throw new UnparsableError('DER: a length not minimal');
  return { length, start: offset + 1 + octets };
}

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw new UnparsableError('DER: an element is cut off');
  return byte;
}
