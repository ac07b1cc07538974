// Makes text that somebody else wrote fit for a message, a log line or a tag.

/** At most `most` characters of the text, on one line: what controls a terminal or the direction of writing becomes a space. Cut
 *  first, so that a pattern never sees more. */
export function oneLine(text: string, most: number): string {
  const isCut = text.length > most;
  const kept = text.slice(0, isCut ? most - 1 : most).toWellFormed();
  return `${kept.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')}${isCut ? '…' : ''}`;
}
