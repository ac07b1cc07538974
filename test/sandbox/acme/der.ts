// Just enough DER to read signing requests and write certificates at the pace a test asks for (X.690).

/** One tag-length-value. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length. */
  readonly raw: Buffer;
}

/** Tags that certificates and signing requests use. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The single element that the bytes hold.
 *  @throws RangeError where they are not that */
export function decode(bytes: Buffer): Element {
  const element = readAt(bytes, 0);
  if (element.raw.length !== bytes.length) throw new RangeError('bytes follow the DER element');
  return element;
}

/** The elements within a constructed one.
 *  @throws RangeError */
export function children(element: Element): readonly Element[] {
  const found: Element[] = [];
  for (let offset = 0; offset < element.content.length; ) {
    const child = readAt(element.content, offset);
    found.push(child);
    offset += child.raw.length;
  }
  return found;
}

/** One element; content up to 65 535 bytes. */
export function encode(tagNumber: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 0x80
      ? [tagNumber, length]
      : length < 0x100
        ? [tagNumber, 0x81, length]
        : [tagNumber, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

/** A positive integer from big-endian bytes, with the leading zero that a high bit asks for. */
export function encodeInteger(bytes: Buffer): Buffer {
  const [first = 0] = bytes;
  return encode(tag.integer, first >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes);
}

/** An object identifier from its dotted form. */
export function encodeOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest.flatMap(base128)];
  return encode(tag.oid, Buffer.from(bytes));
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5); whole seconds. */
export function encodeTime(time: Date): Buffer {
  const text = `${time.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return time.getUTCFullYear() < 2050
    ? encode(tag.utcTime, Buffer.from(text.slice(2)))
    : encode(tag.generalizedTime, Buffer.from(text));
}

/** Whole bytes, no unused bits. */
export function encodeBits(bytes: Buffer): Buffer {
  return encode(tag.bitString, Buffer.from([0]), bytes);
}

function readAt(bytes: Buffer, offset: number): Element {
  const tagNumber = bytes.readUInt8(offset);
  const first = bytes.readUInt8(offset + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4) throw new RangeError('DER length too long');
  const start = offset + 2 + lengthBytes;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(offset + 2, lengthBytes);
  const end = start + length;
  if (first === 0x80 || end > bytes.length) throw new RangeError('DER element is cut short');
  return { tag: tagNumber, content: bytes.subarray(start, end), raw: bytes.subarray(offset, end) };
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}
