// Quotes and unquotes TXT values the way Route 53 writes them (Developer Guide, "TXT record type").

/** Longest string of a TXT value, in bytes. */
const longestString = 255;

/** The quoted form of a value: its UTF-8 bytes in quoted strings of at most 255 bytes. Bytes that are not
 *  printable ASCII are written as `\ooo` (octal). */
export function quoteTxt(value: string): string {
  const bytes = Buffer.from(value);
  const strings: string[] = [];
  for (let start = 0; start < bytes.length || start === 0; start += longestString) {
    strings.push(`"${escapeBytes(bytes.subarray(start, start + longestString))}"`);
  }
  return strings.join(' ');
}

/** The value of a quoted form, its strings joined. `undefined` if the text is not such a form. One value can
 *  have several quoted forms, so a DELETE must repeat the form that was read. */
export function unquoteTxt(quoted: string): string | undefined {
  if (!/^\s*"(?:[^"\\]|\\[\s\S])*"(?:\s+"(?:[^"\\]|\\[\s\S])*")*\s*$/.test(quoted)) return undefined;
  const strings = [...quoted.matchAll(/\s*"((?:[^"\\]|\\[\s\S])*)"/gy)].map(([, content = '']) =>
    unescapeBytes(content),
  );
  return Buffer.concat(strings).toString();
}

function escapeBytes(bytes: Buffer): string {
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === '\\') return `\\${character}`;
    const isPlain = byte >= 0x20 && byte < 0x7f;
    return isPlain ? character : `\\${byte.toString(8).padStart(3, '0')}`;
  }).join('');
}

function unescapeBytes(content: string): Buffer {
  const parts = content.match(/\\[0-7]{3}|\\[\s\S]|[^\\]+/g) ?? [];
  return Buffer.concat(
    parts.map((part) => {
      if (!part.startsWith('\\')) return Buffer.from(part);
      return part.length === 4
        ? Buffer.of(Number.parseInt(part.slice(1), 8) & 255)
        : Buffer.from(part.slice(1));
    }),
  );
}
