// Decides the least rights that Certrelay needs in each namespace of a cluster, from the inventory.

import {
  appsKinds,
  type WorkloadKind,
  type WorkloadReference,
  workloadKinds,
} from '../../certificate/rollout-spec.ts';
import {
  type AllowedRestart,
  type Inventory,
  isSecretTarget,
  type SecretTarget,
} from '../../certificate/spec.ts';
import { webhookRules } from '../../inventory/source-rules.ts';

/** One rule of an RBAC Role, and in `why` what needs it. */
export interface RoleRule {
  readonly why: string;
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Absent: every name. */
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** The rules of the Role for one namespace. */
export interface NamespaceRules {
  readonly namespace: string;
  readonly rules: readonly RoleRule[];
}

/** From this number of Secrets that should be unchanged, `deploy` lists a namespace's Secrets in one call;
 *  fewer are read one by one. A list returns whole Secrets, and needs a right that may be left out. */
export const minSecretsToList = 5;

/** What the inventory does in a namespace. `secret` is absent if its name is not known in advance. */
interface NamespaceUse {
  readonly namespace: string;
  readonly secret?: string | undefined;
  readonly replace: boolean;
  readonly restarts: readonly AllowedRestart[];
}

/** Rights beyond those that the inventory asks for. */
export interface ExtraRights {
  /** Restart every Rollout of Argo that uses a Secret; absent: those that the inventory names. */
  readonly argoRollouts?: boolean | undefined;
}

/** The rules for each namespace of the cluster in which Certrelay delivers, discovers or prunes, sorted by
 *  namespace. Rights for an import by hand are not included. */
export function listRoles(
  cluster: string,
  inventory: Inventory,
  options: ExtraRights = {},
): readonly NamespaceRules[] {
  const uses = [
    ...findTargets(cluster, inventory),
    ...findRegistered(cluster, inventory),
    ...findDiscovered(cluster, inventory),
  ];
  const used = uses.map(({ namespace }) => namespace);
  const prune = inventory.clusters[cluster]?.prune;
  const pruned = new Set(prune === true ? used : prune);
  const discovered = findDiscoveryNamespaces(cluster, inventory);
  const namespaces = new Set([...used, ...pruned]);
  return [...namespaces].toSorted().map((namespace) => {
    const own = uses.filter((use) => use.namespace === namespace);
    return {
      namespace,
      rules: [
        ...writeSecrets(own),
        ...replaceSecrets(own),
        ...restartWorkloads(own, options),
        ...listSecrets(own),
        ...(pruned.has(namespace) ? pruneSecrets : []),
        ...(discovered.includes(namespace) ? discoverObjects : []),
      ],
    };
  });
}

function findTargets(cluster: string, { certificates }: Inventory): readonly NamespaceUse[] {
  return certificates
    .flatMap(({ targets }) => targets.filter(isSecretTarget))
    .filter((target) => target.cluster === cluster)
    .map((target) => ({ ...target, restarts: restartsOf(target) }));
}

/** A sender may name any Secret of the namespaces, and restart what the inventory allows. Only targets of
 *  the inventory replace Secrets. */
function findRegistered(cluster: string, { registration }: Inventory): readonly NamespaceUse[] {
  if (!registration) return [];
  const { restarts } = webhookRules(registration);
  return registration.targets
    .filter(isSecretTarget)
    .filter((target) => target.cluster === cluster)
    .map(({ namespace, replace, ...target }) => ({
      namespace,
      replace,
      restarts: [...restartsOf(target), ...restarts({ cluster, namespace })],
    }));
}

/** Only a Service restarts workloads, and which Services ask is not known in advance. */
function findDiscovered(cluster: string, inventory: Inventory): readonly NamespaceUse[] {
  return findDiscoveryNamespaces(cluster, inventory).map((namespace) => ({
    namespace,
    replace: false,
    restarts: ['auto'],
  }));
}

function findDiscoveryNamespaces(cluster: string, { discovery }: Inventory): readonly string[] {
  const scopes = discovery?.places.filter((scope) => scope.cluster === cluster) ?? [];
  return scopes.map(({ namespace }) => namespace);
}

function restartsOf({ restart }: Pick<SecretTarget, 'restart'>): readonly AllowedRestart[] {
  return typeof restart === 'string' ? [restart] : restart;
}

function writeSecrets(uses: readonly NamespaceUse[]): readonly RoleRule[] {
  if (uses.length === 0) return [];
  const why = 'get: read the Secret; patch: apply it on the server; create: if it does not exist';
  return [{ why, ...secretsOf(uses), verbs: ['get', 'patch', 'create'] }];
}

function replaceSecrets(uses: readonly NamespaceUse[]): readonly RoleRule[] {
  const replaced = uses.filter(({ replace }) => replace);
  if (replaced.length === 0) return [];
  const why = 'for replace: true, which deletes a Secret of another type and creates it again';
  return [{ why, ...secretsOf(replaced), verbs: ['delete'] }];
}

/** Server-side apply names the object that it creates, so even `create` can be limited to names. */
function secretsOf(uses: readonly NamespaceUse[]): Omit<RoleRule, 'why' | 'verbs'> {
  const rule = { apiGroups: [''], resources: ['secrets'] };
  if (uses.some(({ secret }) => secret === undefined)) return rule;
  return { ...rule, resourceNames: sortNames(uses.flatMap(({ secret }) => secret ?? [])) };
}

const resources: Readonly<Record<WorkloadKind, string>> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
  Rollout: 'rollouts',
};
const apps = { apiGroups: ['apps'], resources: appsKinds.map((kind) => resources[kind]) };

