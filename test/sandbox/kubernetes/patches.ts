// JSON merge patch (RFC 7386) and strategic merge patch, as the embedded API server carries them out.

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
