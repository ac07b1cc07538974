// What discovering relies on in a Kubernetes API server: Ingresses, Gateways once they are defined, and
// Services.

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { connectDirectory } from '../../lib/adapters/kubernetes/directory.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { tlsObjectKinds } from '../../lib/policy/kubernetes/tls-objects.ts';
import { realClock } from '../fakes/clock.ts';
import { silentLog } from '../fakes/log.ts';
import type { Harness } from './kubernetes-harness.ts';
import {
  createDefined,
  definitionOf,
  gatewayGroup,
  listenerSetDefinition,
  listenerSetOf,
} from './kubernetes-kinds.ts';

const apiGroup = 'rbac.authorization.k8s.io';

export function promiseDirectory(harness: () => Harness): void {
  test('K43 P25 the role certrelay-discover lists what asks for certificates in a bound namespace, with Gateways from their definition on', async () => {
    const { admin, subject, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const access = readKubeconfig('lab', subject.kubeconfig('certrelay'));
    const directory = connectDirectory({ name: 'lab', access, clock: realClock, log: silentLog });
    const list = () => directory.listTlsObjects(namespace, tlsObjectKinds, signal());
    await expect(list()).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringMatching(/add verb "list" on "(ingresses|services)"/),
    });
    await bind(admin, namespace, 'certrelay-discover', 'listing');
    await expect.poll(() => list().catch(() => undefined)).toEqual([]);

    await admin.create(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, ingress);
    await admin.create(`/api/v1/namespaces/${namespace}/services`, service);
    const seen = [
      {
        kind: 'Ingress',
        namespace,
        name: 'web',
        annotations: { 'certrelay.dev/tls': 'true' },
        className: 'nginx',
        tls: [{ hosts: ['shop.example.com'], secret: 'shop-tls' }],
      },
      { kind: 'Service', namespace, name: 'mail', annotations: { a: 'b' }, tls: [] },
    ];
    expect(await list()).toEqual(seen);

    const path = `/apis/${gatewayGroup}/v1/namespaces/${namespace}/gateways`;
    const setsPath = `/apis/${gatewayGroup}/v1/namespaces/${namespace}/listenersets`;
    await createDefined(
      admin,
      [definitionOf(gatewayGroup, 'Gateway'), listenerSetDefinition],
      [
        [path, gateway],
        [setsPath, listenerSetOf(namespace, 'more', { name: 'more-tls' })],
      ],
    );
    expect(await list()).toEqual([
      seen[0],
      {
        kind: 'Gateway',
        namespace,
        name: 'front',
        annotations: {},
        className: 'cilium',
        tls: [
          { hosts: ['a.example.com'], secret: 'a-tls', namespace: 'certs' },
          { hosts: [], secret: 'b-tls' },
        ],
        otherSecrets: [{ secret: 'authority' }, { secret: 'client-tls', namespace: 'certs' }],
      },
      {
        kind: 'ListenerSet',
        namespace,
        name: 'more',
        annotations: {},
        tls: [{ hosts: [], secret: 'more-tls' }],
        parent: { namespace, name: 'web' },
      },
      seen[1],
    ]);
    await directory.close();
  });
  promiseFormerTools(harness);
}

