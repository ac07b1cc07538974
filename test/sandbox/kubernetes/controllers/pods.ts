// Pods of the embedded cluster's workloads: what a controller works on at one instant.
import { createHash } from 'node:crypto';
import * as z from 'zod';

const strings = z.record(z.string(), z.string());
const amount = z.union([z.number(), z.string()]);
const limits = z.object({ maxUnavailable: amount.optional() }).optional();

/** The fields of a workload that its controller goes by. */
export const workload = z.object({
  kind: z.string(),
  metadata: z.object({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string().optional(),
    generation: z.number().default(1),
  }),
  spec: z.object({
    replicas: z.number().default(1),
    paused: z.boolean().default(false),
    restartAt: z.string().optional(),
    progressDeadlineSeconds: z.number().default(600),
    podManagementPolicy: z.enum(['OrderedReady', 'Parallel']).default('OrderedReady'),
    ordinals: z.object({ start: z.number().default(0) }).default({ start: 0 }),
    strategy: z
      .object({
        type: z.string().optional(),
        canary: limits,
        blueGreen: limits,
        rollingUpdate: z
          .object({ maxSurge: amount.default('25%'), maxUnavailable: amount.default('25%') })
          .prefault({}),
      })
      .prefault({}),
    updateStrategy: z
      .object({
        type: z.string().default('RollingUpdate'),
        rollingUpdate: z
          .object({ partition: z.number().default(0), maxUnavailable: amount.default(1) })
          .prefault({}),
      })
      .prefault({}),
    template: z.looseObject({
      metadata: z.looseObject({ labels: strings.default({}), annotations: strings.default({}) }).prefault({}),
      spec: z.looseObject({
        nodeSelector: strings.default({}),
        containers: z.array(z.looseObject({ name: z.string() })).default([]),
      }),
    }),
  }),
});
export type Workload = z.infer<typeof workload>;
export type Template = Workload['spec']['template'];

/** A node. `isFull`: its pods stay Pending; other than those of DaemonSets, pods go elsewhere. */
export interface SandboxNode {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly isFull?: boolean;
}

export interface Pod {
  readonly name: string;
  /** Of its template, as `revisionOf` names it. */
  readonly revision: string;
  readonly template: Template;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Only of a DaemonSet. */
  readonly node?: string;
}

/** What a controller sees at one instant. A step returns the pods after it, the same array if it does
 *  nothing. */
export interface Situation {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly spec: Workload['spec'];
  /** Revision of the template in `spec`. */
  readonly newest: string;
  /** Of a StatefulSet: the revision that its last complete rollout had. */
  readonly current: string;
  /** Nodes that the template selects. */
  readonly nodes: readonly SandboxNode[];
  readonly isReady: (pod: Pod) => boolean;
  /** A new pod; of the newest revision, unless another is asked for. */
  readonly make: (
    suffix: string | undefined,
    more?: { readonly node?: string; readonly revision?: string },
  ) => Pod;
}
export type Step = (pods: readonly Pod[], situation: Situation) => readonly Pod[];

/** Name of a template's revision: the same template always has the same. Empty maps and lists make no
 *  difference, as the API leaves them out. */
export function revisionOf(template: Template): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(template)))
    .digest('hex')
    .slice(0, 10);
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => typeof part !== 'object' || part === null || Object.keys(part).length > 0)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, canonical(part)]),
  );
}

/** `amount` of `total`: a number, or a percentage that is rounded. */
export function amountOf(value: number | string, total: number, round: (share: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseFloat(value) / 100) * total);
}
