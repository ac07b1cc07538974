// The schemas of workloads, and of which of them restart when a certificate changes.
import * as z from 'zod';
import { type WorkloadReference, workloadKinds } from '../certificate/rollout-spec.ts';
import { isObjectName, mapping, maxObjectName } from './fields.ts';
import { objectPattern, workloadPattern } from './patterns.ts';
import { describeInput } from './problems.ts';

/** One workload: `Deployment/web` or `{kind, name}`. */
export const workload = z.union(
  [
    z
      .string()
      .meta({ pattern: workloadPattern(workloadKinds) })
      .transform((text, context) => {
        const [kind = '', name = '', ...others] = text.split('/');
        return others.length === 0 ? readWorkload(kind, name, context) : readWorkload(text, '', context);
      }),
    mapping({
      kind: z
        .string()
        .meta({ enum: [...workloadKinds] })
        .describe('Kind of the workload'),
      name: z
        .string()
        .meta({ pattern: objectPattern, maxLength: maxObjectName })
        .describe('Name of the workload'),
    }).transform(({ kind, name }, context) => readWorkload(kind, name, context)),
  ],
  { error: ({ input }) => `is ${describeInput(input)}; use e.g. Deployment/web` },
);

/** Which workloads restart when the certificate changes. An empty list becomes `none`. */
export const restartChoice = z
  .union([z.enum(['auto', 'needed', 'none']), z.array(workload)], {
    error: ({ input }) =>
      `is ${describeInput(input)}; use auto, needed, none, or a list such as [Deployment/web]`,
  })
  .transform((value) => (typeof value === 'string' || value.length > 0 ? value : 'none'));
/** As `restartChoice`; `auto` if absent. */
export const restart = restartChoice.default('auto');

/** One restart that a registration request may ask for. */
export const allowedRestart = z.union([z.enum(['auto', 'needed', 'none']), workload], {
  error: ({ input }) => `is ${describeInput(input)}; use auto, needed, none, or e.g. Deployment/web`,
});

function readWorkload(kind: string, name: string, context: z.RefinementCtx): WorkloadReference {
  const known = workloadKinds.find((workloadKind) => workloadKind === kind);
  if (known !== undefined && isObjectName(name)) return { kind: known, name };
  const advice = `use one of ${workloadKinds.map((workloadKind) => `${workloadKind}/…`).join(', ')}`;
  const message =
    kind === 'ReplicationController'
      ? `a ReplicationController cannot be restarted; convert ${describeInput(name)} to a Deployment`
      : `${describeInput(name === '' ? kind : `${kind}/${name}`)} is not a workload that can be restarted; ${advice}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