function restartWorkloads(
  uses: readonly NamespaceUse[],
  { argoRollouts = false }: ExtraRights,
): readonly RoleRule[] {
  const restarts = uses.flatMap((use) => use.restarts).filter((restart) => restart !== 'none');
  const listed = restarts.filter((restart) => typeof restart !== 'string');
  if (restarts.some((restart) => typeof restart === 'string')) {
    const why = `find the workloads that use a Secret, restart them by an annotation, watch their rollouts; ${power}`;
    const all = { why: `restart Rollouts of Argo; ${power}`, ...ruleOf('Rollout'), verbs: ['patch'] };
    const rollouts = argoRollouts ? [all] : patchListed('Rollout', listed);
    return [{ why, ...apps, verbs: ['list', 'patch'] }, ...nameOthers, ...rollouts];
  }
  return workloadKinds.flatMap((kind) => {
    const patch = patchListed(kind, listed);
    const watch = { why: 'watch the rollouts', ...ruleOf(kind), verbs: ['list'] };
    return patch.length > 0 ? [watch, ...patch] : [];
  });
}

const power = 'note that who may patch a workload may run any image with any Secret of the namespace';

/** The right to restart what the inventory names, if it names any of the kind. */
function patchListed(kind: WorkloadKind, listed: readonly WorkloadReference[]): readonly RoleRule[] {
  const names = sortNames(listed.filter((workload) => workload.kind === kind).map(({ name }) => name));
  if (names.length === 0) return [];
  return [{ why: `restart these; ${power}`, ...ruleOf(kind), resourceNames: names, verbs: ['patch'] }];
}

function ruleOf(kind: WorkloadKind): Pick<RoleRule, 'apiGroups' | 'resources'> {
  return { apiGroups: [kind === 'Rollout' ? 'argoproj.io' : 'apps'], resources: [resources[kind]] };
}

const otherUsers: readonly Omit<RoleRule, 'why'>[] = [
  { apiGroups: [''], resources: ['replicationcontrollers', 'pods'], verbs: ['list'] },
  { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['list'] },
  { apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['list'] },
  { apiGroups: ['argoproj.io'], resources: ['rollouts'], verbs: ['list'] },
];

const nameOthers = otherUsers.map((rule) => ({
  ...rule,
  why: 'name in the report what else uses the Secret, and tell by pods what counts do not; if left out, a person is asked instead',
}));

function listSecrets(uses: readonly NamespaceUse[]): readonly RoleRule[] {
  if (uses.filter(({ secret }) => secret !== undefined).length < minSecretsToList) return [];
  const why = `read ${minSecretsToList} or more targets in one call, which reads every Secret of the namespace; if left out, they are read one by one`;
  return [{ why, apiGroups: [''], resources: ['secrets'], verbs: ['list'] }];
}

const pruneSecrets: readonly RoleRule[] = [
  {
    why: 'prune: find Secrets whose target was removed, and delete them; this cannot be limited to names',
    apiGroups: [''],
    resources: ['secrets'],
    verbs: ['list', 'delete'],
  },
  ...[
    { ...apps, verbs: ['list'] },
    ...otherUsers,
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['list'] },
    { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['list'] },
    {
      apiGroups: ['gateway.networking.k8s.io'],
      resources: ['gateways', 'listenersets', 'referencegrants'],
      verbs: ['list'],
    },
  ].map((rule) => ({
    ...rule,
    why: 'prune: find what still uses a Secret; without this right nothing is deleted',
  })),
];

const discoverObjects: readonly RoleRule[] = [
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['list'] },
  { apiGroups: ['gateway.networking.k8s.io'], resources: ['gateways', 'listenersets'], verbs: ['list'] },
  { apiGroups: [''], resources: ['services'], verbs: ['list'] },
].map((rule) => ({ ...rule, why: 'discovery: find the objects that ask for certificates' }));

function sortNames(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted();
}
