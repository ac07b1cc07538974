// Predicts the calls that the orders of a plan make: for whoever does a dry run.

/** The most orders at one CA that go side by side, and share a change of each hosted zone. */
export const batchSize = 300;

/** One order of the plan. */
export interface PredictedOrder {
  /** Directory URL of its CA. */
  readonly directory: string;
  /** Whether the certificate has no AWS secret yet. */
  readonly isNew: boolean;
  /** Whether it resumes an order of an earlier run. */
  readonly resumes: boolean;
  /** Hosted zones that take its TXT values. Absent if DNS was not read. */
  readonly zones?: readonly string[] | undefined;
}

/** The most calls, by the name of the operation. A CA that has valid authorizations asks for no TXT value.
 *  `ChangeResourceRecordSets` is absent if the zones are not known. Rehearsals are not counted. */
export interface PredictedCalls {
  readonly newOrder: number;
  readonly CreateSecret: number;
  readonly PutSecretValue: number;
  readonly ChangeResourceRecordSets?: number;
}

/** Predicts the calls of these orders, in the sequence of the plan. So many orders at one CA share the
 *  changes of a zone: one adds all values, one removes them. */
export function predictCalls(orders: readonly PredictedOrder[], ofBatch: number): PredictedCalls {
  const byCa = [...Map.groupBy(orders, ({ directory }) => directory).values()];
  const batches = byCa.flatMap((part) => [
    ...Map.groupBy(part.entries(), ([index]) => Math.floor(index / ofBatch)).values(),
  ]);
  const zonesOf = (batch: readonly (readonly [number, PredictedOrder])[]) =>
    new Set(batch.flatMap(([, { zones = [] }]) => zones)).size;
  const changes = batches.reduce((sum, batch) => sum + 2 * zonesOf(batch), 0);
  const isKnown = orders.every(({ zones }) => zones !== undefined);
  return {
    newOrder: orders.filter(({ resumes }) => !resumes).length,
    CreateSecret: orders.filter(({ isNew }) => isNew).length,
    // The claim with its key, and the certificate.
    PutSecretValue: 2 * orders.length,
    ...(isKnown ? { ChangeResourceRecordSets: changes } : {}),
  };
}
