// Reads and writes the user's inventory, `infra/certificates.yaml`.
import { CORE_SCHEMA, load } from 'js-yaml';
import { type Alias, type Document, isNode, LineCounter, parseDocument, stringify, visit } from 'yaml';
import type { CertificateSpec, Inventory, TargetSpec } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { findCrossMistakes } from './cross-checks.ts';
import { writeDiscovery } from './discovery-fields.ts';
import { formatSpan } from './fields.ts';
import { writeAddresses, writeProbe } from './probe-fields.ts';
import {
  explainIssue,
  formatPath,
  type InventoryMistake,
  type InventoryProblem,
  mistakesOf,
} from './problems.ts';
import { writeRollout } from './rollout-fields.ts';
import { inventorySchema } from './schema.ts';

/** Larger files are refused unread; 10,000 certificates need about 3 MB. */
const maxLength = 16_000_000;
/** How many nodes aliases may unfold to, as the parser counts them. */
const maxAliasCount = 1_000;

/** The inventory in a YAML text, with every default filled in; or all of its mistakes at once, in the order of the file. */
export function parseInventory(
  text: string,
): { readonly inventory: Inventory } | { readonly problems: readonly InventoryProblem[] } {
  if (text.length > maxLength) {
    return {
      problems: [
        { path: 'the whole', message: `is over ${maxLength} characters; split it in two inventories` },
      ],
    };
  }
  return parseQuickly(text) ?? explainMistakes(text);
}

/** The inventory where the text is plain and without mistake: ten times as fast, and a fifth of the memory, of a parser
 *  that keeps the place of everything. Texts with anchors are left to the one that counts what they unfold to. */
function parseQuickly(text: string): { readonly inventory: Inventory } | undefined {
  if (/(^|[\s[{,:-])&\w/m.test(text)) return undefined;
  try {
    const input: unknown = load(text, { schema: CORE_SCHEMA });
    const parsed = inventorySchema.safeParse(input);
    return parsed.success && findCrossMistakes(input).length === 0 ? { inventory: parsed.data } : undefined;
  } catch {
    return undefined;
  }
}

/** All mistakes with their lines; or the inventory, where it only was not plain. */
function explainMistakes(text: string): ReturnType<typeof parseInventory> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const unreadable = findYamlMistakes(document, lines);
  if (unreadable.length > 0) return { problems: unreadable };

  let input: unknown;
  try {
    input = document.toJS({ maxAliasCount });
  } catch {
    return {
      problems: [{ path: 'the whole', message: 'unfolds its aliases to far too much; write them out' }],
    };
  }
  if (input === null) {
    return {
      problems: [{ path: 'the whole', message: 'is empty; write at least issuers and certificates' }],
    };
  }
  const parsed = inventorySchema.safeParse(input, { error: explainIssue });
  const mistakes = [...(parsed.success ? [] : mistakesOf(parsed.error.issues)), ...findCrossMistakes(input)];
  if (parsed.success && mistakes.length === 0) return { inventory: parsed.data };
  return { problems: mistakes.map((mistake) => locate(mistake, document, lines)).sort(byLine) };
}

/** YAML text that `parseInventory` reads back as the same inventory. Every value is written out, defaults too. */
export function serializeInventory(inventory: Inventory): string {
  const { certificates, registration, discovery } = inventory;
  return stringify({
    ...inventory,
    certificates: certificates.map(writeCertificate),
    ...(registration === undefined
      ? {}
      : { registration: { ...registration, targets: registration.targets.map(writeTarget) } }),
    ...(discovery === undefined ? {} : { discovery: writeDiscovery(discovery) }),
  });
}

/** YAML text of the certificates as they would stand in an inventory. */
export function serializeCertificates(specs: readonly StoredSpec[]): string {
  const written = specs.map((stored) => {
    const { source: _, ...spec } = stored;
    return writeCertificate(spec);
  });
  return stringify({ certificates: written });
}

function findYamlMistakes(document: Document.Parsed, lines: LineCounter): readonly InventoryProblem[] {
  const problems = document.errors.map(({ code, message, pos }) => {
    const said = code === 'RESOURCE_EXHAUSTION' ? 'is nested far too deep' : `is not YAML: ${message}`;
    return placeAt(pos[0], said, lines);
  });
  // One mistake may be reported once for each level of nesting.
  if (problems.length > 20) return problems.slice(0, 1);
  if (problems.length > 0) return problems;

  const unresolved: InventoryProblem[] = [];
  visit(document, {
    Alias(_, node: Alias) {
      if (node.resolve(document) !== undefined) return;
      const message = `*${node.source} is an alias without anchor; a wildcard name must stand in quotes: "*${node.source}"`;
      unresolved.push(placeAt(node.range?.[0] ?? 0, message, lines));
    },
  });
  return unresolved;
}

function placeAt(offset: number, message: string, lines: LineCounter): InventoryProblem {
  const { line, col } = lines.linePos(offset);
  return { path: `line ${line}, column ${col}`, message, line };
}

/** The line of the value, or of the nearest mapping or list around what is missing. */
function locate(
  { path, message }: InventoryMistake,
  document: Document.Parsed,
  lines: LineCounter,
): InventoryProblem {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (!isNode(node) || !node.range) continue;
    return { path: formatPath(path), message, line: lines.linePos(node.range[0]).line };
  }
  return { path: formatPath(path), message };
}

function byLine(one: InventoryProblem, other: InventoryProblem): number {
  return (one.line ?? 0) - (other.line ?? 0);
}

function writeCertificate({ renewBeforeMs, probe, targets, ...spec }: CertificateSpec): object {
  const renewBefore = renewBeforeMs === undefined ? {} : { renewBefore: formatSpan(renewBeforeMs) };
  const look = probe === undefined ? {} : { probe: writeProbe(probe) };
  return { ...spec, ...renewBefore, ...look, targets: targets.map(writeTarget) };
}

function writeTarget(spec: TargetSpec): object {
  if ('acm' in spec) return { ...spec, ...writeAddresses(spec) };
  const { restart, rollout, ...target } = spec;
  const written = typeof restart === 'string' ? restart : restart.map(({ kind, name }) => `${kind}/${name}`);
  const change = rollout ? { rollout: writeRollout(rollout) } : {};
  return { ...target, restart: written, ...change, ...writeAddresses(spec) };
}
