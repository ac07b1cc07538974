// What tests read of workloads in cluster `lab`, namespace `shop`.
import * as z from 'zod';
import type { Harness } from './harness.ts';

/** Path of a workload. */
export function apps(kind: 'Deployment' | 'StatefulSet' | 'DaemonSet', name: string): string {
  return `/apis/apps/v1/namespaces/shop/${kind.toLowerCase()}s/${name}`;
}

/** Names of the workloads that were patched as `certrelay`, in order. */
export function patchesOf(harness: Harness): readonly string[] {
  return harness.journal.calls
    .filter(
      ({ action, principal }) =>
        /^patch (deployment|statefulset|daemonset)s$/.test(action) && principal === 'certrelay',
    )
    .map(({ resource }) => resource.split('/').at(-1) ?? '');
}

const strings = z.record(z.string(), z.string()).default({});
const workload = z.object({
  metadata: z.object({ generation: z.number(), annotations: strings }),
  spec: z.object({
    template: z.object({
      metadata: z.object({ annotations: strings }),
      spec: z.object({
        containers: z.array(
          z.object({
            env: z.array(z.object({ name: z.string(), value: z.string().optional() })).default([]),
          }),
        ),
      }),
    }),
  }),
});

/** A workload as it is stored: annotations of its pod template, its own, and its generation. */
export function readWorkload(
  harness: Harness,
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
  name: string,
) {
  const { metadata, spec } = workload.parse(harness.lab.find(`${kind.toLowerCase()}s`, 'shop', name));
  return { generation: metadata.generation, own: metadata.annotations, template: spec.template };
}

const pod = z.object({
  metadata: z.object({ name: z.string(), annotations: strings, labels: strings }),
  spec: z.object({
    containers: z.array(
      z.object({ env: z.array(z.object({ name: z.string(), value: z.string().optional() })).default([]) }),
    ),
  }),
  status: z.object({ phase: z.string() }),
});

/** The pods of a workload, with the fingerprints in their marks by Secret. */
export function podsOf(harness: Harness, name: string) {
  const marks = (annotations: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [
        key.replace('certrelay.dev/fingerprint-', ''),
        value,
      ]),
    );
  return harness.lab
    .owned('pods')
    .map((object) => pod.parse(object))
    .filter(({ metadata }) => metadata.labels.app === name)
    .map(({ metadata, status }) => ({
      name: metadata.name,
      phase: status.phase,
      marks: marks(metadata.annotations),
    }));
}

/** How many revisions a Deployment has had pods of. */
export function countRevisions(harness: Harness, name: string): number {
  return harness.lab.owned('replicasets').filter(({ metadata }) => metadata.name.startsWith(`${name}-`))
    .length;
}
