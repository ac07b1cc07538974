// Field ownership (metadata.managedFields) and server-side apply, for objects without lists that merge.
import type { KubernetesObject } from './objects.ts';
import { applyConflict } from './status.ts';

type Fields = Record<string, unknown>;
type ManagedFields = NonNullable<KubernetesObject['metadata']['managedFields']>[number];

/** A field's path, as JSON, so that a Set can hold it. */
type Path = string;

const identity = ['apiVersion', 'kind', 'status'];
const ownable = ['labels', 'annotations', 'finalizers', 'ownerReferences'];

/** The object after `applied` was applied by `manager`: its fields are set, those it applied last time and
 *  names no more are gone unless somebody else holds them too, everything else stays. A 409 where another
 *  manager holds a field with another value, unless `force`. */
export function applyFields(
  live: KubernetesObject | undefined,
  applied: KubernetesObject,
  { manager, force, now }: { readonly manager: string; readonly force: boolean; readonly now: Date },
): KubernetesObject {
  const wanted = leavesOf(applied);
  const before = live?.metadata.managedFields ?? [];
  const others = before.filter((entry) => !(entry.manager === manager && entry.operation === 'Apply'));
  const taken = live
    ? [...wanted].filter(([path, value]) => !isSame(read(live, path), value)).map(([path]) => path)
    : [];
  const conflicts = others.flatMap((entry) => {
    const held = pathsOf(entry);
    return taken
      .filter((path) => held.has(path))
      .map((path) => ({
        manager: entry.manager,
        reason: 'FieldManagerConflict',
        message: `conflict with "${entry.manager}" using v1`,
        field: spell(path),
      }));
  });
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);

  const left = others.map((entry) => withPaths(entry, minus(pathsOf(entry), taken))).filter(isHeld);
  const mine = before.find((entry) => !others.includes(entry));
  const dropped = [...(mine ? pathsOf(mine) : [])].filter(
    (path) => !wanted.has(path) && !left.some((entry) => pathsOf(entry).has(path)),
  );
  const result: KubernetesObject = structuredClone(live ?? { ...applied, metadata: { ...applied.metadata } });
  for (const path of dropped) remove(result, path);
  for (const [path, value] of wanted) write(result, path, value);
  result.metadata.resourceVersion = applied.metadata.resourceVersion;
  const entry = entryOf(manager, 'Apply', applied.apiVersion, new Set(wanted.keys()), now);
  result.metadata.managedFields = [entry, ...left];
  return result;
}

/** Ownership after anything but an apply: who changes a field holds it, and nobody else does. */
export function ownChanges(
  before: KubernetesObject | undefined,
  after: KubernetesObject,
  manager: string,
  now: Date,
): KubernetesObject {
  const old = before ? leavesOf(before) : new Map<Path, unknown>();
  const next = leavesOf(after);
  const changed = [...next].filter(([path, value]) => !isSame(old.get(path), value)).map(([path]) => path);
  const gone = [...old.keys()].filter((path) => !next.has(path));
  const entries = before?.metadata.managedFields ?? [];
  const isMine = (entry: ManagedFields) => entry.manager === manager && entry.operation === 'Update';
  const mine = entries.find(isMine);
  const held = new Set([...minus(mine ? pathsOf(mine) : new Set(), gone), ...changed]);
  const managedFields = [
    ...entries
      .filter((entry) => !isMine(entry))
      .map((entry) => withPaths(entry, minus(pathsOf(entry), [...changed, ...gone]))),
    entryOf(manager, 'Update', after.apiVersion, held, now),
  ].filter(isHeld);
  return { ...after, metadata: { ...after.metadata, managedFields } };
}

function entryOf(
  manager: string,
  operation: ManagedFields['operation'],
  apiVersion: string,
  paths: ReadonlySet<Path>,
  now: Date,
): ManagedFields {
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const empty: ManagedFields = { manager, operation, apiVersion, time, fieldsType: 'FieldsV1', fieldsV1: {} };
  return withPaths(empty, paths);
}

/** Every leaf that can be owned, with its value. A list is one leaf. */
function leavesOf(object: KubernetesObject): Map<Path, unknown> {
  const leaves = new Map<Path, unknown>();
  const walk = (value: unknown, path: readonly string[]): void => {
    if (isMap(value)) for (const [name, part] of Object.entries(value)) walk(part, [...path, name]);
    else if (value !== undefined && value !== null) leaves.set(JSON.stringify(path), value);
  };
  for (const [name, value] of Object.entries(object)) {
    if (name === 'metadata') {
      for (const field of ownable) walk(object.metadata[field], ['metadata', field]);
    } else if (!identity.includes(name)) walk(value, [name]);
  }
  return leaves;
}

function pathsOf({ fieldsV1 }: ManagedFields): Set<Path> {
  const paths = new Set<Path>();
  const walk = (fields: Fields, path: readonly string[]): void => {
    if (Object.keys(fields).length === 0) paths.add(JSON.stringify(path));
    for (const [name, part] of Object.entries(fields)) if (isMap(part)) walk(part, [...path, name.slice(2)]);
  };
  if (Object.keys(fieldsV1).length > 0) walk(fieldsV1, []);
  return paths;
}

function withPaths(entry: ManagedFields, paths: ReadonlySet<Path>): ManagedFields {
  const fieldsV1: Fields = {};
  for (const path of paths) write(fieldsV1, JSON.stringify(parts(path).map((name) => `f:${name}`)), {});
  return { ...entry, fieldsV1 };
}

function isHeld({ fieldsV1 }: ManagedFields): boolean {
  return Object.keys(fieldsV1).length > 0;
}

function minus(paths: ReadonlySet<Path>, gone: readonly Path[]): Set<Path> {
  return new Set([...paths].filter((path) => !gone.includes(path)));
}

function parts(path: Path): readonly string[] {
  return JSON.parse(path) as readonly string[];
}

/** `.data.tls.crt`, as conflicts spell a field. */
function spell(path: Path): string {
  return parts(path)
    .map((name) => `.${name}`)
    .join('');
}

function read(object: Fields, path: Path): unknown {
  let value: unknown = object;
  for (const name of parts(path)) value = isMap(value) ? value[name] : undefined;
  return value;
}

function write(object: Fields, path: Path, value: unknown): void {
  const names = [...parts(path)];
  const last = names.pop();
  let place = object;
  for (const name of names) {
    const next = place[name];
    if (isMap(next)) place = next;
    else {
      const made: Fields = {};
      place[name] = made;
      place = made;
    }
  }
  if (last !== undefined) place[last] = value;
}

function remove(object: Fields, path: Path): void {
  const names = [...parts(path)];
  const last = names.pop();
  const place = read(object, JSON.stringify(names));
  if (isMap(place) && last !== undefined) delete place[last];
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
