// Parses YAML, and finds the offset of a value in the text by walking the parser's events.
import {
  CORE_SCHEMA,
  constructFromEvents,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  YAMLException,
} from 'js-yaml';

/** How many nodes all aliases of a text may expand to. */
const mostExpanded = 100_000;

/** A mistake in YAML syntax. */
export interface YamlMistake {
  /** Offset in the text, in characters. Absent: the mistake concerns the whole text. */
  readonly offset?: number;
  readonly message: string;
}

/** The document in a text (`null` if the text has none), or its mistakes. Of syntax errors, only the first
 *  is found. */
export function readYaml(
  text: string,
): { readonly input: unknown } | { readonly mistakes: readonly YamlMistake[] } {
  try {
    const events = parseEvents(text, {});
    const mistakes = findMistakes(events, text);
    if (mistakes.length > 0) return { mistakes };
    const [input = null] = constructFromEvents(events, { source: text, schema: CORE_SCHEMA });
    return { input };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { reason, mark } = error;
    const offset = mark?.position ?? 0;
    if (reason.includes('maxDepth'))
      return { mistakes: [{ offset, message: 'is nested far too deeply; write it flatter' }] };
    const found = findOddity(text, offset) ?? { offset, message: explainBraces(text, offset) ?? reason };
    const message = `is not YAML: ${found.message}; mend this first, then the other mistakes are found`;
    return { mistakes: [{ ...found, message }] };
  }
}

/** A function from a path to the offset of its value, for a text that `readYaml` can read. If the value is
 *  missing, the offset of the nearest mapping or list around it. `undefined` if the text has no document. */
export function locateIn(text: string): (path: readonly PropertyKey[]) => number | undefined {
  const events = parseEvents(text, {});
  const children = new Map<number, ReadonlyMap<string, number>>();
  const childrenOf = (parent: number): ReadonlyMap<string, number> => {
    const known = children.get(parent) ?? listChildren(events, text, parent);
    children.set(parent, known);
    return known;
  };
  return (path) => (events.length > 1 ? findOffset(events, childrenOf, path) : undefined);
}

/** Finds a second document, aliases without an anchor, and aliases that expand to too much. */
function findMistakes(events: readonly Event[], text: string): readonly YamlMistake[] {
  const mistakes: YamlMistake[] = [];
  /** Number of nodes under each anchor, with its aliases expanded. */
  const weights = new Map<string, number>();
  const open: { readonly anchor: string | undefined; weight: number }[] = [{ anchor: undefined, weight: 0 }];
  let [documents, expanded] = [0, 0];
  const add = (weight: number) => {
    const around = open.at(-1);
    if (around) around.weight += weight;
  };
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      documents += 1;
      open.push({ anchor: undefined, weight: 0 });
    } else if (event.type === EVENT_ID.POP) {
      const { anchor, weight = 0 } = open.pop() ?? {};
      if (anchor !== undefined) weights.set(anchor, weight);
      add(weight);
    } else {
      const name = event.anchorStart < 0 ? undefined : text.slice(event.anchorStart, event.anchorEnd);
      if (event.type === EVENT_ID.ALIAS) {
        const weight = weights.get(name ?? '');
        const offset = event.anchorStart - 1;
        if (weight === undefined) mistakes.push({ offset, message: explainAlias(name) });
        else if (open.some(({ anchor }) => anchor === name))
          mistakes.push({ offset, message: `*${name} stands inside of what &${name} names; write it out` });
        expanded = Math.min(expanded + (weight ?? 0), mostExpanded + 1);
        add(Math.min(weight ?? 0, mostExpanded + 1));
      } else {
        // An alias may be inside the node that its anchor names.
        if (name !== undefined) weights.set(name, 1);
        if (event.type === EVENT_ID.SCALAR) add(1);
        else open.push({ anchor: name, weight: 1 });
      }
    }
  }
  if (documents > 1)
    mistakes.unshift({ offset: secondDocument(text), message: 'is not YAML: it has a second document' });
  if (expanded > mostExpanded)
    mistakes.push({ message: 'has aliases that expand to far too much; write them out' });
  return mistakes;
}

