// How much of something a line or an answer tells: the first of many, and how many more there are.

/** The names with commas between; of very many the first, and the number of the others: `a, b and 7 more`. */
export function nameSome(names: readonly string[], most = 20, between = ', '): string {
  const rest = names.length - most;
  const told = names.slice(0, most).join(between);
  return rest > 0 ? `${told} and ${rest} more` : told;
}

/** The same as a list. */
export function listSome(names: readonly string[], most: number): readonly string[] {
  const rest = names.length - most;
  return rest > 0 ? [...names.slice(0, most), `and ${rest} more`] : names;
}

/** The text; of a long one the beginning, and its length. */
export function cutText(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}… (${text.length} characters)` : text;
}

/** Bytes that a function's answer may have, below Lambda's 6 MB: what is around the lists needs some, too. */
export const mostAnswerBytes = 5_000_000;

/** As many of the list, from its beginning, as have room in so many bytes of JSON. */
export function takeFitting<T>(list: readonly T[], mostBytes: number): readonly T[] {
  let bytes = 0;
  const end = list.findIndex((item) => {
    bytes += Buffer.byteLength(JSON.stringify(item) ?? '') + 1;
    return bytes > mostBytes;
  });
  return end === -1 ? list : list.slice(0, end);
}

/** At most `most` characters of the text, on one line: what controls a terminal or the direction of writing becomes a space. Cut
 *  first, so that a pattern never sees more. */
export function oneLine(text: string, most: number): string {
  const isCut = text.length > most;
  const kept = text.slice(0, isCut ? most - 1 : most).toWellFormed();
  return `${kept.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')}${isCut ? '…' : ''}`;
}
