// A pod template: which Secrets its pods use, and the marks that Certrelay reads and leaves on it.
import * as z from 'zod';
import { type RestartMark, refreshVariable } from '../policy/cluster-objects.ts';

const reference = z.object({ name: z.string().optional() });

const container = z.object({
  name: z.string(),
  env: z
    .array(
      z.object({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z.object({ secretKeyRef: reference.optional() }).optional(),
      }),
    )
    .default([]),
  envFrom: z.array(z.object({ secretRef: reference.optional() })).default([]),
});

const volume = z.object({
  secret: z.object({ secretName: z.string().optional() }).optional(),
  projected: z
    .object({ sources: z.array(z.object({ secret: reference.optional() })).default([]) })
    .optional(),
});

/** A pod template, as far as it matters here. */
export const podTemplate = z.object({
  metadata: z
    .object({ annotations: z.record(z.string(), z.string()).default({}) })
    .default({ annotations: {} }),
  spec: z.object({
    containers: z.array(container),
    initContainers: z.array(container).default([]),
    volumes: z.array(volume).default([]),
  }),
});
type PodTemplate = z.infer<typeof podTemplate>;

/** Names of the Secrets the pods read: volumes, projected volumes, `env` and `envFrom`, of init containers too. Image pull
 *  Secrets are not a use, and what a CSI driver mounts comes from elsewhere. Each once, sorted. */
export function findSecrets({ spec }: PodTemplate): readonly string[] {
  const names: readonly (string | undefined)[] = [
    ...spec.volumes.flatMap((entry) => [
      entry.secret?.secretName,
      ...(entry.projected?.sources ?? []).map((source) => source.secret?.name),
    ]),
    ...[...spec.containers, ...spec.initContainers].flatMap(({ env, envFrom }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
  ];
  return [...new Set(names.filter((name) => name !== undefined).filter((name) => name !== ''))].toSorted();
}

/** The first container, which ployst's variable goes to, and the variable's value there. */
export function readRefresh({ spec }: PodTemplate): {
  readonly container: string;
  readonly refresh?: string;
} {
  const [first] = spec.containers;
  const refresh = first?.env.find(({ name }) => name === refreshVariable)?.value;
  return { container: first?.name ?? '', refresh };
}

/** The strategic merge patch for a mark: it touches one annotation or one variable and nothing beside it. */
export function describePatch(mark: RestartMark): object {
  const template =
    mark.kind === 'annotation'
      ? { metadata: { annotations: { [mark.key]: mark.value } } }
      : {
          spec: {
            containers: [{ name: mark.container, env: [{ name: refreshVariable, value: mark.value }] }],
          },
        };
  return { spec: { template } };
}
