// One wave: many orders side by side, their TXT values in one change per hosted zone, removed in one more.
import { mapConcurrently } from '../concurrency.ts';
import type { RecordOutcome, TxtValue } from '../dns-ports.ts';
import { toError } from '../errors.ts';
import { describeError } from '../log.ts';
import { type Attempt, beginAttempt, finishAttempt, type OpenAttempt } from './attempt.ts';
import type { DueCertificate } from './claim.ts';
import type { IssuePorts, OrderingPorts, Run } from './run.ts';
import { settle, type WaveOutcome } from './settlement.ts';

/** Certificates of one wave: their TXT values share one change per hosted zone, and all their orders wait side by side. */
export const waveSize = 100;
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
  const begun = await mapConcurrently(wave, concurrency, async (due): Promise<Step> => {
    return { due, attempt: await beginAttempt(due, ports, run) };
  });
  const blocked = await presentAll(begun, ports, run);
  // All at once: each waits for the CA most of the time.
  const finished = await Promise.all(begun.map((step) => finish(step, blocked, ports, run)));
  const left = await cleanUpAll(finished, ports, run);
  return mapConcurrently(finished, concurrency, ({ due, attempt }) => settle(due, attempt, left, ports, run));
}

/** Adds every open order's values and waits until the world can see them; gives what went wrong by record name. */
async function presentAll(
  begun: readonly Step[],
  { records, awaitVisible, log }: IssuePorts & OrderingPorts,
  run: Run,
): Promise<ReadonlyMap<string, Error>> {
  const values = begun.flatMap(({ attempt }) => (attempt.kind === 'open' ? attempt.open.toPresent : []));
  if (values.length === 0) return new Map();
  const presented = await outcomeOf(values, () => records.present(values, run.signal));
  const written = values.filter(({ name }) => !presented.failed.has(name));
  log.info('TXT values added', { values: written.length, failed: presented.failed.size });
  const visible = await outcomeOf(written, () => awaitVisible(written, run.signal));
  return new Map([...presented.failed, ...visible.failed]);
}

async function finish(
  step: Step,
  blocked: ReadonlyMap<string, Error>,
  ports: IssuePorts & OrderingPorts,
  run: Run,
): Promise<Step> {
  const { due, attempt } = step;
  if (attempt.kind !== 'open') return step;
  const error = attempt.open.toPresent.flatMap(({ name }) => blocked.get(name) ?? [])[0];
  return { due, attempt: error ? blockedBy(error, attempt) : await finishAttempt(due, attempt, ports, run) };
}

function blockedBy(error: Error, { claim, open, written }: OpenAttempt): Attempt {
  return { kind: 'failed', claim, orderUrl: open.order.url, written, error, mayBeIssued: false };
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
