// Shortens lists and texts, so that messages, log lines and answers stay within their limits.

/** Joins the first `most` names with `separator`, and counts the others: `a, b and 7 more`. */
export function nameSome(names: readonly string[], most = 20, separator = ', '): string {
  const rest = names.length - most;
  const first = names.slice(0, most).join(separator);
  return rest > 0 ? `${first} and ${rest} more` : first;
}

/** The first `most` names, and one entry that counts the others: `['a', 'b', 'and 7 more']`. */
export function listSome(names: readonly string[], most: number): readonly string[] {
  const rest = names.length - most;
  return rest > 0 ? [...names.slice(0, most), `and ${rest} more`] : names;
}

/** The text as it is, or its first `most` characters with its length: `abc… (9000 characters)`. */
export function cutText(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}… (${text.length} characters)` : text;
}

/** The text as it is, or `most` characters of it with `…` for the middle: three parts of four are its end,
 *  where messages say what to do. */
export function cutMiddle(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) * 0.75);
  return `${text.slice(0, most - 1 - end)}…${text.slice(-end)}`.toWellFormed();
}

/** Bytes of JSON for the lists of a function's answer. Lambda allows 6 MB; the rest is for everything
 *  around them. */
export const mostAnswerBytes = 5_000_000;

/** The longest beginning of the list that fits into `mostBytes` of JSON. */
export function takeFitting<T>(list: readonly T[], mostBytes: number): readonly T[] {
  let bytes = 0;
  const end = list.findIndex((item) => {
    bytes += Buffer.byteLength(JSON.stringify(item) ?? '') + 1;
    return bytes > mostBytes;
  });
  return end === -1 ? list : list.slice(0, end);
}

/** At most `most` characters of the text, on one line. Runs of control, format and line-separator
 *  characters become a space, so a CA's text cannot control a terminal. The text is cut before the pattern
 *  runs. */
export function oneLine(text: string, most: number): string {
  const isCut = text.length > most;
  const kept = text.slice(0, isCut ? most - 1 : most).toWellFormed();
  return `${kept.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')}${isCut ? '…' : ''}`;
}
