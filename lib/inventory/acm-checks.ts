// Mistakes about targets in AWS Certificate Manager: a certificate has one ARN in a region, and an ARN one certificate.
import type { InventoryMistake } from './problems.ts';

/** How targets in ACM and places in it are named beside clusters: `acm/us-east-1`. */
export const acmPlace = 'acm';

interface Target {
  readonly acm?: { readonly region?: string | undefined; readonly arn?: string | undefined } | undefined;
}

/** Of the outline of a file what is looked at here. */
interface Outline {
  readonly clusters: Readonly<Record<string, unknown>>;
  readonly certificates: readonly { readonly targets: readonly Target[] }[];
  readonly registration?: { readonly targets: readonly Target[] } | undefined;
}

/** A region twice for one certificate, an ARN twice in all or for every registered certificate, and a cluster of that name. */
export function findAcmMistakes({
  clusters,
  certificates,
  registration,
}: Outline): readonly InventoryMistake[] {
  const reserved = Object.hasOwn(clusters, acmPlace)
    ? [{ path: ['clusters', acmPlace], message: 'is how targets in ACM are named; write another name' }]
    : [];
  const lists = [
    ...certificates.map(({ targets }, index) => ({ targets, path: ['certificates', index, 'targets'] })),
    ...(registration ? [{ targets: registration.targets, path: ['registration', 'targets'] }] : []),
  ];
  const repeated = lists.flatMap(({ targets, path }) =>
    targets.flatMap(({ acm }, index) => {
      const first = targets.findIndex((one) => one.acm !== undefined && one.acm.region === acm?.region);
      if (acm?.region === undefined || first === index) return [];
      const message = `repeats the region of targets[${first}]; a certificate is imported once in a region, so leave out one`;
      return [{ path: [...path, index], message }];
    }),
  );
  const shared = (registration?.targets ?? []).flatMap(({ acm }, index) => {
    const message = 'would be imported over by every registered certificate; leave it out';
    return acm?.arn === undefined
      ? []
      : [{ path: ['registration', 'targets', index, 'acm', 'arn'], message }];
  });
  return [...reserved, ...repeated, ...shared, ...findRepeatedArns(certificates)];
}

function findRepeatedArns(certificates: Outline['certificates']): readonly InventoryMistake[] {
  const first = new Map<string, number>();
  return certificates.flatMap(({ targets }, index) =>
    targets.flatMap(({ acm }, place) => {
      if (acm?.arn === undefined) return [];
      const earlier = first.get(acm.arn);
      first.set(acm.arn, earlier ?? index);
      if (earlier === undefined || earlier === index) return [];
      const message = `is the ARN of certificates[${earlier}] too; give one of them another`;
      return [{ path: ['certificates', index, 'targets', place, 'acm', 'arn'], message }];
    }),
  );
}
