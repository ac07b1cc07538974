// The columns that `kubectl get` shows of each kind, as the API server fills them in.
import type { KubernetesObject } from './objects.ts';

/** What a column says of an object. */
type Read = (object: KubernetesObject, now: Date) => string | number;

/** One column. `wide`: only `-o wide` shows it. */
export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly wide: boolean;
  readonly read: Read;
}

const none = '<none>';

const name = column('Name', ({ metadata }) => metadata.name);
const age = column('Age', (object, now) => describeAge(text(object, 'metadata.creationTimestamp'), now));
const createdAt = column('Created At', (object) => text(object, 'metadata.creationTimestamp'), 'date');
const containers = wide('Containers', (object) => joined(list(object, podPath(object)), 'name'));
const images = wide('Images', (object) => joined(list(object, podPath(object)), 'image'));
const selector = wide('Selector', (object) => pairs(at(object, 'spec.selector.matchLabels')));
const roleColumns = [
  column('Role', (object) => `${text(object, 'roleRef.kind')}/${text(object, 'roleRef.name')}`),
  age,
  ...(['User', 'Group', 'ServiceAccount'] as const).map((kind) =>
    wide(`${kind}s`, (object) =>
      joined(
        list(object, 'subjects').filter((subject) => text(subject, 'kind') === kind),
        'name',
        '',
      ),
    ),
  ),
];
const replicaColumns = [
  column('Desired', (object) => count(object, 'spec.replicas', 1), 'integer'),
  column('Current', (object) => count(object, 'status.replicas'), 'integer'),
  column('Ready', (object) => count(object, 'status.readyReplicas'), 'integer'),
  age,
  containers,
  images,
  selector,
];
const readyOfWanted = column(
  'Ready',
  (object) => `${count(object, 'status.readyReplicas')}/${count(object, 'spec.replicas', 1)}`,
);
const dataSize = column('Data', (object) => Object.keys(Object(at(object, 'data'))).length);

/** Behind the name, by resource. Other kinds have their age. */
const columns: Readonly<Record<string, readonly TableColumn[]>> = {
  namespaces: [column('Status', (object) => text(object, 'status.phase', 'Active')), age],
  secrets: [column('Type', (object) => text(object, 'type')), dataSize, age],
  configmaps: [dataSize, age],
  deployments: [
    readyOfWanted,
    column('Up-to-date', (object) => count(object, 'status.updatedReplicas')),
    column('Available', (object) => count(object, 'status.availableReplicas')),
    age,
    containers,
    images,
    selector,
  ],
  statefulsets: [readyOfWanted, age, containers, images],
  daemonsets: [
    column('Desired', (object) => count(object, 'status.desiredNumberScheduled'), 'integer'),
    column('Current', (object) => count(object, 'status.currentNumberScheduled'), 'integer'),
    column('Ready', (object) => count(object, 'status.numberReady'), 'integer'),
    column('Up-to-date', (object) => count(object, 'status.updatedNumberScheduled'), 'integer'),
    column('Available', (object) => count(object, 'status.numberAvailable'), 'integer'),
    column('Node Selector', (object) => pairs(at(object, 'spec.template.spec.nodeSelector'))),
    age,
    containers,
    images,
    selector,
  ],
  replicasets: replicaColumns,
  replicationcontrollers: replicaColumns,
  pods: [
    column('Ready', (object) => {
      const statuses = list(object, 'status.containerStatuses');
      const ready = statuses.filter((status) => at(status, 'ready') === true).length;
      return `${ready}/${list(object, 'spec.containers').length}`;
    }),
    column('Status', (object) => text(object, 'status.phase', 'Pending')),
    column('Restarts', () => '0'),
    age,
    wide('IP', () => none),
    wide('Node', (object) => text(object, 'spec.nodeName', none)),
  ],
  services: [
    column('Type', (object) => text(object, 'spec.type', 'ClusterIP')),
    column('Cluster-IP', (object) => text(object, 'spec.clusterIP', none)),
    column('External-IP', () => none),
    column('Port(s)', (object) => joined(list(object, 'spec.ports'), 'port')),
    age,
    wide('Selector', (object) => pairs(at(object, 'spec.selector'))),
  ],
  ingresses: [
    column('Class', (object) => text(object, 'spec.ingressClassName', none)),
    column('Hosts', (object) => joined(list(object, 'spec.rules'), 'host', '*')),
    column('Address', () => ''),
    column('Ports', (object) => (list(object, 'spec.tls').length > 0 ? '80, 443' : '80')),
    age,
  ],
  cronjobs: [
    column('Schedule', (object) => text(object, 'spec.schedule')),
    column('Suspend', (object) => (at(object, 'spec.suspend') === true ? 'True' : 'False')),
    age,
    containers,
    images,
  ],
  roles: [createdAt],
  clusterroles: [createdAt],
  rolebindings: roleColumns,
  clusterrolebindings: roleColumns,
  customresourcedefinitions: [createdAt],
};

/** The columns of a kind, the name first. */
export function columnsOf(resource: string): readonly TableColumn[] {
  return [name, ...(columns[resource] ?? [age])];
}

function column(title: string, read: Read, type: TableColumn['type'] = 'string'): TableColumn {
  return { name: title, type, wide: false, read };
}

function wide(title: string, read: Read): TableColumn {
  return { name: title, type: 'string', wide: true, read };
}

/** Where the containers of a kind's pods are. */
function podPath({ kind }: KubernetesObject): string {
  return `${kind === 'CronJob' ? 'spec.jobTemplate.' : ''}spec.template.spec.containers`;
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((part, field) => Object(part)[field], value);
}

function text(value: unknown, path: string, otherwise = ''): string {
  const found = at(value, path);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : otherwise;
}

function count(value: unknown, path: string, otherwise = 0): number {
  return Number(at(value, path) ?? otherwise);
}

function list(value: unknown, path: string): readonly unknown[] {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
}

function joined(values: readonly unknown[], field: string, otherwise = none): string {
  return values.length === 0 ? otherwise : values.map((value) => text(value, field, otherwise)).join(',');
}

/** `a=b,c=d` */
function pairs(value: unknown): string {
  const entries = Object.entries(Object(value)).map(([key, part]) => `${key}=${String(part)}`);
  return entries.length === 0 ? none : entries.join(',');
}

/** An age as kubectl writes one: `45s`, `2m5s`, `12m`, `3h5m`, `9h`, `5d2h`, `12d`. */
function describeAge(since: string, now: Date): string {
  const seconds = Math.floor((now.getTime() - Date.parse(since)) / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (!Number.isFinite(seconds)) return '<unknown>';
  if (seconds < 120) return `${Math.max(seconds, 0)}s`;
  if (minutes < 10) return `${minutes}m${withoutZero(seconds % 60, 's')}`;
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return `${hours}h${withoutZero(minutes % 60, 'm')}`;
  if (hours < 48) return `${hours}h`;
  return `${Math.floor(hours / 24)}d${hours < 192 ? withoutZero(hours % 24, 'h') : ''}`;
}

function withoutZero(amount: number, unit: string): string {
  return amount === 0 ? '' : `${amount}${unit}`;
}
