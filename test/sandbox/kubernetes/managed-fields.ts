// Field ownership (metadata.managedFields) and server-side apply.
import {
  type FieldPath,
  isMap,
  isWithin,
  leavesOf,
  readField,
  readFieldsV1,
  removeField,
  spellPath,
  toFieldsV1,
  writeField,
} from './field-paths.ts';
import { type KubernetesObject, kubernetesObject } from './objects.ts';
import { applyConflict } from './status.ts';

type ManagedFields = NonNullable<KubernetesObject['metadata']['managedFields']>[number];

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
    ? [...wanted].filter(([path, value]) => !isSame(readField(live, path), value)).map(([path]) => path)
    : [];
  const isUpgraded = findUpgraded(live, manager);
  const conflicts = others.flatMap((entry) => {
    const held = readFieldsV1(entry.fieldsV1);
    return taken
      .filter((path) => held.has(path) && !isUpgraded(path))
      .map((path) => ({ manager: describeManager(entry), field: spellPath(path) }));
  });
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);

  const left = others.map((entry) => withPaths(entry, minus(pathsOf(entry), taken))).filter(isHeld);
  const mine = before.find((entry) => !others.includes(entry));
  const leftPaths = left.map(pathsOf);
  const isHeldStill = (path: FieldPath) =>
    path.endsWith(',"."]')
      ? leftPaths.some((paths) => [...paths].some((held) => isWithin(held, path)))
      : leftPaths.some((paths) => paths.has(path));
  const dropped = [...(mine ? pathsOf(mine) : [])].filter((path) => !wanted.has(path) && !isHeldStill(path));
  const result: KubernetesObject = structuredClone(live ?? { ...applied, metadata: { ...applied.metadata } });
  for (const path of dropped) removeField(result, path);
  for (const [path, value] of wanted) writeField(result, path, value);
  result.metadata.resourceVersion = applied.metadata.resourceVersion;
  const entry = entryOf(manager, 'Apply', applied.apiVersion, new Set(wanted.keys()), now);
  result.metadata.managedFields = [entry, ...left];
  return result;
}

/** Fields that kubectl's client-side apply has set, which `kubectl apply --server-side` takes over without a
 *  conflict (kubernetes.io/docs/reference/using-api/server-side-apply). */
function findUpgraded(live: KubernetesObject | undefined, manager: string): (path: FieldPath) => boolean {
  const text = live?.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
  if (manager !== 'kubectl' || text === undefined) return () => false;
  const lastApplied = leavesOf(kubernetesObject.parse(JSON.parse(text)));
  return (path) => lastApplied.has(path);
}

/** Ownership after anything but an apply: who changes a field holds it, and nobody else does. */
export function ownChanges(
  before: KubernetesObject | undefined,
  after: KubernetesObject,
  manager: string,
  now: Date,
): KubernetesObject {
  const old = before ? leavesOf(before) : new Map<FieldPath, unknown>();
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
  paths: ReadonlySet<FieldPath>,
  now: Date,
): ManagedFields {
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const empty: ManagedFields = { manager, operation, apiVersion, time, fieldsType: 'FieldsV1', fieldsV1: {} };
  return withPaths(empty, paths);
}

/** `"kubectl"`, `"kubectl-edit" using v1 at 2026-11-30T08:00:00Z`: as conflicts name a manager. */
function describeManager({ manager, operation, apiVersion, time }: ManagedFields): string {
  const name = JSON.stringify(manager);
  return operation === 'Apply' ? name : `${name} using ${apiVersion} at ${time}`;
}

function pathsOf({ fieldsV1 }: ManagedFields): Set<FieldPath> {
  return readFieldsV1(fieldsV1);
}

function withPaths(entry: ManagedFields, paths: ReadonlySet<FieldPath>): ManagedFields {
  return { ...entry, fieldsV1: toFieldsV1(paths) };
}

function isHeld({ fieldsV1 }: ManagedFields): boolean {
  return Object.keys(fieldsV1).length > 0;
}

function minus(paths: ReadonlySet<FieldPath>, gone: readonly FieldPath[]): Set<FieldPath> {
  return new Set([...paths].filter((path) => !gone.includes(path)));
}

/** An applied map that is empty is the same as any map that is there. */
function isSame(live: unknown, wanted: unknown): boolean {
  if (isMap(wanted) && Object.keys(wanted).length === 0) return isMap(live);
  return JSON.stringify(live) === JSON.stringify(wanted);
}
