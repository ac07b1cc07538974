// Reads YAML, and tells where a value stands in it by walking the parser's events again.
import {
  CORE_SCHEMA,
  constructFromEvents,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  YAMLException,
} from 'js-yaml';

/** How many nodes the aliases of a text may unfold to, together. */
const mostUnfolded = 100_000;

/** A mistake of YAML. */
export interface YamlMistake {
  /** Where in the text it was found; absent: it is about the whole. */
  readonly offset?: number;
  readonly message: string;
}

/** The document in a text (`null`: there is none), or its mistakes: of those in its syntax the first
 *  alone. */
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
    const message = reason.includes('maxDepth') ? 'is nested far too deep' : `is not YAML: ${reason}`;
    return { mistakes: [{ offset: mark?.position ?? 0, message }] };
  }
}

/** Gives the offset of the value under a path of a text that `readYaml` reads, or of the nearest mapping
 *  or list around what is missing; `undefined` in a text without a document. */
export function locateIn(text: string): (path: readonly PropertyKey[]) => number | undefined {
  const events = parseEvents(text, {});
  return (path) => (events.length > 1 ? findOffset(events, text, path) : undefined);
}

/** Documents after the first, aliases without an anchor, and aliases that unfold to too much. */
function findMistakes(events: readonly Event[], text: string): readonly YamlMistake[] {
  const mistakes: YamlMistake[] = [];
  /** Nodes under each anchor, what its aliases unfold to included. */
  const weights = new Map<string, number>();
  const open: { readonly anchor: string | undefined; weight: number }[] = [{ anchor: undefined, weight: 0 }];
  let [documents, unfolded] = [0, 0];
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
        if (weight === undefined)
          mistakes.push({ offset: event.anchorStart - 1, message: explainAlias(name) });
        unfolded = Math.min(unfolded + (weight ?? 0), mostUnfolded + 1);
        add(Math.min(weight ?? 0, mostUnfolded + 1));
      } else {
        // An anchor may stand inside of what it names.
        if (name !== undefined) weights.set(name, 1);
        if (event.type === EVENT_ID.SCALAR) add(1);
        else open.push({ anchor: name, weight: 1 });
      }
    }
  }
  if (documents > 1)
    mistakes.unshift({ offset: secondDocument(text), message: 'is not YAML: holds a second document' });
  if (unfolded > mostUnfolded)
    mistakes.push({ message: 'unfolds its aliases to far too much; write them out' });
  return mistakes;
}

function explainAlias(name = ''): string {
  return `*${name} is an alias without anchor; a wildcard name must stand in quotes: "*${name}"`;
}

/** Of the line that divides the first two documents. */
function secondDocument(text: string): number {
  const content = text.search(/^[ \t]*[^\s#%-]/m);
  const divider = text.slice(content).search(/^(?:---|\.\.\.)/m);
  return divider < 0 ? 0 : content + divider;
}

/** Walks down the path. `events[1]` is the document's node. */
function findOffset(
  events: readonly Event[],
  text: string,
  path: readonly PropertyKey[],
): number | undefined {
  let at = 1;
  for (const step of path) {
    const child = findChild(events, text, at, step);
    if (child === undefined) break;
    at = child;
  }
  return startOf(events[at]);
}

/** Index of the node under a key or a position; `undefined` if there is none, or it has no place of its
 *  own. */
function findChild(
  events: readonly Event[],
  text: string,
  parent: number,
  step: PropertyKey,
): number | undefined {
  const type = events[parent]?.type;
  if (type !== EVENT_ID.MAPPING && type !== EVENT_ID.SEQUENCE) return undefined;
  for (let at = parent + 1, index = 0; events[at] && events[at]?.type !== EVENT_ID.POP; index += 1) {
    const value = type === EVENT_ID.MAPPING ? skip(events, at) : at;
    const key = events[at];
    const isKey = key?.type === EVENT_ID.SCALAR && getScalarValue(text, key) === String(step);
    if (type === EVENT_ID.MAPPING ? isKey : index === step) {
      return startOf(events[value]) === undefined ? undefined : value;
    }
    at = skip(events, value);
  }
  return undefined;
}

/** Index of the event after a node. */
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

/** `undefined` for what is empty. */
function startOf(event: Event | undefined): number | undefined {
  if (event?.type === EVENT_ID.MAPPING || event?.type === EVENT_ID.SEQUENCE) return event.start;
  if (event?.type === EVENT_ID.ALIAS) return event.anchorStart - 1;
  return event?.type === EVENT_ID.SCALAR && event.valueStart >= 0 ? event.valueStart : undefined;
}
