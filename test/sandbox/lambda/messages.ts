// What the sandbox and a function's process tell each other. Both ends are ours and nothing is checked here:
// what checks would be a third of what the process takes to start.

/** To the process: run the handler once. */
export interface InvocationMessage {
  readonly id: string;
  readonly functionArn: string;
  /** JSON. */
  readonly event: string;
  /** When Lambda will end it, in milliseconds since 1970. */
  readonly deadline: number;
}

/** From the process: what the handler answered or threw, as JSON, and the most memory the process had so
 *  far. */
export interface CompletionMessage {
  readonly failed: boolean;
  readonly payload: string;
  readonly peakMemoryMb: number;
}

/** Written to both streams when an invocation is over, so that its last lines are not missed. */
export function endMark(id: string): string {
  return `END RequestId: ${id}`;
}
