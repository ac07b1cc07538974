// Workloads for tests: as the API has them, and as policies see them.
import type { Workload } from '../../lib/policy/kubernetes/objects.ts';

/** JSON of a Deployment whose pods mount the Secret as a volume. */
export function deploymentUsing(namespace: string, name: string, secretName: string, replicas = 2): string {
  const container = {
    name: 'server',
    image: 'nginx',
    volumeMounts: [{ name: 'tls', mountPath: '/etc/tls' }],
  };
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [container], volumes: [{ name: 'tls', secret: { secretName } }] },
      },
    },
  });
}

/** A Deployment `web` with one pod, which uses `shop-tls`, is well and has never been restarted. */
export function workloadFacts(more: Partial<Workload> = {}): Workload {
  return {
    kind: 'Deployment',
    name: 'web',
    secrets: ['shop-tls'],
    fixed: [],
    annotations: {},
    ownAnnotations: {},
    pods: 1,
    unavailable: 0,
    container: 'main',
    generation: 1,
    rollout: { state: 'complete' },
    hasGapOnRestart: false,
    refusesRestart: false,
    ...more,
  };
}
