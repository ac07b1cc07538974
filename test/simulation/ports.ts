// The ports of one invocation: each call waits for its turn and may fail as its service fails.
import type { DeployPorts } from '../../lib/deploy/invocation.ts';
import type { IssuePorts } from '../../lib/issue/invocation.ts';
import type { ProbeSummary } from '../../lib/policy/serving/served.ts';
import { CertificateManagerError } from '../../lib/ports/acm.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { EventError, type PutResult } from '../../lib/ports/events.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { ServedQuery } from '../../lib/ports/probe.ts';
import { QueueError } from '../../lib/ports/queues.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { clockOf, type VirtualClock } from './clock.ts';
import type { MemoryCluster } from './cluster.ts';
import { clusterPort } from './cluster-port.ts';
import type { SimulatedIssuing } from './issuing.ts';
import type { Random } from './random.ts';
import type { PortCall, Scheduler, SimulatedRun } from './scheduler.ts';
import { awsError, type MemorySecrets } from './secrets.ts';

/** What the ports of all invocations share. */
export interface PortSurroundings {
  readonly scheduler: Scheduler;
  readonly clock: VirtualClock;
  readonly clusters: ReadonlyMap<string, MemoryCluster>;
  readonly secrets: MemorySecrets;
  readonly issuing: SimulatedIssuing;
  readonly random: Random;
  readonly uuid: () => string;
  /** Marks the invocation as the one that acts while `act` runs. */
  readonly actAs: <T>(run: SimulatedRun, act: () => T) => T;
  /** Is told after a Secret was read, and a person may come in between. */
  readonly onRead: (cluster: MemoryCluster, secret: string) => void;
  readonly onConflict: () => void;
  readonly onWrite: (run: SimulatedRun, what: string) => void;
  readonly onTags: (certificate: string, action: string) => void;
  readonly onQueued: (names: readonly string[], options: object, delaySeconds: number) => void;
  readonly onLog: (run: SimulatedRun, ...line: Parameters<Log['info']>) => void;
  readonly probe: (query: ServedQuery) => ProbeSummary;
}

/** Makes the ports of an invocation. */
export function makePorts(run: SimulatedRun, around: PortSurroundings): IssuePorts & DeployPorts {
  const { scheduler, clock, clusters, issuing, random } = around;
  const call = <T>(asked: PortCall<T>): Promise<T> =>
    scheduler.call(run, {
      ...asked,
      act: () => {
        if (/newOrder|dns\.(present|cleanUp)|queue|putEvents/.test(asked.label))
          around.onWrite(run, asked.label);
        return around.actAs(run, asked.act);
      },
    });
  const onCluster = (cluster: MemoryCluster) =>
    clusterPort(cluster, (label, act, signal) => {
      const fail = (): never => {
        const code = random.pick(['Unreachable', 'Unavailable'] as const);
        throw new ClusterError(code, `${cluster.name} does not answer`);
      };
      return call({ label, signal, act: () => watch(cluster, label, act, around), fail });
    });
  const log = (...line: Parameters<Log['info']>) => {
    if (!run.isDead) around.onLog(run, ...line);
  };
  const connection = connectStore(run, call, around);
  return {
    store: connection.certificates,
    installation: connection.installation,
    readText: async (secret) => {
      throw new StoreError('Failed', `there is no AWS secret ${secret}`);
    },
    clock: clockOf(clock, run),
    log: { debug: log, info: log, warn: log, error: log },
    queue: {
      send: (names, _, { delaySeconds = 0, ...options }, signal) =>
        call({
          label: 'queue.send',
          signal,
          act: () => around.onQueued(names, options, delaySeconds),
          fail: () => {
            throw new QueueError('QueueFailed', 'the queue does not answer');
          },
        }),
    },
    openOrdering: async () => issuing.ports(call),
    connect: (name, signal) =>
      call({
        label: `cluster.connect ${name}`,
        signal,
        act: () => {
          const cluster = clusters.get(name);
          if (!cluster) throw new ClusterError('SignInFailed', `there is no cluster ${name}`);
          return onCluster(cluster);
        },
        fail: () => {
          throw new ClusterError('SignInFailed', 'the kubeconfig cannot be read');
        },
      }),
    connectAcm: async () => {
      throw new CertificateManagerError('Failed', 'there is no ACM here');
    },
    probeServed: (query, signal) =>
      call({
        label: 'probe',
        signal,
        act: () => around.probe(query),
        fail: () => ({ served: 'unprobed', message: 'no network', results: [] }),
      }),
    putEvents: (announcements, signal) =>
      call({
        label: 'putEvents',
        signal,
        act: (): readonly PutResult[] => announcements.map(() => 'put'),
        fail: () => announcements.map(() => new EventError('EventFailed', 'the event bus does not answer')),
      }),
  };
}

function watch<T>(cluster: MemoryCluster, label: string, act: () => T, around: PortSurroundings): T {
  try {
    const answer = act();
    const read = /readSecret \w+\/(.+)$/.exec(label)?.[1];
    if (read !== undefined) around.onRead(cluster, read);
    return answer;
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'Conflict') around.onConflict();
    throw error;
  }
}

function connectStore(
  run: SimulatedRun,
  call: <T>(asked: PortCall<T>) => Promise<T>,
  { secrets, uuid, random, onWrite, onTags }: PortSurroundings,
) {
  return secrets.connect(uuid, ({ action, subject, isWrite }, act, signal) =>
    call({
      label: `store.${action} ${subject}`,
      signal,
      act: () => {
        const answer = act();
        if (isWrite) onWrite(run, `store.${action} ${subject}`);
        onTags(subject, action);
        return answer;
      },
      fail: (fault) => {
        if (fault === 'lost') throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
        throw awsError(random.pick(['InternalServiceError', 'ThrottlingException']), 'try again later');
      },
    }),
  );
}
