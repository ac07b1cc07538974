// PEM (RFC 7468): texts of labelled blocks, taken apart and written in one way.

/** One block. */
export interface PemBlock {
  /** What stands after BEGIN, such as `CERTIFICATE`. */
  readonly label: string;
  /** From its first to its last hyphen, as it was written. */
  readonly text: string;
}

/** Blocks of a text, in their order: each BEGIN with the END that comes next, if that has the same label.
 *  Whatever stands around them is passed over, and so is a block that is cut off. */
export function splitPem(text: string): readonly PemBlock[] {
  const marks = [...text.matchAll(/-----(BEGIN|END) ([A-Z0-9 ]{1,64})-----/g)];
  return marks.flatMap(([, kind, label = ''], index) => {
    const next = marks[index + 1];
    if (kind !== 'BEGIN' || next?.[1] !== 'END' || next[2] !== label) return [];
    return [{ label, text: text.slice(marks[index]?.index, next.index + next[0].length) }];
  });
}

/** PEM of each certificate in a text, in their order, without a line break at the end. */
export function certificatesIn(text: string): readonly string[] {
  return splitPem(text).flatMap((block) => (block.label === 'CERTIFICATE' ? [block.text] : []));
}

/** Whether a private key stands in the text, of any kind, encrypted or not, whole or cut off. */
export function holdsPrivateKey(text: string): boolean {
  return text.includes('PRIVATE KEY-----');
}

/** The bytes of one block. */
export function derOf(block: string): Buffer {
  return Buffer.from(block.replaceAll(/-----[^-]+-----/g, ''), 'base64');
}

/** A block as RFC 7468 §3 has it: 64 characters a line, a line break at the end. */
export function writePem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
