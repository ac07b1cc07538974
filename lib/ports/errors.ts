// The base class of all coded errors; each port has its own closed union of codes.

/** Base of every error that this project throws on purpose. Its message never contains a key, a token or
 *  PEM. */
export class CertrelayError<Code extends string = string> extends Error {
  readonly code: Code;
  constructor(code: Code, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Which input has mistakes. `Settings`: environment variables. `Inventory`: the inventory file. `Event`: the
 *  event that a function was invoked with. */
export type ConfigErrorCode = 'Settings' | 'Inventory' | 'Event';

/** Mistakes in what a person wrote. The message names all of them. */
export class ConfigError extends CertrelayError<ConfigErrorCode> {}

/** The value itself if it is an Error, else an Error with its text. */
export function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** The code of an error, for a log line or a report. `Unexpected` if it is not a `CertrelayError`. */
export function codeOf(cause: unknown): string {
  return cause instanceof CertrelayError ? cause.code : 'Unexpected';
}

/** The message of an error and of its causes, joined by colons; without stacks. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describeError).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${describeError(error.cause)}` : error.message;
}
