// The socket to time: nothing below the adapters reads a clock or sets a timer itself. Each comment is part
// of the contract.

/** The time, and waiting. */
export interface Clock {
  now(): Date;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `act` once, after `ms`; the function it returns prevents that, and may be called at any time. */
  after(ms: number, act: () => void): () => void;
  /** A signal that is aborted after `ms`, with a `TimeoutError`. It keeps no process alive. */
  timeout(ms: number): AbortSignal;
}
