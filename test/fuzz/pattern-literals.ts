// Finds every regular expression in a TypeScript source by reading it as text: a new pattern is found without
// being listed.

/** One pattern as it stands in a source. */
export interface FoundPattern {
  readonly source: string;
  readonly flags: string;
}

/** After these a slash divides; after anything else it begins a pattern. */
const endsOperand = /[\w$)\]}"'`]$/;
/** Words that end no operand. */
const beforePattern = /\b(return|typeof|case|of|in|do|else|void|delete|throw|new|await|yield)$/;

/** The literals of a source, in their order. Comments, strings and the texts of templates hold none; their
 *  `${}` do. */
export function findPatternLiterals(text: string): readonly FoundPattern[] {
  const found: FoundPattern[] = [];
  /** Braces that are open inside each `${` that is open. */
  const templates: number[] = [];
  let code = '';
  let at = 0;
  const skipText = (): void => {
    for (; at < text.length && text[at] !== '`'; at += 1) {
      if (text[at] === '\\') at += 1;
      else if (text.startsWith('${', at)) {
        templates.push(0);
        code = '';
        at += 2;
        return;
      }
    }
    at += 1;
    code = '`';
  };
  while (at < text.length) {
    const here = text[at] ?? '';
    if (text.startsWith('//', at)) at = endOf(text, '\n', at);
    else if (text.startsWith('/*', at)) at = endOf(text, '*/', at) + 2;
    else if (here === "'" || here === '"') {
      for (at += 1; at < text.length && text[at] !== here; at += 1) if (text[at] === '\\') at += 1;
      at += 1;
      code = here;
    } else if (here === '`') {
      at += 1;
      skipText();
    } else if (here === '}' && templates.at(-1) === 0) {
      templates.pop();
      at += 1;
      skipText();
    } else if (here === '/' && (!endsOperand.test(code) || beforePattern.test(code))) {
      const literal = readLiteral(text, at);
      found.push(literal);
      at += literal.source.length + literal.flags.length + 2;
      code = ')';
    } else {
      const open = templates.pop();
      if (open !== undefined) templates.push(open + (here === '{' ? 1 : here === '}' ? -1 : 0));
      if (here.trim() !== '') code = `${code.slice(-20)}${here}`;
      else if (/\w$/.test(code) && /\w/.test(text[at + 1] ?? '')) code = `${code.slice(-20)} `;
      at += 1;
    }
  }
  return found;
}

function endOf(text: string, end: string, from: number): number {
  const at = text.indexOf(end, from);
  return at < 0 ? text.length : at;
}

function readLiteral(text: string, from: number): FoundPattern {
  let isClass = false;
  let at = from + 1;
  for (; at < text.length && (isClass || text[at] !== '/'); at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '[') isClass = true;
    else if (text[at] === ']') isClass = false;
    else if (text[at] === '\n') throw new Error(`no pattern at ${text.slice(from, from + 40)}`);
  }
  const flags = /^[a-z]*/.exec(text.slice(at + 1, at + 12))?.[0] ?? '';
  return { source: text.slice(from + 1, at), flags };
}
