// Finds mistakes about targets in ACM: one ARN per certificate and region, one certificate per ARN.
import type { InventoryMistake } from './problems.ts';

/** The name that stands for ACM where other targets have a cluster: `acm/us-east-1`. */
export const acmName = 'acm';

interface Target {
  readonly acm?: { readonly region?: string | undefined; readonly arn?: string | undefined } | undefined;
}

/** The part of an inventory's outline that is checked here. */
interface Outline {
  readonly clusters: Readonly<Record<string, unknown>>;
  readonly certificates: readonly { readonly targets: readonly Target[] }[];
  readonly registration?: { readonly targets: readonly Target[] } | undefined;
}

/** Finds a region that one certificate has twice, an ARN that two certificates or all registered ones have,
 *  and a cluster that is named `acm`. */
export function findAcmMistakes({
  clusters,
  certificates,
  registration,
}: Outline): readonly InventoryMistake[] {
  const reserved = Object.hasOwn(clusters, acmName)
    ? [{ path: ['clusters', acmName], message: 'is reserved for targets in ACM; use another name' }]
    : [];
  const lists = [
    ...certificates.map(({ targets }, index) => ({ targets, path: ['certificates', index, 'targets'] })),
    ...(registration ? [{ targets: registration.targets, path: ['registration', 'targets'] }] : []),
  ];
  const repeated = lists.flatMap(({ targets, path }) =>
    targets.flatMap(({ acm }, index) => {
      const first = targets.findIndex(
        (target) => target.acm !== undefined && target.acm.region === acm?.region,
      );
      if (acm?.region === undefined || first === index) return [];
      const message = `repeats the region of targets[${first}]; a certificate is imported once per region, so remove one of the two`;
      return [{ path: [...path, index], message }];
    }),
  );
  const shared = (registration?.targets ?? []).flatMap(({ acm }, index) => {
    const message = 'would be overwritten by every registered certificate; leave it out';
    return acm?.arn === undefined
      ? []
      : [{ path: ['registration', 'targets', index, 'acm', 'arn'], message }];
  });
  return [...reserved, ...repeated, ...shared, ...findRepeatedArns(certificates)];
}

function findRepeatedArns(certificates: Outline['certificates']): readonly InventoryMistake[] {
  const first = new Map<string, number>();
  return certificates.flatMap(({ targets }, index) =>
    targets.flatMap(({ acm }, position) => {
      if (acm?.arn === undefined) return [];
      const earlier = first.get(acm.arn);
      first.set(acm.arn, earlier ?? index);
      if (earlier === undefined || earlier === index) return [];
      const message = `is also the ARN of certificates[${earlier}]; give one of them another ARN`;
      return [{ path: ['certificates', index, 'targets', position, 'acm', 'arn'], message }];
    }),
  );
}