function promiseFormerTools(harness: () => Harness): void {
  test('K43 the role certrelay-import reads a Secret and what other tools left, with those of cert-manager from their definition on', async () => {
    const { admin, subject, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    await bind(admin, namespace, 'certrelay-import', 'importing');
    const access = readKubeconfig('lab', subject.kubeconfig('certrelay'));
    const directory = connectDirectory({ name: 'lab', access, clock: realClock, log: silentLog });
    const list = () => directory.listToolObjects(namespace, signal());
    const nothing = { namespace, issuers: [], ingresses: [], workloads: [] };
    await expect.poll(() => list().catch(() => undefined)).toEqual(nothing);

    await admin.create(`/api/v1/namespaces/${namespace}/secrets`, leftSecret);
    await admin.create(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, challengeIngress);
    await admin.create(`/apis/batch/v1/namespaces/${namespace}/cronjobs`, refresher);
    await admin.create(`/api/v1/namespaces/${namespace}/replicationcontrollers`, oldRefresher);
    expect(await directory.readFoundSecret(namespace, 'left', signal())).toEqual({
      type: 'Opaque',
      annotations: { 'cert-manager.io/certificate-name': 'left' },
      data: { a: 'YQ==' },
    });
    expect(await directory.readFoundSecret(namespace, 'none', signal())).toBeUndefined();
    for (const kind of ['Certificate', 'Issuer']) {
      const plural = `${kind.toLowerCase()}s`;
      const body = {
        apiVersion: 'cert-manager.io/v1',
        kind,
        metadata: { name: 'left' },
        spec: { secretName: 'left' },
      };
      const path = `/apis/cert-manager.io/v1/namespaces/${namespace}/${plural}`;
      await createDefined(admin, [definitionOf('cert-manager.io', kind)], [[path, body]]);
    }
    expect(await list()).toEqual({
      namespace,
      certificates: [{ name: 'left', secret: 'left' }],
      issuers: ['left'],
      ingresses: [{ name: 'web', annotations: {}, secrets: ['left'], challengeServices: ['letsencrypt'] }],
      workloads: [
        {
          kind: 'ReplicationController',
          name: 'letsencrypt',
          images: ['ployst/letsencrypt:0.0.3'],
          variables: ['RC_NAMES'],
          configMaps: [],
        },
        {
          kind: 'CronJob',
          name: 'letsencrypt',
          images: ['ployst/letsencrypt'],
          variables: ['EMAIL'],
          configMaps: ['settings'],
        },
      ],
    });
    await directory.close();
  });
}

/** Binds a role of infra/rbac.yaml, made under a name of its own, to certrelay in a namespace. */
async function bind(admin: Harness['admin'], namespace: string, role: string, copy: string): Promise<void> {
  await admin.create(`/apis/${apiGroup}/v1/clusterroles`, await readRole(role, copy));
  await admin.create(`/apis/${apiGroup}/v1/namespaces/${namespace}/rolebindings`, {
    apiVersion: `${apiGroup}/v1`,
    kind: 'RoleBinding',
    metadata: { name: copy },
    roleRef: { apiGroup, kind: 'ClusterRole', name: copy },
    subjects: [{ apiGroup, kind: 'User', name: 'certrelay' }],
  });
}

/** A role of infra/rbac.yaml under another name: other tests make it under its own. */
async function readRole(name: string, copy: string): Promise<object> {
  const source = await readFile(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8');
  const documents = parseAllDocuments(source).map((document) => document.toJS());
  const role = documents.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name);
  return { ...role, metadata: { name: copy } };
}

const ingress = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', annotations: { 'certrelay.dev/tls': 'true' } },
  spec: {
    ingressClassName: 'nginx',
    defaultBackend: { service: { name: 'web', port: { number: 80 } } },
    tls: [{ hosts: ['shop.example.com'], secretName: 'shop-tls' }],
  },
};

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'mail', annotations: { a: 'b' } },
  spec: { ports: [{ port: 25 }] },
};

const leftSecret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'left', annotations: { 'cert-manager.io/certificate-name': 'left' } },
  data: { a: 'YQ==' },
};

const challengeIngress = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web' },
  spec: {
    tls: [{ hosts: ['shop.example.com'], secretName: 'left' }],
    rules: [
      {
        http: {
          paths: [
            {
              path: '/.well-known/acme-challenge',
              pathType: 'Prefix',
              backend: { service: { name: 'letsencrypt', port: { number: 80 } } },
            },
          ],
        },
      },
    ],
  },
};

const refresher = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'letsencrypt' },
  spec: {
    schedule: '0 0 1 1 *',
    jobTemplate: {
      spec: {
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [
              {
                name: 'main',
                image: 'ployst/letsencrypt',
                env: [{ name: 'EMAIL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'email' } } }],
              },
            ],
          },
        },
      },
    },
  },
};

const oldLabels = { app: 'letsencrypt' };
const oldRefresher = {
  apiVersion: 'v1',
  kind: 'ReplicationController',
  metadata: { name: 'letsencrypt' },
  spec: {
    replicas: 0,
    selector: oldLabels,
    template: {
      metadata: { labels: oldLabels },
      spec: {
        containers: [
          { name: 'main', image: 'ployst/letsencrypt:0.0.3', env: [{ name: 'RC_NAMES', value: 'web' }] },
        ],
      },
    },
  },
};

const gateway = {
  apiVersion: `${gatewayGroup}/v1`,
  kind: 'Gateway',
  metadata: { name: 'front' },
  spec: {
    gatewayClassName: 'cilium',
    listeners: [
      {
        name: 'a',
        hostname: 'a.example.com',
        tls: { mode: 'Terminate', certificateRefs: [{ kind: 'Secret', name: 'a-tls', namespace: 'certs' }] },
      },
      { name: 'b', tls: { certificateRefs: [{ name: 'b-tls' }] } },
      { name: 'passed', hostname: 'c.example.com', tls: { mode: 'Passthrough' } },
      { name: 'plain', hostname: 'd.example.com' },
      {
        name: 'other',
        hostname: 'e.example.com',
        tls: { certificateRefs: [{ group: 'certs.example.com', kind: 'Certificate', name: 'e' }] },
      },
    ],
    tls: {
      backend: { clientCertificateRef: { name: 'client-tls', namespace: 'certs' } },
      frontend: {
        default: {
          validation: {
            caCertificateRefs: [
              { group: '', kind: 'Secret', name: 'authority' },
              { group: '', kind: 'ConfigMap', name: 'authorities' },
            ],
          },
        },
        perPort: [{ port: 443, tls: { validation: {} } }],
      },
    },
  },
};
