// What every Kubernetes contract test starts from: a cluster of the real or the embedded kind, and a
// namespace of its own.
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import type { SecretManifest } from '../../lib/policy/kubernetes/objects.ts';
import { realClock } from '../fakes/clock.ts';
import { silentLog } from '../fakes/log.ts';
import { openAdmin } from './kubernetes-admin.ts';

/** A control plane to try. */
export interface KubernetesSubject {
  /** Text of a kubeconfig for `admin`, who may do everything, or `certrelay`, who may do nothing until
   *  bound. */
  kubeconfig(user: 'admin' | 'certrelay'): string;
  stop(): Promise<void>;
}

export type Harness = Awaited<ReturnType<typeof openHarness>>;

export async function openHarness(start: () => Promise<KubernetesSubject>) {
  const subject = await start();
  const admin = openAdmin(subject.kubeconfig('admin'));
  const connect = (kubeconfig: string) =>
    connectCluster({
      name: 'lab',
      access: readKubeconfig('lab', kubeconfig),
      clock: realClock,
      log: silentLog,
    });
  const cluster = connect(subject.kubeconfig('admin'));
  const restricted = connect(subject.kubeconfig('certrelay'));
  let made = 0;
  return {
    subject,
    admin,
    /** As `admin`. */
    cluster,
    /** As `certrelay`. */
    restricted,
    connect,
    signal: () => AbortSignal.timeout(30_000),
    newNamespace: async (): Promise<string> => {
      made += 1;
      const name = `contract-${made}`;
      await admin.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      return name;
    },
    stop: async (): Promise<void> => {
      await Promise.all([cluster.close(), restricted.close(), admin.close()]);
      await subject.stop();
    },
  };
}

export const encode = (text: string) => Buffer.from(text).toString('base64');

/** An Opaque Secret named `web` with the given values. */
export function manifestOf(
  namespace: string,
  values: Readonly<Record<string, string>>,
  more: Partial<SecretManifest> = {},
): SecretManifest {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encode(value)]));
  return { namespace, name: 'web', type: 'Opaque', labels: {}, annotations: {}, data, ...more };
}
