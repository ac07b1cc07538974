// A sandbox in which only what is measured runs.
import { once } from 'node:events';
import type { Call } from '../sandbox/journal.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../sandbox/sandbox.ts';

/** As `startSandbox`, but nobody reads the deploy queue: on AWS the deploy function has machines of its own,
 *  and here it would take the processors from what is measured. Call it by hand. */
export async function startQuietSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  const stopping = new AbortController();
  const stopped = once(stopping.signal, 'abort');
  sandbox.journal.before(async ({ action, principal }) => {
    if (action === 'ReceiveMessage' && principal === 'deploy' && !stopping.signal.aborted) await stopped;
  });
  return {
    ...sandbox,
    async stop() {
      stopping.abort();
      await sandbox.stop();
    },
  };
}

/** What a function did. */
export interface Invocation {
  readonly ms: number;
  /** What was called meanwhile, by whomever. */
  readonly calls: readonly Call[];
  readonly peakMemoryMb: number;
  readonly answer: unknown;
}

/** Calls a function and waits for its answer.
 *  @throws Error where it failed. */
export async function invoke(
  { lambda, journal }: Sandbox,
  name: string,
  event: object = {},
): Promise<Invocation> {
  const before = journal.calls.length;
  const startedAt = performance.now();
  const { error, answer, peakMemoryMb } = await lambda.invoke(name, event);
  const ms = performance.now() - startedAt;
  if (error || peakMemoryMb === undefined) throw new Error(`${name} failed: ${error?.errorMessage}`);
  return { ms, calls: journal.calls.slice(before), peakMemoryMb, answer };
}

/** Ends the function's processes: its next call is a cold start. */
export async function cool({ lambda }: Sandbox, name: string): Promise<void> {
  for (const pid of lambda.pids(name)) process.kill(pid, 'SIGKILL');
  while (lambda.pids(name).length > 0) await new Promise((resolve) => setImmediate(resolve));
}
