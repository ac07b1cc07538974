// The object of a workload, as a person applies it.
import { namespace } from './cluster.ts';
import type { PlannedWorkload } from './options.ts';

/** The object of a workload that reads its Secrets as planned. */
export function bodyOf({ kind, name, replicas, strategy, uses, secrets }: PlannedWorkload): object {
  const labels = { app: name };
  const env = secrets.map((secret, index) => ({
    name: `CERTIFICATE_${index}`,
    valueFrom: { secretKeyRef: { name: secret, key: 'tls.crt' } },
  }));
  const volumes = secrets.map((secretName) => ({ name: secretName, secret: { secretName } }));
  const container = { name: 'main', image: 'registry.invalid/main:1', ...(uses === 'env' ? { env } : {}) };
  const pod = { containers: [container], ...(uses === 'volume' ? { volumes } : {}) };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas }),
      ...(kind === 'Deployment'
        ? { strategy: { type: strategy } }
        : { updateStrategy: { type: 'RollingUpdate' } }),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: pod },
    },
  };
}
