// Makes the tables of docs/inventory.md from the JSON Schema of the inventory: one row a key, grouped.
import * as z from 'zod';

/** A part of the JSON Schema, as far as the tables read it. */
interface SchemaNode {
  readonly type?: string | undefined;
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: SchemaNode | undefined;
  readonly additionalProperties?: boolean | SchemaNode | undefined;
  readonly anyOf?: readonly SchemaNode[] | undefined;
}

const schemaNode: z.ZodType<SchemaNode> = z.lazy(() =>
  z.object({
    type: z.string().optional(),
    description: z.string().optional(),
    default: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    properties: z.record(z.string(), schemaNode).optional(),
    required: z.array(z.string()).optional(),
    items: schemaNode.optional(),
    additionalProperties: z.union([z.boolean(), schemaNode]).optional(),
    anyOf: z.array(schemaNode).optional(),
  }),
);

interface TableRow {
  readonly key: string;
  readonly node: SchemaNode;
  readonly isRequired: boolean;
}

/** Names of the tables. */
const groupNames = [
  'targets',
  'issuers',
  'clusters',
  'certificates',
  'registration-targets',
  'registration',
  'places',
  'discovery',
  'dns',
  'notifications',
] as const;
/** Name of a table of docs/inventory.md. */
export type InventoryGroup = (typeof groupNames)[number];

/** Where the keys of each table begin. A key belongs to the first group that fits. */
const paths: Readonly<Record<InventoryGroup, string>> = {
  targets: 'certificates[].targets[]',
  issuers: 'issuers.<name>',
  clusters: 'clusters.<name>',
  certificates: 'certificates[]',
  'registration-targets': 'registration.targets[]',
  registration: 'registration',
  places: 'discovery.places[]',
  discovery: 'discovery',
  dns: 'dns',
  notifications: 'notifications[]',
};

/** The table of each group, as Markdown. Keys of targets that a registration has in common with certificates
 *  are in the table of certificates' targets only.
 *  @param schema The text of `certificates.schema.json`. */
export function renderInventoryTables(schema: string): ReadonlyMap<InventoryGroup, string> {
  const rows = walk(schemaNode.parse(JSON.parse(schema)), '');
  const inTargets = new Set(rows.filter(({ key }) => groupOf(key) === 'targets').map(sayWithoutPath));
  const shown = rows.filter(
    (row) => groupOf(row.key) !== 'registration-targets' || !inTargets.has(sayWithoutPath(row)),
  );
  return new Map(
    groupNames.map((group) => {
      const own = shown.filter(({ key }) => groupOf(key) === group);
      const lines = own.map((row) => renderRow(row, row.key.slice(paths[group].length + 1)));
      return [group, ['| key | value | default | meaning |', '|---|---|---|---|', ...lines].join('\n')];
    }),
  );
}

function groupOf(key: string): InventoryGroup | undefined {
  return groupNames.find((group) => key.startsWith(`${paths[group]}.`));
}

/** The row as its group tells it, to compare rows of two groups. */
function sayWithoutPath(row: TableRow): string {
  return renderRow(row, row.key.replace(/^.*targets\[\]\./, ''));
}

/** Every key below a node, each once, parents first. */
function walk(node: SchemaNode, path: string): readonly TableRow[] {
  const found = new Map<string, TableRow>();
  const variants = variantsOf(node);
  const mappings = variants.filter(({ properties }) => properties);
  for (const variant of variants) {
    for (const [name, child] of Object.entries(variant.properties ?? {})) {
      const key = path === '' ? name : `${path}.${name}`;
      const isRequired = mappings.every(({ required }) => required?.includes(name));
      found.set(key, found.get(key) ?? { key, node: child, isRequired });
      for (const row of walk(child, `${key}${arrayMark(child)}`)) found.set(row.key, row);
    }
    const { additionalProperties: free } = variant;
    if (typeof free === 'object') for (const row of walk(free, `${path}.<name>`)) found.set(row.key, row);
  }
  return [...found.values()];
}

/** A list of mappings is walked through its items. */
function arrayMark(node: SchemaNode): string {
  return variantsOf(node).some(({ properties }) => properties) && isList(node) ? '[]' : '';
}

const isList = (node: SchemaNode): boolean =>
  node.type === 'array' || (node.anyOf ?? []).some((one) => one.type === 'array');

/** What a value may be, through unions and lists. */
function variantsOf(node: SchemaNode): readonly SchemaNode[] {
  return [node, ...(node.anyOf ?? []).flatMap(variantsOf), ...(node.items ? variantsOf(node.items) : [])];
}

function renderRow({ node, isRequired }: TableRow, shown: string): string {
  const [meaning, stated] = splitDefault(node.description ?? '');
  const value = node.default === undefined || isEmpty(node.default) ? stated : code(node.default);
  return `| \`${shown}\` | ${describeValue(node)} | ${isRequired ? 'needed' : value} | ${meaning} |`;
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** Tells the default that a description names from the rest of it. */
function splitDefault(description: string): readonly [meaning: string, stated: string] {
  const [, before = '', stated = '', after = ''] =
    /^(.*?)\.? Default: (.*?)(?:\. (?=[a-zA-Z])(.*))?$/.exec(description) ?? [];
  if (stated === '') return [asCell(description), ''];
  return [asCell([before, after].filter((part) => part !== '').join('. ')), asCell(stated)];
}

/** What may be written: words, or the kind of value. */
function describeValue(node: SchemaNode): string {
  const kinds = (node.anyOf ?? [node]).map((one) => {
    if (one.enum) return one.enum.map(code).join(', ');
    if (one.const !== undefined) return code(one.const);
    if (one.type === 'array')
      return one.items?.enum ? `list of ${one.items.enum.map(code).join(', ')}` : 'list';
    return kindWords[one.type ?? ''] ?? '';
  });
  return [...new Set(kinds)].filter((kind) => kind !== '').join(', or ');
}

const kindWords: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: '`true`, `false`',
  integer: 'number',
  number: 'number',
  object: 'mapping',
};

/** A value as one writes it; a list without its brackets. */
function code(value: unknown): string {
  const words = [value].flat().map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  return `\`${words.join(', ')}\``;
}

const asCell = (text: string): string => text.replaceAll('<', '&lt;').replaceAll('|', '\\|');
