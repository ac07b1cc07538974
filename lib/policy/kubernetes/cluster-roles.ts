// Decides the least that Certrelay must be allowed in each namespace of a cluster, from what the inventory has it do there.
import {
  type AllowedRestart,
  type Inventory,
  isSecretTarget,
  type SecretTarget,
  type WorkloadKind,
  workloadKinds,
} from '../../certificate/spec.ts';
import { webhookRules } from '../../inventory/source-rules.ts';

/** One rule of a Role, as RBAC has it, and what it is for. */
export interface RoleRule {
  readonly why: string;
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Absent: all of them. */
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** The rules for one namespace. */
export interface NamespaceRules {
  readonly namespace: string;
  readonly rules: readonly RoleRule[];
}

/** Deploy lists a namespace's Secrets where so many of them should be unchanged. Fewer are read one by one: a list hands over
 *  whole Secrets, and asks for a right that need not be given. */
export const fewestListed = 5;

/** What somebody wants of a namespace. `secret` is absent where its name is not known before. */
interface Wish {
  readonly namespace: string;
  readonly secret?: string | undefined;
  readonly replace: boolean;
  readonly restarts: readonly AllowedRestart[];
}

/** The rules for each namespace of the cluster that something is delivered, discovered or pruned in, in their order. None of
 *  an import by hand. */
export function listRoles(cluster: string, inventory: Inventory): readonly NamespaceRules[] {
  const wishes = [
    ...findTargets(cluster, inventory),
    ...findRegistered(cluster, inventory),
    ...findDiscovered(cluster, inventory),
  ];
  const wished = wishes.map(({ namespace }) => namespace);
  const prune = inventory.clusters[cluster]?.prune;
  const pruned = new Set(prune === true ? wished : prune);
  const looked = findPlaces(cluster, inventory);
  const namespaces = new Set([...wished, ...pruned]);
  return [...namespaces].toSorted().map((namespace) => {
    const own = wishes.filter((wish) => wish.namespace === namespace);
    return {
      namespace,
      rules: [
        ...writeSecrets(own),
        ...replaceSecrets(own),
        ...restartWorkloads(own),
        ...listSecrets(own),
        ...(pruned.has(namespace) ? pruneSecrets : []),
        ...(looked.includes(namespace) ? discoverObjects : []),
      ],
    };
  });
}

function findTargets(cluster: string, { certificates }: Inventory): readonly Wish[] {
  return certificates
    .flatMap(({ targets }) => targets.filter(isSecretTarget))
    .filter((target) => target.cluster === cluster)
    .map((target) => ({ ...target, restarts: restartsOf(target) }));
}

/** A sender may name any Secret of the namespaces, and restart what the inventory lets it; only what the inventory itself
 *  names is replaced. */
function findRegistered(cluster: string, { registration }: Inventory): readonly Wish[] {
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

/** Workloads are restarted for Services alone, and those that ask are not known before. */
function findDiscovered(cluster: string, inventory: Inventory): readonly Wish[] {
  return findPlaces(cluster, inventory).map((namespace) => ({
    namespace,
    replace: false,
    restarts: ['auto'],
  }));
}

function findPlaces(cluster: string, { discovery }: Inventory): readonly string[] {
  const places = discovery?.places.filter((place) => place.cluster === cluster) ?? [];
  return places.map(({ namespace }) => namespace);
}

function restartsOf({ restart }: Pick<SecretTarget, 'restart'>): readonly AllowedRestart[] {
  return typeof restart === 'string' ? [restart] : restart;
}

function writeSecrets(wishes: readonly Wish[]): readonly RoleRule[] {
  if (wishes.length === 0) return [];
  const why = 'look at the Secret, and apply it on the server; create: where it is missing';
  return [{ why, ...secretsOf(wishes), verbs: ['get', 'patch', 'create'] }];
}

function replaceSecrets(wishes: readonly Wish[]): readonly RoleRule[] {
  const replaced = wishes.filter(({ replace }) => replace);
  if (replaced.length === 0) return [];
  const why = 'replace: true: a Secret of another type is deleted and made again';
  return [{ why, ...secretsOf(replaced), verbs: ['delete'] }];
}

/** Server-side apply knows the name of what it makes, so that even create can be held to names. */
function secretsOf(wishes: readonly Wish[]): Omit<RoleRule, 'why' | 'verbs'> {
  const rule = { apiGroups: [''], resources: ['secrets'] };
  if (wishes.some(({ secret }) => secret === undefined)) return rule;
  return { ...rule, resourceNames: sortNames(wishes.flatMap(({ secret }) => secret ?? [])) };
}

const resources: Readonly<Record<WorkloadKind, string>> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
};

function restartWorkloads(wishes: readonly Wish[]): readonly RoleRule[] {
  const restarts = wishes.flatMap((wish) => wish.restarts).filter((restart) => restart !== 'none');
  if (restarts.some((restart) => typeof restart === 'string')) {
    const all = workloadKinds.map((kind) => resources[kind]);
    const why =
      'find the workloads that use a Secret, restart them by an annotation, watch their rollouts; whoever may patch a workload may run any image with any Secret of the namespace';
    return [{ why, apiGroups: ['apps'], resources: all, verbs: ['list', 'patch'] }, ...nameOthers];
  }
  const listed = restarts.filter((restart) => typeof restart !== 'string');
  return workloadKinds.flatMap((kind): readonly RoleRule[] => {
    const names = sortNames(listed.filter((one) => one.kind === kind).map(({ name }) => name));
    if (names.length === 0) return [];
    const rule = { apiGroups: ['apps'], resources: [resources[kind]] };
    return [
      { why: 'watch the rollouts', ...rule, verbs: ['list'] },
      {
        why: 'restart these; whoever may patch a workload may run any image with any Secret of the namespace',
        ...rule,
        resourceNames: names,
        verbs: ['patch'],
      },
    ];
  });
}

const otherUsers: readonly Omit<RoleRule, 'why'>[] = [
  { apiGroups: [''], resources: ['replicationcontrollers', 'pods'], verbs: ['list'] },
  { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['list'] },
  { apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['list'] },
  { apiGroups: ['argoproj.io'], resources: ['rollouts'], verbs: ['list'] },
];

const nameOthers = otherUsers.map((rule) => ({
  ...rule,
  why: 'name in the report what else uses the Secret; may be left out, and it is not named',
}));

function listSecrets(wishes: readonly Wish[]): readonly RoleRule[] {
  if (wishes.filter(({ secret }) => secret !== undefined).length < fewestListed) return [];
  const why = `look at ${fewestListed} and more targets with one call, which reads every Secret of the namespace; may be left out, and they are read one by one`;
  return [{ why, apiGroups: [''], resources: ['secrets'], verbs: ['list'] }];
}

const pruneSecrets: readonly RoleRule[] = [
  {
    why: 'prune: find Secrets whose target was taken out, and delete them; that can be held to no names',
    apiGroups: [''],
    resources: ['secrets'],
    verbs: ['list', 'delete'],
  },
  ...[
    {
      apiGroups: ['apps'],
      resources: workloadKinds.map((kind) => resources[kind]),
      verbs: ['list'],
    },
    ...otherUsers,
    { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['list'] },
    {
      apiGroups: ['gateway.networking.k8s.io'],
      resources: ['gateways', 'referencegrants'],
      verbs: ['list'],
    },
  ].map((rule) => ({ ...rule, why: 'prune: see what still uses a Secret; without it nothing is deleted' })),
];

const discoverObjects: readonly RoleRule[] = [
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['list'] },
  { apiGroups: ['gateway.networking.k8s.io'], resources: ['gateways'], verbs: ['list'] },
  { apiGroups: [''], resources: ['services'], verbs: ['list'] },
].map((rule) => ({ ...rule, why: 'discovery: find the objects that ask for certificates' }));

function sortNames(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted();
}
