// Orders everything that is due: batch after batch at each CA, all CAs side by side.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { batchSize } from '../../policy/issuance/prediction.ts';
import { describeError, toError } from '../../ports/errors.ts';
import { planBySpecification } from '../gather/admission.ts';
import type { Allowance } from '../gather/allowance.ts';
import type { DueCertificate, PlannedCertificate } from '../gather/gather.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import type { OrderOutcome } from './outcome.ts';

/** A batch that would have less time than this (milliseconds) waits for the next run. */
const minBatchMs = 2_000;
/** Specifications that are read at once. */
const concurrency = 32;

/** Orders the due certificates and returns one outcome for each. A CA that hangs does not delay the orders
 *  of other CAs. Rejects only if `openOrdering` does. */
export async function orderDue(
  due: readonly PlannedCertificate[],
  allowance: Allowance,
  issuing: IssuePorts,
  invocation: IssueInvocation,
): Promise<readonly OrderOutcome[]> {
  if (due.length === 0) return [];
  const [ordering, { beginBatch }] = await Promise.all([issuing.openOrdering(), import('./batch.ts')]);
  const ports = { ...issuing, ...ordering };
  const hasRehearsal = ({ situation }: PlannedCertificate) => situation.desired.rehearsal !== undefined;
  const byCa = Map.groupBy(due, ({ situation }) => situation.desired.directory);
  const outcomes = [...byCa.values()].map((part) => {
    // Rehearsed orders come last: a rehearsal takes long.
    const parts = [part.filter((one) => !hasRehearsal(one)), part.filter(hasRehearsal)];
    const batches = parts.flatMap((some) => chunk(some, batchSize));
    return orderBatches({ batches, allowance, beginBatch }, ports, invocation);
  });
  return (await Promise.all(outcomes)).flat();
}

/** Orders one batch after another, while there is as much time left as the longest batch took. The next
 *  one begins when the one before waits for stragglers only. */
async function orderBatches(
  {
    batches,
    allowance,
    beginBatch,
  }: {
    readonly batches: readonly (readonly PlannedCertificate[])[];
    readonly allowance: Allowance;
    readonly beginBatch: typeof import('./batch.ts').beginBatch;
  },
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<readonly OrderOutcome[]> {
  const { clock, log } = ports;
  const done: OrderOutcome[] = [];
  const outcomesOfBatches: Promise<readonly OrderOutcome[]>[] = [];
  let neededMs = minBatchMs;
  for (const [index, batch] of batches.entries()) {
    const begunAt = clock.now().getTime();
    if (invocation.signal.aborted || invocation.workUntil.getTime() - begunAt < neededMs) {
      const message = 'too little time was left to begin; the next run orders it';
      done.push(...batch.map(({ name }) => ({ outcome: 'waiting' as const, name, message })));
      continue;
    }
    if (batches.length > 1)
      log.info('order batch started', { batch: index + 1, of: batches.length, certificates: batch.length });
    const prepared = await mapConcurrently(batch, concurrency, (one) =>
      prepare(one, allowance, ports, invocation),
    );
    done.push(...prepared.flatMap((one) => ('outcome' in one ? [one] : [])));
    const ready = prepared.flatMap((one) => ('outcome' in one ? [] : [one]));
    const { outcomes, stragglersOnly } = beginBatch(ready, ports, invocation);
    outcomesOfBatches.push(outcomes);
    await stragglersOnly;
    neededMs = Math.max(neededMs, clock.now().getTime() - begunAt);
  }
  return [...done, ...(await Promise.all(outcomesOfBatches)).flat()];
}

function chunk<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

/** The certificate with its specification. Reads it if admission could not. */
async function prepare(
  planned: PlannedCertificate,
  allowance: Allowance,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<DueCertificate | OrderOutcome> {
  const { name, spec } = planned;
  try {
    if (spec) return { ...planned, spec };
    const due = await planBySpecification(planned, allowance, ports, invocation);
    const { decision, message } = due.plan;
    return decision === 'order' ? due : { outcome: 'waiting', name, message };
  } catch (cause) {
    const error = toError(cause);
    return { outcome: 'failed', name, message: describeError(error), error };
  }
}
