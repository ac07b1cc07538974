// The kinds of objects that every cluster has, as discovery tells of them.
import type { ResourceKind } from './status.ts';

type Names = Pick<ResourceKind, 'shortNames' | 'categories'>;
const inAll = ['all'];

const core: readonly (readonly [kind: string, scope: 'namespaced' | 'cluster', names?: Names])[] = [
  ['Namespace', 'cluster', { shortNames: ['ns'] }],
  ['Secret', 'namespaced'],
  ['ConfigMap', 'namespaced', { shortNames: ['cm'] }],
  ['ServiceAccount', 'namespaced', { shortNames: ['sa'] }],
  ['ReplicationController', 'namespaced', { shortNames: ['rc'], categories: inAll }],
  ['Pod', 'namespaced', { shortNames: ['po'], categories: inAll }],
  ['Service', 'namespaced', { shortNames: ['svc'], categories: inAll }],
  // Nothing makes these here; kubectl lists them where it describes other kinds.
  ['Event', 'namespaced', { shortNames: ['ev'] }],
  ['LimitRange', 'namespaced', { shortNames: ['limits'] }],
  ['ResourceQuota', 'namespaced', { shortNames: ['quota'] }],
];

const others: Readonly<Record<string, readonly (readonly [kind: string, names?: Names])[]>> = {
  batch: [
    ['CronJob', { shortNames: ['cj'], categories: inAll }],
    ['Job', { categories: inAll }],
  ],
  apps: [
    ['ReplicaSet', { shortNames: ['rs'], categories: inAll }],
    ['Deployment', { shortNames: ['deploy'], categories: inAll }],
    ['StatefulSet', { shortNames: ['sts'], categories: inAll }],
    ['DaemonSet', { shortNames: ['ds'], categories: inAll }],
  ],
  'networking.k8s.io': [['Ingress', { shortNames: ['ing'] }]],
  'rbac.authorization.k8s.io': [['ClusterRole'], ['ClusterRoleBinding'], ['Role'], ['RoleBinding']],
  'apiextensions.k8s.io': [
    ['CustomResourceDefinition', { shortNames: ['crd', 'crds'], categories: ['api-extensions'] }],
  ],
  'authentication.k8s.io': [['SelfSubjectReview']],
  'authorization.k8s.io': [['SelfSubjectAccessReview'], ['SelfSubjectRulesReview']],
};

/** The kinds that every cluster has. */
export const builtIn: readonly ResourceKind[] = [
  ...core.map(([kind, scope, names]) => describeKind('', kind, scope, names)),
  ...Object.entries(others).flatMap(([group, kinds]) =>
    kinds.map(([kind, names]) =>
      describeKind(group, kind, /^(Cluster|Custom|Self)/.test(kind) ? 'cluster' : 'namespaced', names),
    ),
  ),
];

function describeKind(
  group: string,
  kind: string,
  scope: 'namespaced' | 'cluster',
  names: Names = {},
): ResourceKind {
  const singular = kind.toLowerCase();
  const resource = singular.endsWith('s') ? `${singular}es` : `${singular}s`;
  const isReview = kind.startsWith('SelfSubject');
  return {
    group,
    version: 'v1',
    resource,
    kind,
    namespaced: scope === 'namespaced',
    ...names,
    ...(isReview ? { knownBy: 'question' } : {}),
  };
}

/** What can be done with a kind. A question can only be asked. */
export function verbsOf({ knownBy }: ResourceKind): readonly string[] {
  return knownBy === 'question'
    ? ['create']
    : ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
}
