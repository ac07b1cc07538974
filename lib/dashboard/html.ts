// Makes HTML that shows any text harmlessly: every value in a template is escaped.

/** A piece of HTML that may stand in a page as it is. */
export class Html {
  readonly text: string;

  /** `text` must be HTML already; text from elsewhere goes through `html`. */
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: text and numbers are escaped, lists are joined, `undefined` is nothing. */
export type HtmlPart = string | number | Html | undefined | readonly HtmlPart[];

/** Tag of a template of HTML. Values may stand between elements, and in attributes with double quotes. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  const texts = strings.map((text, index) => text + write(parts[index]));
  return new Html(texts.join(''));
}

function write(part: HtmlPart): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(write).join('');
  return escapeText(String(part));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** Characters that control a terminal, turn the direction of writing or do not show become U+FFFD. */
function escapeText(text: string): string {
  const visible = text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
  return visible.replace(/[&<>"'`]/g, (character) => entities[character] ?? '');
}

/** JSON that is the same as text and as the content of an element. */
export function htmlJson(value: object): Html {
  const json = JSON.stringify(value);
  return new Html(
    json.replace(/[^ -~]|[<>&']/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
