// What the orders of a plan change when they are carried out, in calls: for whoever looks before a run.

/** One order of the plan. */
export interface PredictedOrder {
  /** Directory URL of its CA. */
  readonly directory: string;
  /** It has no AWS secret yet. */
  readonly isNew: boolean;
  /** It goes on with an order of an earlier run. */
  readonly resumes: boolean;
  /** Hosted zones that take its TXT values; absent where nobody looked. */
  readonly zones?: readonly string[] | undefined;
}

/** Calls by the name of the operation. At most so many: a CA that still holds valid authorizations asks for no TXT value.
 *  Without `ChangeResourceRecordSets` where nobody looked which zones they are. Rehearsals are not counted. */
export interface PredictedCalls {
  readonly newOrder: number;
  readonly CreateSecret: number;
  readonly PutSecretValue: number;
  readonly ChangeResourceRecordSets?: number;
}

/** In the sequence of the plan; `waveSize` orders at one CA share the changes of a zone: one adds all values, one takes them
 *  away. */
export function predictCalls(orders: readonly PredictedOrder[], batchSize: number): PredictedCalls {
  const byCa = [...Map.groupBy(orders, ({ directory }) => directory).values()];
  const batches = byCa.flatMap((part) => [
    ...Map.groupBy(part.entries(), ([index]) => Math.floor(index / batchSize)).values(),
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
