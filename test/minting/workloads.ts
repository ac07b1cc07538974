// A Deployment that mounts a Secret.

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
