// A pod template: which Secrets its pods use, and the marks that Certrelay reads and leaves on it.
import * as z from 'zod';
import {
  type RestartMark,
  refreshVariable,
  type SecretUses,
  sinceAnnotation,
} from '../../policy/kubernetes/objects.ts';

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
  volumeMounts: z
    .array(
      z.object({ name: z.string(), subPath: z.string().default(''), subPathExpr: z.string().default('') }),
    )
    .default([]),
  restartPolicy: z.string().optional(),
});
type Container = z.infer<typeof container>;

const volume = z.object({
  name: z.string(),
  secret: z.object({ secretName: z.string().optional() }).optional(),
  projected: z
    .object({ sources: z.array(z.object({ secret: reference.optional() })).default([]) })
    .optional(),
  csi: z.object({ nodePublishSecretRef: reference.optional() }).optional(),
});

/** A pod template, as far as it matters here. */
export const podTemplate = z.object({
  metadata: z
    .object({ annotations: z.record(z.string(), z.string()).default({}) })
    .default({ annotations: {} }),
  spec: z.object({
    containers: z.array(container),
    initContainers: z.array(container).default([]),
    ephemeralContainers: z.array(container).default([]),
    volumes: z.array(volume).default([]),
  }),
});
type PodTemplate = z.infer<typeof podTemplate>;

/** The Secrets that the pods read: by volumes, projected and CSI volumes, `env` and `envFrom`, of init and ephemeral
 *  containers too. Image pull Secrets are not a use, nor is what a CSI driver fetches from elsewhere. */
export function findUses({ spec }: PodTemplate): SecretUses {
  const { containers, initContainers, ephemeralContainers, volumes } = spec;
  const all = [...containers, ...initContainers, ...ephemeralContainers];
  const variables = all.flatMap(({ env, envFrom }) => [
    ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ...envFrom.map(({ secretRef }) => secretRef?.name),
  ]);
  const credentials = volumes.map(({ csi }) => csi?.nodePublishSecretRef?.name);
  const mounted = volumes.map((entry) => ({
    isFixed: all.some((one) => readsOnce(one, entry.name, initContainers.includes(one))),
    names: [
      entry.secret?.secretName,
      ...(entry.projected?.sources ?? []).map((source) => source.secret?.name),
    ],
  }));
  const fixed = mounted.flatMap(({ isFixed, names }) => (isFixed ? names : []));
  return {
    secrets: sortNames([...variables, ...credentials, ...mounted.flatMap(({ names }) => names)]),
    fixed: sortNames([...variables, ...credentials, ...fixed]),
  };
}

/** Whether a container gets to see a volume once only: the kubelet does not refresh what is mounted by `subPath`, and an
 *  init container that is no sidecar has ended when the volume is refreshed. */
function readsOnce({ volumeMounts, restartPolicy }: Container, volumeName: string, isInit: boolean): boolean {
  const endsEarly = isInit && restartPolicy !== 'Always';
  return volumeMounts.some(
    ({ name, subPath, subPathExpr }) =>
      name === volumeName && (endsEarly || subPath !== '' || subPathExpr !== ''),
  );
}

function sortNames(names: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(names.filter((name) => name !== undefined).filter((name) => name !== ''))].toSorted();
}

/** The first container, which ployst's variable goes to, and the variable's value there. */
export function readRefresh({ spec }: PodTemplate): {
  readonly container: string;
  readonly refresh?: string | undefined;
} {
  const [first] = spec.containers;
  const refresh = first?.env.find(({ name }) => name === refreshVariable)?.value;
  return { container: first?.name ?? '', refresh };
}

/** The strategic merge patch for a mark: it touches one annotation or one variable of the pod template and nothing beside
 *  it, but for the note of its beginning. */
export function describePatch(mark: RestartMark): object {
  const template =
    mark.kind === 'annotation'
      ? { metadata: { annotations: { [mark.key]: mark.value } } }
      : {
          spec: {
            containers: [{ name: mark.container, env: [{ name: refreshVariable, value: mark.value }] }],
          },
        };
  const noted = mark.since && { annotations: { [sinceAnnotation]: mark.since.toISOString() } };
  return { ...(noted ? { metadata: noted } : {}), spec: { template } };
}
