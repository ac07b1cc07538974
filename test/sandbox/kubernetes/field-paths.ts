// Fields as server-side apply names them (FieldsV1): which can be owned, and reading and writing one by its
// path. Lists of built-in kinds merge by key or as sets; lists of other kinds are one field.
import type { KubernetesObject } from './objects.ts';

/** A map of fields. */
export type Fields = Record<string, unknown>;

/** A field's path as JSON, so that a Set can hold it. Its elements are those of FieldsV1: `f:` and a name,
 *  `k:` and the keys of a list's element, `v:` and a value of a set; `.` for such an element itself. */
export type FieldPath = string;

const identity = ['apiVersion', 'kind', 'status'];
const ownable = ['labels', 'annotations', 'finalizers', 'ownerReferences'];
const builtInGroups = /^(v1$|(apps|batch|networking\.k8s\.io|rbac\.authorization\.k8s\.io)\/)/;

/** Keys of the elements of lists that merge, by the list's field. */
const listKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  imagePullSecrets: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  ownerReferences: ['uid'],
};
const sets = ['finalizers'];
const atomicMaps = ['selector', 'nodeSelector', 'roleRef', 'secretKeyRef', 'configMapKeyRef', 'fieldRef'];

/** Every field of an object that can be owned, with its value. */
export function leavesOf(object: KubernetesObject): Map<FieldPath, unknown> {
  const leaves = new Map<FieldPath, unknown>();
  const isBuiltIn = builtInGroups.test(object.apiVersion);
  const add = (path: readonly string[], value: unknown) => leaves.set(JSON.stringify(path), value);
  const walk = (value: unknown, path: readonly string[], field: string): void => {
    const merges = isBuiltIn || field === 'ownerReferences' || field === 'finalizers';
    const isWhole = isBuiltIn && atomicMaps.includes(field);
    if (value === undefined || value === null) return;
    if (isMap(value) && Object.keys(value).length > 0 && !isWhole) walkMap(value, path);
    else if (Array.isArray(value) && merges && value.length > 0) walkList(value, path, field);
    else add(path, value);
  };
  const walkMap = (map: Fields, path: readonly string[]) => {
    for (const [name, part] of Object.entries(map)) walk(part, [...path, `f:${name}`], name);
  };
  const walkList = (list: readonly unknown[], path: readonly string[], field: string) => {
    const keyed = list.map((element) => keyOf(field, element));
    if (sets.includes(field)) for (const value of list) add([...path, `v:${JSON.stringify(value)}`], value);
    else if (keyed.includes(undefined)) add(path, list);
    else {
      for (const [index, element] of list.entries()) {
        const place = [...path, `k:${JSON.stringify(keyed[index])}`];
        add([...place, '.'], true);
        if (isMap(element)) walkMap(element, place);
      }
    }
  };
  for (const [name, value] of Object.entries(object)) {
    if (name === 'metadata') {
      for (const field of ownable) walk(object.metadata[field], ['f:metadata', `f:${field}`], field);
    } else if (!identity.includes(name)) walk(value, [`f:${name}`], name);
  }
  return leaves;
}

