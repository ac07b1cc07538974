// One wave: many orders side by side, their TXT values in one change per hosted zone, removed in one more.
import { mapConcurrently } from '../concurrency.ts';
import type { RecordOutcome, TxtValue } from '../dns-ports.ts';
import { toError } from '../errors.ts';
import { describeError } from '../log.ts';
import { type Attempt, beginAttempt, finishAttempt, type OpenAttempt } from './attempt.ts';
import type { DueCertificate } from './claim.ts';
import type { IssuePorts, OrderingPorts, Run } from './run.ts';
import { settle, type WaveOutcome } from './settlement.ts';
import { Turns } from './turns.ts';

/** Certificates of one wave: their TXT values share one change per hosted zone, and all their orders wait side by side. */
export const waveSize = 300;
/** Certificates that talk to Secrets Manager or begin an order at once. */
const concurrency = 32;

interface Step {
  readonly due: DueCertificate;
  readonly attempt: Attempt;
}

/** Orders all the given certificates and tells what became of each. Never rejects: one certificate's failure is its
 *  own, and TXT values are taken away whatever happened, by the clean-up's own signal. */
export async function runWave(
  wave: readonly DueCertificate[],
  ports: IssuePorts & OrderingPorts,
  run: Run,
): Promise<readonly WaveOutcome[]> {
  const turns = new Turns();
  const begun = await mapConcurrently(wave, concurrency, async (due): Promise<Step> => {
    return { due, attempt: await beginAttempt(due, turns, ports, run) };
  });
  const presented = await presentAll(begun, ports, run);
  // All at once: each waits for the CA most of the time.
  const finished = await Promise.all(begun.map((step) => finish(step, presented, ports, run)));
  const left = await cleanUpAll(finished, ports, run);
  return mapConcurrently(finished, concurrency, ({ due, attempt }) => settle(due, attempt, left, ports, run));
}

/** What went wrong with TXT values, by record name: those that were not written, and those that nobody can see. */
interface Presented {
  readonly unwritten: ReadonlyMap<string, Error>;
  readonly unseen: ReadonlyMap<string, Error>;
}

/** Adds every open order's values and waits until the world can see them. */
async function presentAll(
  begun: readonly Step[],
  { records, awaitVisible, log }: IssuePorts & OrderingPorts,
  run: Run,
): Promise<Presented> {
  const values = begun.flatMap(({ attempt }) => (attempt.kind === 'open' ? neededBy(attempt) : []));
  if (values.length === 0) return { unwritten: new Map(), unseen: new Map() };
  const { failed: unwritten } = await outcomeOf(values, () => records.present(values, run.signal));
  const written = values.filter(({ name }) => !unwritten.has(name));
  log.info('TXT values added', { values: written.length, failed: unwritten.size });
  const { failed: unseen } = await outcomeOf(written, () => awaitVisible(written, run.signal));
  return { unwritten, unseen };
}

/** TXT values that an order's challenges need. */
function neededBy({ open: { toPresent, toKeep } }: OpenAttempt): readonly TxtValue[] {
  return [...toPresent, ...toKeep];
}

async function finish(
  { due, attempt }: Step,
  { unwritten, unseen }: Presented,
  ports: IssuePorts & OrderingPorts,
  run: Run,
): Promise<Step> {
  if (attempt.kind !== 'open') return { due, attempt };
  const [error] = neededBy(attempt).flatMap(({ name }) => unwritten.get(name) ?? unseen.get(name) ?? []);
  if (!error) return { due, attempt: await finishAttempt(due, attempt, ports, run) };
  const { claim, open, isNew } = attempt;
  // Where nothing was written there is nothing to clean up, nor to keep the claim for. A write that timed out is not sure.
  const isSure = (value: TxtValue) =>
    isNew && open.toPresent.includes(value) && unwritten.has(value.name) && !run.signal.aborted;
  const written = attempt.written.filter((value) => !isSure(value));
  return {
    due,
    attempt: { kind: 'failed', claim, orderUrl: open.order.url, written, error, mayBeIssued: false },
  };
}

/** Takes away what this wave and the runs it follows on wrote; gives the names where that failed. */
async function cleanUpAll(
  finished: readonly Step[],
  { records, log }: IssuePorts & OrderingPorts,
  run: Run,
): Promise<ReadonlyMap<string, Error>> {
  const values = finished.flatMap(({ attempt }) => ('written' in attempt ? attempt.written : []));
  if (values.length === 0) return new Map();
  const { failed } = await outcomeOf(values, () => records.cleanUp(values, run.cleanUpSignal));
  log.info('TXT values removed', { values: values.length, failed: failed.size });
  for (const [name, error] of failed) {
    log.warn('TXT values not removed', { record: name, problem: describeError(error) });
  }
  return failed;
}

/** A rejection as a whole is a failure of each name. */
async function outcomeOf(
  values: readonly TxtValue[],
  work: () => Promise<RecordOutcome>,
): Promise<RecordOutcome> {
  try {
    return values.length === 0 ? { failed: new Map() } : await work();
  } catch (thrown) {
    const error = toError(thrown);
    return { failed: new Map(values.map(({ name }) => [name, error])) };
  }
}
