// What a command waits for at the same time ends together.
import type { CommandSession } from './session.ts';

/** Runs a command, or a part of one. If it fails, everything that it still waits for is aborted before the
 *  error is anybody's. @throws whatever `run` throws. */
export async function endTogether<Result>(
  session: CommandSession,
  run: (session: CommandSession) => Promise<Result>,
): Promise<Result> {
  const failing = new AbortController();
  const either = (signal: AbortSignal) => AbortSignal.any([signal, failing.signal]);
  const own: CommandSession = {
    ...session,
    signal: either(session.signal),
    call: (name, event, { isRead, signal }) =>
      session.call(name, event, { isRead, signal: signal ? either(signal) : failing.signal }),
  };
  try {
    return await run(own);
  } catch (error) {
    failing.abort();
    throw error;
  }
}
