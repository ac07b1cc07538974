// The base of every failure with a code that callers branch on; each port keeps its own closed union of
// codes.

/** Base of every error this project throws on purpose. Messages never hold a key, a token or PEM. */
export class CertrelayError<Code extends string = string> extends Error {
  readonly code: Code;
  constructor(code: Code, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** `Settings`: the environment; `Inventory`: the inventory file; `Event`: the event a function was called
 *  with. */
export type ConfigErrorCode = 'Settings' | 'Inventory' | 'Event';

/** What a person wrote is wrong: the message names every mistake. */
export class ConfigError extends CertrelayError<ConfigErrorCode> {}

/** What was thrown, as an Error. */
export function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** The code of what was thrown, for a log line or a report: `Unexpected` where it is none of ours. */
export function codeOf(cause: unknown): string {
  return cause instanceof CertrelayError ? cause.code : 'Unexpected';
}

/** One line for an error: its message and those of its causes. Messages hold no secrets, stacks stay out. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describeError).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${describeError(error.cause)}` : error.message;
}
