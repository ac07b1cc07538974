// The little XML that Route 53's API is made of: elements and text, no attributes that matter.

export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** One element: text is escaped, a list holds elements made by this function; `undefined` content makes no
 *  element. */
export function tag(
  name: string,
  content: string | number | boolean | readonly (string | undefined)[] | undefined,
): string | undefined {
  if (content === undefined) return undefined;
  const inner = typeof content === 'object' ? content.join('') : escapeText(String(content));
  return `<${name}>${inner}</${name}>`;
}

/** A whole document in Route 53's namespace. */
export function xmlDocument(root: string, content: readonly (string | undefined)[]): string {
  const namespace = 'https://route53.amazonaws.com/doc/2013-04-01/';
  return `<?xml version="1.0"?>\n<${root} xmlns="${namespace}">${content.join('')}</${root}>`;
}

/** @throws Error where the text is not one well-formed element. */
export function readXml(text: string): XmlElement {
  const open: { name: string; children: XmlElement[]; text: string }[] = [
    { name: '', children: [], text: '' },
  ];
  const token = /<\?[^>]*\?>|<(\/?)([A-Za-z0-9]+)(?:\s[^<>]*?)?(\/?)>|([^<]+)/gy;
  let end = 0;
  for (const match of text.matchAll(token)) {
    end = match.index + match[0].length;
    const [, slash, name, selfClosing, characters] = match;
    const current = open.at(-1);
    if (!current) throw new Error('more elements closed than opened');
    if (characters !== undefined) current.text += unescapeText(characters);
    if (name === undefined) continue;
    if (!slash) open.push({ name, children: [], text: '' });
    if (slash && current.name !== name) throw new Error(`</${name}> closes <${current.name}>`);
    if (slash || selfClosing) {
      const closed = open.pop();
      if (closed) open.at(-1)?.children.push(closed);
    }
  }
  const [root] = open[0]?.children ?? [];
  if (end !== text.length || open.length !== 1 || !root) throw new Error('not one well-formed element');
  return root;
}

export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((candidate) => candidate.name === name);
}

export function textOf(element: XmlElement | undefined, name: string): string | undefined {
  return child(element, name)?.text;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeText(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, entity) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return entities[entity] ?? whole;
  });
}

function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
