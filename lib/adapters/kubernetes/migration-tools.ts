// Lists what cert-manager, kube-lego and ployst's container have left in a cluster. It never writes.
import * as z from 'zod';
import type { ToolIngress, ToolWorkload } from '../../policy/kubernetes/migration-source.ts';
import { type ClusterDirectory, ClusterError } from '../../ports/cluster.ts';
import type { Connection } from './connection.ts';
import { listParsed, objectName, parseResponse } from './lists.ts';

const map = z.record(z.string(), z.string()).default({});
const withName = z.object({ metadata: z.object({ name: objectName }) });
const secret = z.object({ metadata: z.object({ annotations: map }), type: z.string(), data: map });
const certificate = withName.extend({ spec: z.object({ secretName: z.string() }) });

const challengePath = '/.well-known/acme-challenge';
const backend = z.object({ service: z.object({ name: z.string() }).optional() });
const ingress = z.object({
  metadata: z.object({ name: objectName, annotations: map }),
  spec: z
    .object({
      tls: z.array(z.object({ secretName: z.string().optional() })).default([]),
      rules: z
        .array(
          z.object({
            http: z.object({ paths: z.array(z.object({ path: z.string().optional(), backend })) }).optional(),
          }),
        )
        .default([]),
    })
    .default({ tls: [], rules: [] }),
});

const reference = z.object({ name: z.string().optional() }).optional();
const container = z.object({
  image: z.string().default(''),
  env: z
    .array(z.object({ name: z.string(), valueFrom: z.object({ configMapKeyRef: reference }).optional() }))
    .default([]),
  envFrom: z.array(z.object({ configMapRef: reference })).default([]),
});
const template = z.object({ spec: z.object({ containers: z.array(container) }) });
/** A Deployment or a ReplicationController. */
const workload = withName.extend({ spec: z.object({ template }) });
const cronJob = withName.extend({
  spec: z.object({ jobTemplate: z.object({ spec: z.object({ template }) }) }),
});

/** The calls about other tools' objects. `cluster`: its name in the inventory, for messages. */
export function migrationToolCalls(
  cluster: string,
  connection: Connection,
): Pick<ClusterDirectory, 'readFoundSecret' | 'listToolObjects'> {
  const { core, custom } = connection;
  return {
    async readFoundSecret(namespace, name, signal) {
      const subject = { cluster, verb: 'get', resource: 'secrets', namespace, name } as const;
      try {
        const response = await connection.call(subject, { signal }, (options) =>
          core.readNamespacedSecret({ namespace, name }, options),
        );
        const { metadata, type, data } = parseResponse(secret, response, subject);
        return { type, data, annotations: metadata.annotations };
      } catch (error) {
        if (error instanceof ClusterError && error.code === 'NotFound') return undefined;
        throw error;
      }
    },

    async listToolObjects(namespace, signal) {
      const list = <T, R>(
        [group, plural]: readonly [group: string, plural: string],
        item: z.ZodType<T>,
        reduce: (item: T) => R,
      ) => {
        // A cluster without cert-manager does not have its kinds.
        const isOptional = group === 'cert-manager.io';
        const subject = { cluster, verb: 'list', resource: plural, namespace, isOptional } as const;
        return listParsed({ connection, subject, signal }, [item, reduce], (request, options) =>
          custom.listNamespacedCustomObject({ group, version: 'v1', plural, ...request }, options),
        );
      };
      const controllers = { cluster, verb: 'list', resource: 'replicationcontrollers', namespace } as const;
      const readController = (item: z.infer<typeof workload>) => readWorkload('ReplicationController', item);
      const [
        certificates,
        issuers = [],
        ingresses = [],
        deployments = [],
        replicationControllers = [],
        cronJobs = [],
      ] = await Promise.all([
        list(['cert-manager.io', 'certificates'], certificate, ({ metadata, spec }) => {
          return { name: metadata.name, secret: spec.secretName };
        }),
        list(['cert-manager.io', 'issuers'], withName, ({ metadata }) => metadata.name),
        list(['networking.k8s.io', 'ingresses'], ingress, readIngress),
        list(['apps', 'deployments'], workload, (item) => readWorkload('Deployment', item)),
        listParsed(
          { connection, subject: controllers, signal },
          [workload, readController],
          (request, options) => core.listNamespacedReplicationController(request, options),
        ),
        list(['batch', 'cronjobs'], cronJob, ({ metadata, spec }) =>
          readWorkload('CronJob', { metadata, spec: spec.jobTemplate.spec }),
        ),
      ]);
      const workloads = [...deployments, ...replicationControllers, ...cronJobs];
      return { namespace, certificates, issuers, ingresses, workloads };
    },
  };
}

function readIngress({ metadata: { name, annotations }, spec }: z.infer<typeof ingress>): ToolIngress {
  const paths = spec.rules.flatMap(({ http }) => http?.paths ?? []);
  const services = paths
    .filter(({ path = '' }) => path.startsWith(challengePath))
    .flatMap(({ backend: { service } }) => (service ? [service.name] : []));
  return {
    name,
    annotations,
    secrets: spec.tls.flatMap(({ secretName }) => (secretName ? [secretName] : [])),
    challengeServices: [...new Set(services)],
  };
}

function readWorkload(
  kind: ToolWorkload['kind'],
  { metadata: { name }, spec }: z.infer<typeof workload>,
): ToolWorkload {
  const { containers } = spec.template.spec;
  const variables = containers.flatMap(({ env }) => env);
  const maps = [
    ...variables.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
    ...containers.flatMap(({ envFrom }) => envFrom.map(({ configMapRef }) => configMapRef?.name)),
  ];
  return {
    kind,
    name,
    images: containers.map(({ image }) => image),
    variables: variables.map((variable) => variable.name),
    configMaps: [...new Set(maps.flatMap((map) => map ?? []))],
  };
}
