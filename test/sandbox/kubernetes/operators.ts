// Operators of the embedded cluster: each makes the template of one workload what it wants it to be, again
// and again.
import * as z from 'zod';
import { type KubernetesObject, kubernetesObject } from './objects.ts';

/** Which annotations an operator leaves where others have set them: on the pod template, or on the workload
 *  itself. */
export type KeepsAnnotation = (name: string, on: 'template' | 'workload') => boolean;

interface Operator {
  readonly template: Template;
  readonly keeps: KeepsAnnotation;
}

const annotations = z.record(z.string(), z.string());
const templated = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      metadata: z.looseObject({ annotations: annotations.optional() }).optional(),
    }),
  }),
});
type Template = z.infer<typeof templated>['spec']['template'];

export class Operators {
  readonly #operators = new Map<string, Operator>();

  /** From now on the workload has an operator, which wants the template that it has now. */
  add(object: KubernetesObject, keeps: KeepsAnnotation): void {
    const { template } = templated.parse(object).spec;
    this.#operators.set(object.metadata.uid ?? '', { template, keeps });
  }

  /** The workload as its operator leaves it; the same object if it has none. */
  correct(object: KubernetesObject): KubernetesObject {
    const operator = this.#operators.get(object.metadata.uid ?? '');
    if (!operator) return object;
    const { template: wanted, keeps } = operator;
    const { spec } = templated.parse(object);
    const keep = (given: Readonly<Record<string, string>>, on: 'template' | 'workload') =>
      Object.fromEntries(Object.entries(given).filter(([name]) => keeps(name, on)));
    const kept = {
      ...wanted.metadata?.annotations,
      ...keep(spec.template.metadata?.annotations ?? {}, 'template'),
    };
    const { annotations: _, ...metadata } = wanted.metadata ?? {};
    const own = keep(object.metadata.annotations ?? {}, 'workload');
    return kubernetesObject.parse({
      ...object,
      metadata: { ...object.metadata, ...(object.metadata.annotations ? { annotations: own } : {}) },
      spec: {
        ...spec,
        template: {
          ...wanted,
          metadata: { ...metadata, ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}) },
        },
      },
    });
  }
}