/** What an editor, git or a shell has brought into a text that is not YAML, where it stands. */
function findOddity(text: string, offset: number): Required<YamlMistake> | undefined {
  if (text.includes('\0'))
    return { offset: 0, message: 'it has null bytes, as UTF-16 has; save it as UTF-8' };
  const conflict = text.search(/^(?:<{7}|={7}|>{7})(?=[ \r\n]|$)/m);
  if (conflict >= 0)
    return {
      offset: conflict,
      message: 'this line is left of a merge conflict; keep one side, without such lines',
    };
  const begin = text.lastIndexOf('\n', text.lastIndexOf('\n', offset - 1) - 1) + 1;
  const end = text.indexOf('\n', offset);
  const space = text.slice(begin, end < 0 ? undefined : end).search(/[^\S\t\r\n ]/);
  return space < 0
    ? undefined
    : {
        offset: begin + space,
        message: 'this space is a special one, such as web pages have; write a plain one',
      };
}

/** What is wrong if the line of a syntax error, or the one before, has `{prefix}` or `{name}` outside of
 *  quotes. */
function explainBraces(text: string, offset: number): string | undefined {
  const before = text.slice(0, offset).split('\n').slice(-2).join('\n');
  const after = text.slice(offset).split('\n', 1)[0] ?? '';
  const [, value = ''] = /[:[,{]\s+(\{(?:prefix|name)\}[^\s,}\]]*)/.exec(before + after) ?? [];
  return value === ''
    ? undefined
    : `a value that begins with { is a mapping, unless it stands in quotes; write ${JSON.stringify(value)}`;
}

function explainAlias(name = ''): string {
  return `*${name} is an alias without an anchor; write a wildcard name in quotes: "*${name}"`;
}

/** Offset of the line that separates the first two documents. */
function secondDocument(text: string): number {
  const content = text.search(/^[ \t]*[^\s#%-]/m);
  const divider = text.slice(content).search(/^(?:---|\.\.\.)/m);
  return divider < 0 ? 0 : content + divider;
}

/** Offset of the deepest node on the path that exists. `events[1]` is the document's node. */
function findOffset(
  events: readonly Event[],
  childrenOf: (parent: number) => ReadonlyMap<string, number>,
  path: readonly PropertyKey[],
): number | undefined {
  let at = 1;
  for (const part of path) {
    const child = childrenOf(at).get(String(part));
    if (child === undefined) break;
    at = child;
  }
  return startOf(events[at]);
}

/** Indexes of the events of a node's children, by key or position. Of a repeated key the first. Children that
 *  are empty, and so have no offset, are left out. */
function listChildren(events: readonly Event[], text: string, parent: number): ReadonlyMap<string, number> {
  const children = new Map<string, number>();
  const type = events[parent]?.type;
  if (type !== EVENT_ID.MAPPING && type !== EVENT_ID.SEQUENCE) return children;
  for (let at = parent + 1, index = 0; events[at] && events[at]?.type !== EVENT_ID.POP; index += 1) {
    const isMapping = type === EVENT_ID.MAPPING;
    const value = isMapping ? skip(events, at) : at;
    const key = events[at];
    const isNamed = !isMapping || key?.type === EVENT_ID.SCALAR;
    const name = isMapping && key?.type === EVENT_ID.SCALAR ? getScalarValue(text, key) : String(index);
    if (isNamed && !children.has(name) && startOf(events[value]) !== undefined) children.set(name, value);
    at = skip(events, value);
  }
  return children;
}

/** Index of the first event after a node and its children. */
function skip(events: readonly Event[], node: number): number {
  let depth = 0;
  for (let at = node; at < events.length; at += 1) {
    const type = events[at]?.type;
    if (type === EVENT_ID.POP) depth -= 1;
    else if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) depth += 1;
    if (depth <= 0) return at + 1;
  }
  return events.length;
}

/** Offset of a node. `undefined` for an empty node. */
function startOf(event: Event | undefined): number | undefined {
  if (event?.type === EVENT_ID.MAPPING || event?.type === EVENT_ID.SEQUENCE) return event.start;
  if (event?.type === EVENT_ID.ALIAS) return event.anchorStart - 1;
  return event?.type === EVENT_ID.SCALAR && event.valueStart >= 0 ? event.valueStart : undefined;
}
