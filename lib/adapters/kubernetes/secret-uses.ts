// Reads which Secrets the pods of a pod template use, and reads and writes Certrelay's restart marks on it.
import * as z from 'zod';
import { type RestartPatch, refreshVariable, type SecretUses } from '../../policy/kubernetes/objects.ts';

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
  command: z.array(z.string()).default([]),
  args: z.array(z.string()).default([]),
});
type Container = z.infer<typeof container>;

/** A volume of a driver that signs in to storage with a Secret. */
const storage = z.object({ secretRef: reference.optional() }).optional();

const volume = z.object({
  name: z.string(),
  secret: z.object({ secretName: z.string().optional() }).optional(),
  projected: z
    .object({ sources: z.array(z.object({ secret: reference.optional() })).default([]) })
    .optional(),
  csi: z.object({ nodePublishSecretRef: reference.optional() }).optional(),
  azureFile: z.object({ secretName: z.string().optional() }).optional(),
  cephfs: storage,
  flexVolume: storage,
  iscsi: storage,
  rbd: storage,
  scaleIO: storage,
  storageos: storage,
});
type Volume = z.infer<typeof volume>;

/** The fields of a pod template that name Secrets or carry restart marks. */
export const podTemplate = z.object({
  metadata: z
    .object({ annotations: z.record(z.string(), z.string()).default({}) })
    .default({ annotations: {} }),
  spec: z.object({
    containers: z.array(container),
    initContainers: z.array(container).default([]),
    ephemeralContainers: z.array(container).default([]),
    volumes: z.array(volume).default([]),
    imagePullSecrets: z.array(reference).default([]),
  }),
});
type PodTemplate = z.infer<typeof podTemplate>;

/** The Secrets that the pods read through volumes, projected volumes, CSI volumes, `env` and `envFrom`, in
 *  all their containers. `fixed`: those that a running pod never reads again. `mentioned`: Secrets to pull
 *  images, of other volume drivers, and in arguments. What a CSI driver fetches from elsewhere is not
 *  included. */
export function findUses({ spec }: PodTemplate): SecretUses {
  const { containers, initContainers, ephemeralContainers, volumes, imagePullSecrets } = spec;
  const all = [...containers, ...initContainers, ...ephemeralContainers];
  const variables = all.flatMap(({ env, envFrom }) => [
    ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ...envFrom.map(({ secretRef }) => secretRef?.name),
  ]);
  const published = volumes.map(({ csi }) => csi?.nodePublishSecretRef?.name);
  const mounted = volumes.map((entry) => ({
    isFixed: all.some((user) => readsOnce(user, entry.name, initContainers.includes(user))),
    names: [
      entry.secret?.secretName,
      ...(entry.projected?.sources ?? []).map((source) => source.secret?.name),
    ],
  }));
  const fixed = mounted.flatMap(({ isFixed, names }) => (isFixed ? names : []));
  const mentioned = sortNames([
    ...imagePullSecrets.map(({ name }) => name),
    ...volumes.map(findLogin),
    ...all.flatMap(({ command, args }) => findArguments([...command, ...args])),
  ]);
  return {
    secrets: sortNames([...variables, ...published, ...mounted.flatMap(({ names }) => names)]),
    fixed: sortNames([...variables, ...published, ...fixed]),
    ...(mentioned.length > 0 ? { mentioned } : {}),
  };
}

/** The Secret with which a volume's driver signs in to its storage. */
function findLogin({ azureFile, ...volume }: Volume): string | undefined {
  const { cephfs, flexVolume, iscsi, rbd, scaleIO, storageos } = volume;
  const driver = cephfs ?? flexVolume ?? iscsi ?? rbd ?? scaleIO ?? storageos;
  return azureFile?.secretName ?? driver?.secretRef?.name;
}

/** Whether a container reads a volume only once. The kubelet does not refresh a mount with `subPath`, and an
 *  init container that is not a sidecar has ended before the volume is refreshed. */
function readsOnce({ volumeMounts, restartPolicy }: Container, volumeName: string, isInit: boolean): boolean {
  const endsEarly = isInit && restartPolicy !== 'Always';
  return volumeMounts.some(
    ({ name, subPath, subPathExpr }) =>
      name === volumeName && (endsEarly || subPath !== '' || subPathExpr !== ''),
  );
}

/** Names of Secrets in the arguments of a controller, such as
 *  `--default-ssl-certificate=$(POD_NAMESPACE)/web-tls`, in one argument or two. */
function findArguments(words: readonly string[]): readonly string[] {
  return words.flatMap((word, index) => {
    const [first = '', ...rest] = word.split('=');
    const [flag, value] = rest.length > 0 ? [first, rest.join('=')] : [words[index - 1] ?? '', word];
    const name = /^(?:\$\(\w+\)|[a-z0-9-]+)\/(?<name>[a-z0-9.-]+)$/.exec(value)?.groups?.name;
    return name !== undefined && /cert|secret|tls/i.test(flag) ? [name] : [];
  });
}

function sortNames(names: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(names.filter((name) => name !== undefined).filter((name) => name !== ''))].toSorted();
}

/** The name of the first container, and the value of ployst's restart variable there. */
export function readRefresh({ spec }: PodTemplate): {
  readonly container: string;
  readonly refresh?: string | undefined;
} {
  const [first] = spec.containers;
  const refresh = first?.env.find(({ name }) => name === refreshVariable)?.value;
  return { container: first?.name ?? '', refresh };
}

/** The body of a strategic merge patch that makes the change. */
export function describePatch({ template, env, own }: RestartPatch): object {
  const variable = env && [
    env.value === null
      ? { name: refreshVariable, $patch: 'delete' }
      : { name: refreshVariable, value: env.value },
  ];
  return {
    ...(Object.keys(own).length > 0 ? { metadata: { annotations: own } } : {}),
    spec: {
      template: {
        ...(Object.keys(template).length > 0 ? { metadata: { annotations: template } } : {}),
        ...(env ? { spec: { containers: [{ name: env.container, env: variable }] } } : {}),
      },
    },
  };
}
