// Text in tags: characters that AWS accepts, and values longer than one tag.

/** Prefix of our tags' keys. */
export const keyPrefix = 'certrelay:';
/** Longest value that AWS accepts. */
export const longestTagValue = 256;

/** Encodes bytes that AWS does not accept in a tag, and `=` itself, as `=XX`. */
export function encodeText(value: string): string {
  return value.replace(/[^A-Za-z0-9+\-._:/@]/gu, (character) =>
    Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '=$&'),
  );
}

/** The text within `most` characters as it is written, with `…` for its middle if it is longer: three parts
 *  of four are its end. Spaces stay spaces, which AWS accepts, to keep more of it. */
export function encodeMiddleCut(text: string, most: number): string {
  const characters = Array.from(text.trim(), (one) => (one === ' ' ? one : encodeText(one)));
  if (lengthOf(characters) <= most) return characters.join('');
  const gap = encodeText('…');
  const endLength = Math.floor((most - gap.length) * 0.75);
  const end = takeWithin(characters.toReversed(), endLength).toReversed();
  const begin = takeWithin(characters, most - gap.length - lengthOf(end));
  return [...begin, gap, ...end].join('').trim();
}

function takeWithin(characters: readonly string[], most: number): readonly string[] {
  let length = 0;
  const end = characters.findIndex((one) => {
    length += one.length;
    return length > most;
  });
  return end === -1 ? characters : characters.slice(0, end);
}

function lengthOf(characters: readonly string[]): number {
  return characters.reduce((sum, { length }) => sum + length, 0);
}

/** `undefined` for an empty text and for text that `encodeText` did not write. */
export function decodeText(value: string): string | undefined {
  try {
    return decodeURIComponent(value.replaceAll('%', '%25').replace(/=([0-9A-F]{2})/g, '%$1')) || undefined;
  } catch {
    return undefined;
  }
}

/** The instant in a tag, in our own spelling; `undefined` for other text. */
export function decodeInstant(value: string): Date | undefined {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(value) ? existing(value) : undefined;
}

/** `Date` takes February 30 for March 2, and the 25th hour for no date at all. */
function existing(value: string): Date | undefined {
  const date = new Date(value);
  const isReal = !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 19) === value.slice(0, 19);
  return isReal ? date : undefined;
}

/** Tags of one text, by key. A long text continues in `<key>.1`, `<key>.2` …; each part but the last ends
 *  in `=`. */
export function toParts(field: string, value: string): readonly (readonly [key: string, value: string])[] {
  const parts: string[] = [];
  let rest = encodeText(value);
  while (rest.length > longestTagValue) {
    parts.push(`${rest.slice(0, longestTagValue - 1)}=`);
    rest = rest.slice(longestTagValue - 1);
  }
  return [...parts, rest].map((part, index) => [tagKey(field, index), part]);
}

/** The text of such tags; `undefined` if there is none or a part is missing. Reading ends with the first part
 *  without `=`, so left-over parts of a longer value do not count. */
export function fromParts(field: string, tags: ReadonlyMap<string, string>): string | undefined {
  let value = '';
  for (let index = 0; ; index += 1) {
    const part = tags.get(tagKey(field, index));
    if (part === undefined) return undefined;
    if (!part.endsWith('=')) return decodeText(value + part);
    value += part.slice(0, -1);
  }
}

/** Whether a tag is a further part of another tag's text. */
export function isContinuation(key: string, base: string): boolean {
  return key.startsWith(`${base}.`) && /^\d+$/.test(key.slice(base.length + 1));
}

/** A part made the last one: without the final `=` and without an incomplete character. */
export function cutPart(part: string): string {
  let text = part.replace(/=$/, '').replace(/=[0-9A-F]?$/, '');
  while (text !== '' && decodeText(text) === undefined) text = text.replace(/=[0-9A-F]{2}$|.$/, '');
  return text;
}

function tagKey(field: string, index: number): string {
  return index === 0 ? keyPrefix + field : `${keyPrefix}${field}.${index}`;
}
