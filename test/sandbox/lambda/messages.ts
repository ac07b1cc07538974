// What the sandbox and a function's process tell each other.
import * as z from 'zod';

/** To the process: run the handler once. `event` is JSON. */
export const invocation = z.object({
  id: z.string(),
  functionArn: z.string(),
  event: z.string(),
  /** When Lambda will end it, in milliseconds since 1970. */
  deadline: z.number(),
});
export type InvocationMessage = z.output<typeof invocation>;

/** From the process: what the handler answered or threw, as JSON, and the most memory the process had so far. */
export const completion = z.object({ failed: z.boolean(), payload: z.string(), peakMemoryMb: z.number() });
export type CompletionMessage = z.output<typeof completion>;

/** Written to both streams when an invocation is over, so that its last lines are not missed. */
export function endMark(id: string): string {
  return `END RequestId: ${id}`;
}