/** What tells an element of a list from the others; `undefined` where the list does not merge. */
function keyOf(field: string, element: unknown): Fields | undefined {
  if (!isMap(element)) return undefined;
  const portKey = 'containerPort' in element ? 'containerPort' : 'port';
  const names = field === 'ports' ? [portKey, 'protocol'] : listKeys[field];
  if (names?.every((name) => isScalar(element[name]) || name === 'protocol') !== true) return undefined;
  return Object.fromEntries(
    names.toSorted().map((name) => [name, element[name] ?? (name === 'protocol' ? 'TCP' : '')]),
  );
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

/** The paths of a manager's fields. */
export function readFieldsV1(fieldsV1: Fields): Set<FieldPath> {
  const paths = new Set<FieldPath>();
  const walk = (fields: Fields, path: readonly string[]): void => {
    const last = path.at(-1) ?? '';
    if (Object.keys(fields).length === 0 && last !== '') paths.add(JSON.stringify(path));
    for (const [name, part] of Object.entries(fields)) {
      // Of a map, `.` is the map itself; of a list's element it is a field of its own.
      if (name === '.' && !last.startsWith('k:')) paths.add(JSON.stringify(path));
      else if (isMap(part)) walk(part, [...path, name]);
    }
  };
  walk(fieldsV1, []);
  return paths;
}

/** The fields of a manager, as `metadata.managedFields` has them. */
export function toFieldsV1(paths: Iterable<FieldPath>): Fields {
  const tree: Fields = {};
  const whole: Fields[] = [];
  for (const path of paths) {
    let place = tree;
    for (const element of partsOf(path)) {
      const next = place[element];
      place[element] = isMap(next) ? next : {};
      place = place[element] as Fields;
    }
    whole.push(place);
  }
  for (const place of whole) if (Object.keys(place).length > 0) place['.'] = {};
  return tree;
}

/** `.data.tls.crt`, `.spec.containers[name="web"].image`: as conflicts spell a field. */
export function spellPath(path: FieldPath): string {
  const spelled = partsOf(path).map((element) => {
    const rest = element.slice(2);
    if (element.startsWith('f:')) return `.${rest}`;
    if (element.startsWith('v:')) return `[=${rest}]`;
    if (element === '.') return '';
    const keys = Object.entries(Object(JSON.parse(rest)));
    return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
  });
  return spelled.join('');
}

/** The value at a path; `true` for an element of a list that is there. */
export function readField(object: Fields, path: FieldPath): unknown {
  let value: unknown = object;
  for (const element of partsOf(path)) {
    if (element === '.') return value === undefined ? undefined : true;
    if (element.startsWith('f:')) value = isMap(value) ? value[element.slice(2)] : undefined;
    else value = findElement(value, element)?.element;
  }
  return value;
}

/** Sets the field, and makes what is above it. An empty map leaves a map that is there as it is. */
export function writeField(object: Fields, path: FieldPath, value: unknown): void {
  const write = (place: unknown, [element, ...rest]: readonly string[]): unknown => {
    if (element === undefined) return isEmptyMap(value) && isMap(place) ? place : value;
    if (element === '.') return place;
    if (element.startsWith('f:')) {
      const map = isMap(place) ? place : {};
      map[element.slice(2)] = write(map[element.slice(2)], rest);
      return map;
    }
    const list = Array.isArray(place) ? place : [];
    const found = findElement(list, element);
    const made: unknown = JSON.parse(element.slice(2));
    if (found) list[found.index] = write(found.element, rest);
    else list.push(element.startsWith('v:') ? made : write(made, rest));
    return list;
  };
  write(object, partsOf(path));
}

/** Takes the field away; a map that holds something, and what tells a list's element from the others,
 *  stay. */
export function removeField(object: Fields, path: FieldPath): void {
  const parts = [...partsOf(path)];
  const last = parts.pop() ?? '';
  const above = parts.at(-1) ?? '';
  if (last === '.') {
    removeField(object, JSON.stringify(parts));
    return;
  }
  const place = readField(object, JSON.stringify(parts));
  if (last.startsWith('f:')) {
    const name = last.slice(2);
    const isKey = above.startsWith('k:') && Object.hasOwn(Object(JSON.parse(above.slice(2))), name);
    const value = isMap(place) ? place[name] : undefined;
    const holdsMore = isMap(value) && !isEmptyMap(value) && !atomicMaps.includes(name);
    if (isMap(place) && !isKey && !holdsMore) delete place[name];
    return;
  }
  const found = findElement(place, last);
  if (found && Array.isArray(place)) place.splice(found.index, 1);
}

/** Whether a path is at another or below it. `[…, "k:…", "."]` stands for the whole element. */
export function isWithin(path: FieldPath, element: FieldPath): boolean {
  const parts = partsOf(path);
  const above = partsOf(element).filter((part) => part !== '.');
  return above.every((part, index) => parts[index] === part);
}

function findElement(list: unknown, element: string): { index: number; element: unknown } | undefined {
  if (!Array.isArray(list)) return undefined;
  const wanted = element.slice(2);
  const index = list.findIndex((one: unknown) => {
    if (element.startsWith('v:')) return JSON.stringify(one) === wanted;
    const keys = Object.entries(Object(JSON.parse(wanted)));
    return isMap(one) && keys.every(([name, value]) => (one[name] ?? defaultOf(name)) === value);
  });
  return index < 0 ? undefined : { index, element: list[index] };
}

function defaultOf(name: string): string | undefined {
  return name === 'protocol' ? 'TCP' : undefined;
}

function partsOf(path: FieldPath): readonly string[] {
  return JSON.parse(path) as readonly string[];
}

/** Whether a value is a map of fields. */
export function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmptyMap(value: unknown): boolean {
  return isMap(value) && Object.keys(value).length === 0;
}
