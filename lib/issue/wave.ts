// One wave: many orders side by side, their TXT values in one change per hosted zone, removed in one more.
import { mapConcurrently } from '../concurrency.ts';
import { CertrelayError } from '../errors.ts';
import { describeError } from '../log.ts';
import type { RecordOutcome, TxtValue } from '../ports.ts';
import { type Attempt, AttemptError, beginAttempt, finishAttempt } from './attempt.ts';
import type { DueCertificate } from './claim.ts';
import type { IssuePorts, OrderingPorts, Run } from './run.ts';
import { settle, type WaveOutcome } from './settlement.ts';

/** Certificates under way at once: bounds memory, sockets and how fast AWS is asked. */
const concurrency = 32;

type Open = Extract<Attempt, { kind: 'open' }>;

/** Orders all the given certificates and tells what became of each. Never rejects: one certificate's failure is its
 *  own, and TXT values are taken away whatever happened, by the clean-up's own signal. */
export async function runWave(
  due: readonly DueCertificate[],
  ports: IssuePorts & OrderingPorts,
  run: Run,
): Promise<readonly WaveOutcome[]> {
  const begun = await mapConcurrently(due, concurrency, (one) =>
    isolate(() => beginAttempt(one, ports, run)),
  );
  const open = begun.flatMap((attempt) =>
    !(attempt instanceof Error) && attempt.kind === 'open' ? [attempt] : [],
  );
  const blocked = await presentAll(open, ports, run);
  const finished = new Map(
    await mapConcurrently(open, Number.POSITIVE_INFINITY, async (attempt) => {
      const one = due[begun.indexOf(attempt)];
      const result = one && (await isolate(() => finishOrBlock(one, attempt, blocked, ports, run)));
      return [attempt, result] as const;
    }),
  );
  const left = await cleanUpAll(begun, ports, run);
  return mapConcurrently(
    due.map((one, index) => ({ one, attempt: begun[index] })),
    concurrency,
    async ({ one, attempt }) => {
      const result = attempt instanceof Error || attempt?.kind !== 'open' ? attempt : finished.get(attempt);
      return settle(one, result ?? new Error('no attempt was made'), left, ports, run);
    },
  );
}

async function isolate<T>(work: () => Promise<T>): Promise<T | Error> {
  try {
    return await work();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Adds every order's values and waits until the world can see them; gives what went wrong by record name. */
async function presentAll(
  open: readonly Open[],
  { records, awaitVisible, log }: IssuePorts & OrderingPorts,
  run: Run,
): Promise<ReadonlyMap<string, Error>> {
  const values = open.flatMap((attempt) => attempt.open.toPresent);
  if (values.length === 0) return new Map();
  const presented = await outcomeOf(values, () => records.present(values, run.signal));
  const written = values.filter(({ name }) => !presented.failed.has(name));
  log.info('TXT values added', {
    records: new Set(written.map(({ name }) => name)).size,
    failed: presented.failed.size,
  });
  const visible = await outcomeOf(written, () => awaitVisible(written, run.signal));
  return new Map([...presented.failed, ...visible.failed]);
}

/** A rejection as a whole is a failure of each name. */
async function outcomeOf(
  values: readonly TxtValue[],
  work: () => Promise<RecordOutcome>,
): Promise<RecordOutcome> {
  if (values.length === 0) return { failed: new Map() };
  const outcome = await isolate(work);
  return outcome instanceof Error ? { failed: new Map(values.map(({ name }) => [name, outcome])) } : outcome;
}

async function finishOrBlock(
  due: DueCertificate,
  attempt: Open,
  blocked: ReadonlyMap<string, Error>,
  ports: IssuePorts & OrderingPorts,
  run: Run,
) {
  const reason = attempt.open.toPresent.flatMap(({ name }) => blocked.get(name) ?? [])[0];
  if (reason) throw new AttemptError(attempt.claim, attempt.open, reason);
  return finishAttempt(due, attempt, ports, run).then((stored) => ({
    kind: 'issued' as const,
    attempt,
    ...stored,
  }));
}

/** Takes away what this wave and the runs it follows on wrote; gives the names where that failed. */
async function cleanUpAll(
  begun: readonly (Attempt | Error)[],
  { records, log }: IssuePorts & OrderingPorts,
  run: Run,
): Promise<ReadonlyMap<string, Error>> {
  const values = begun.flatMap(valuesLeftBy);
  const { failed } = await outcomeOf(values, () => records.cleanUp(values, run.cleanUpSignal));
  if (values.length > 0) log.info('TXT values removed', { values: values.length, failed: failed.size });
  for (const [name, error] of failed) {
    log.warn('TXT values not removed', { record: name, problem: describeError(error) });
  }
  return failed;
}

function valuesLeftBy(attempt: Attempt | Error): readonly TxtValue[] {
  if (attempt instanceof AttemptError) return attempt.open?.toCleanUp ?? [];
  if (attempt instanceof CertrelayError || attempt instanceof Error) return [];
  switch (attempt.kind) {
    case 'open':
      return [...attempt.open.toCleanUp, ...attempt.leftovers];
    case 'stored':
      return attempt.leftovers;
    case 'held':
    case 'kept':
      return [];
  }
}
