// RBAC as the API server judges it: rules of the roles bound to a user, by verb, API group, resource and
// name.
import * as z from 'zod';
import type { ObjectStore } from './objects.ts';

const strings = z.array(z.string()).default([]);

const role = z.object({
  rules: z
    .array(z.object({ verbs: strings, apiGroups: strings, resources: strings, resourceNames: strings }))
    .nullish(),
});

const binding = z.object({
  metadata: z.object({ namespace: z.string().optional() }),
  roleRef: z.object({ kind: z.enum(['Role', 'ClusterRole']), name: z.string() }),
  subjects: z.array(z.object({ kind: z.string(), name: z.string() })).default([]),
});

export interface Access {
  readonly user: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** Empty at the cluster scope. */
  readonly namespace: string;
  /** Empty for lists and for objects that do not exist yet. */
  readonly name: string;
}

/** Whether some role bound to the user allows it. What no rule allows is denied. */
export function isAllowed(objects: ObjectStore, access: Access): boolean {
  return rulesOf(objects, access).some(
    (rule) =>
      covers(rule.verbs, access.verb) &&
      covers(rule.apiGroups, access.group) &&
      covers(rule.resources, access.resource) &&
      (rule.resourceNames.length === 0 || rule.resourceNames.includes(access.name)),
  );
}

/** The rules of all roles bound to the user, in the namespace (empty: none) and everywhere. */
export function rulesOf(objects: ObjectStore, { user, namespace }: Pick<Access, 'user' | 'namespace'>) {
  const bindings = [
    ...objects.list('clusterrolebindings', ''),
    ...(namespace === '' ? [] : objects.list('rolebindings', namespace)),
  ].map((object) => binding.parse(object));
  return bindings
    .filter(({ subjects }) => subjects.some(({ kind, name }) => kind === 'User' && name === user))
    .flatMap(({ metadata, roleRef }) => {
      const found =
        roleRef.kind === 'ClusterRole'
          ? objects.find('clusterroles', '', roleRef.name)
          : objects.find('roles', metadata.namespace ?? '', roleRef.name);
      return found ? (role.parse(found).rules ?? []) : [];
    });
}

function covers(values: readonly string[], value: string): boolean {
  return values.includes('*') || values.includes(value);
}
