// JSON patch (RFC 6902), JSON merge patch (RFC 7386) and strategic merge patch, as the embedded API server
// carries them out.
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { badRequest, StatusError } from './status.ts';

type Fields = Record<string, unknown>;

/** Lists of a pod template that strategic merge joins by a key of their elements; other lists are
 *  replaced. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  env: 'name',
  volumes: 'name',
  imagePullSecrets: 'name',
  volumeMounts: 'mountPath',
  ports: 'containerPort',
};

const operations = z.array(
  z.object({
    op: z.enum(['add', 'remove', 'replace', 'test']),
    path: z.string(),
    value: z.unknown().optional(),
  }),
);

/** RFC 6902 without `move` and `copy`, of which kubectl sends none.
 *  @throws StatusError 400 for a patch that is none, 422 for one that does not fit. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  const parsed = operations.safeParse(patch);
  if (!parsed.success) throw badRequest('the JSON patch is not a list of operations');
  const root = { document: structuredClone(target) };
  for (const { op, path, value } of parsed.data) {
    const names = path.split('/').map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = names.pop() ?? '';
    const place = ['document', ...names.slice(1)].reduce<unknown>((part, name) => Object(part)[name], root);
    const [holder, name] = names.length === 0 ? [root, 'document'] : [place, last];
    const isThere = typeof holder === 'object' && holder !== null && Object.hasOwn(holder, name);
    const fits = op === 'test' ? isDeepStrictEqual(Object(holder)[name], value) : op === 'add' || isThere;
    if (typeof holder !== 'object' || holder === null || !fits) {
      throw new StatusError(
        422,
        'Invalid',
        `the server rejected our request: ${op} operation does not apply`,
      );
    }
    if (Array.isArray(holder) && op !== 'test') {
      const index = name === '-' ? holder.length : Number(name);
      holder.splice(index, op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [value]));
    } else if (op === 'remove') Reflect.deleteProperty(holder, name);
    else if (op !== 'test') Reflect.set(holder, name, value);
  }
  return root.document;
}

/** RFC 7386: `null` takes a field away. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, () => undefined);
}

/** As `mergePatch`, but elements of known lists are matched by their key; `$patch: delete` takes one away. */
export function strategicMergePatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, (field, live, wanted) => {
    const key = mergeKeys[field];
    if (key === undefined || !Array.isArray(live)) return undefined;
    const result: unknown[] = [...live];
    for (const element of wanted) {
      if (!isMap(element)) return undefined;
      const place = result.findIndex((entry) => isMap(entry) && entry[key] === element[key]);
      if (element.$patch === 'delete') {
        if (place >= 0) result.splice(place, 1);
      } else if (place >= 0) result[place] = strategicMergePatch(result[place], element);
      else result.push(element);
    }
    return result;
  });
}

function merge(
  target: unknown,
  patch: unknown,
  mergeList: (field: string, live: unknown, wanted: readonly unknown[]) => unknown[] | undefined,
): unknown {
  if (!isMap(patch)) return patch;
  const result: Fields = isMap(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field];
    else if (Array.isArray(value)) result[field] = mergeList(field, result[field], value) ?? value;
    else result[field] = merge(result[field], value, mergeList);
  }
  return result;
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
