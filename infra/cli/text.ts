// Texts for a terminal: how wide they are, and how they are wrapped, cut, coloured and put into local time.

const startOfEscape = String.fromCharCode(27);
const codes = { red: 31, green: 32, yellow: 33, cyan: 36, bold: 1, faint: 2 } as const;

/** A colour of the terminal's own palette, or a weight. */
export type Colour = keyof typeof codes;

/** The text in a colour. */
export function paint(text: string, colour: Colour): string {
  return `${startOfEscape}[${codes[colour]}m${text}${startOfEscape}[0m`;
}

/** Columns that a text without escapes takes: none for marks, two for ideographs and emoji. */
export function widthOfText(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width += /\p{sc=Han}|\p{sc=Hangul}|\p{sc=Hiragana}|\p{sc=Katakana}|\p{Emoji_Presentation}|[！-｠]/u.test(
      character,
    )
      ? 2
      : 1;
  }
  return width;
}

/** The text in at most `most` columns; what is cut ends with `…`. */
export function fitText(text: string, most: number): string {
  if (widthOfText(text) <= most) return text;
  let kept = '';
  let width = 0;
  for (const character of text) {
    width += widthOfText(character);
    if (width > most - 1) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}

/** Addresses in a text, without what ends a sentence. */
export function findAddresses(text: string): readonly string[] {
  return (text.match(/\bhttps?:\/\/[^\s"'<>]+/g) ?? []).map(withoutStops);
}

function withoutStops(address: string): string {
  let end = address.length;
  while (end > 0 && '.,;:!?)]'.includes(address.charAt(end - 1))) end -= 1;
  return address.slice(0, end);
}

/** The text in lines of at most `most` columns, broken at spaces where it has some. Addresses stay whole, for
 *  a broken one cannot be followed. */
export function wrapText(text: string, most: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    let rest = word;
    const joined = line === '' ? rest : `${line} ${rest}`;
    if (widthOfText(joined) <= most) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    while (widthOfText(rest) > most && findAddresses(rest).length === 0) {
      const head = takeColumns(rest, most);
      lines.push(head);
      rest = rest.slice(head.length);
    }
    line = rest;
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line];
}

function takeColumns(text: string, most: number): string {
  let kept = '';
  let width = 0;
  for (const character of text) {
    width += widthOfText(character);
    if (width > most && kept !== '') break;
    kept += character;
  }
  return kept;
}

/** The instant in local time, with its zone: `2026-11-30 12:41 +01:00`, or `… UTC`. Empty without one. */
export function formatTime(instant: Date | undefined): string {
  if (instant === undefined) return '';
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [instant.getFullYear(), two(instant.getMonth() + 1), two(instant.getDate())].join('-');
  const offset = -instant.getTimezoneOffset();
  const size = Math.abs(offset);
  const zone =
    offset === 0 ? 'UTC' : `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return `${day} ${two(instant.getHours())}:${two(instant.getMinutes())} ${zone}`;
}

/** The text with each instant in UTC, as functions write it, in local time. */
export function localizeTimes(text: string): string {
  return text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z/g, (written) =>
    formatTime(new Date(written)),
  );
}

/** JSON that a terminal can show: what would control it is escaped, and means the same. */
export function escapeJson(json: string): string {
  return json.replace(/[\p{Cf}\p{Zl}\p{Zp}\u007f-\u009f]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => escapeUnit(character.charCodeAt(index))).join(''),
  );
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
