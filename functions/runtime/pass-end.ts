// Notes that a function has gone through everything, so that its silence shows.
import { describeError } from '../../lib/ports/errors.ts';
import type { OperationStore, PassName } from '../../lib/ports/operations.ts';
import type { Invocation } from './invocation.ts';

/** Notes the end of a pass over everything, whether something failed in it or not. Never rejects. */
export async function recordPassEnd(
  pass: Exclude<PassName, 'issue'>,
  operations: Pick<OperationStore, 'recordEnd'>,
  { clock, log, cleanUpSignal }: Pick<Invocation, 'clock' | 'log' | 'cleanUpSignal'>,
): Promise<void> {
  try {
    await operations.recordEnd(pass, clock.now(), cleanUpSignal);
  } catch (error) {
    log.error('installation not recorded', { problem: describeError(error) });
  }
}
