// Port to the time: only adapters read a clock or set a timer. Each comment is part of the contract.

/** The current time, and timers. All durations are in milliseconds. */
export interface Clock {
  /** The current time. */
  now(): Date;
  /** Resolves after `ms`.
   *  @throws the signal's reason as soon as the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `act` once, after `ms`. The returned function stops the timer; it may be called at any time. */
  after(ms: number, act: () => void): () => void;
  /** A signal that is aborted after `ms` with a `TimeoutError`. It does not keep the process alive. */
  timeout(ms: number): AbortSignal;
}
