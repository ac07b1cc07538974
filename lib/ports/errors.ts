// The base class of all coded errors; each port has its own closed union of codes.
import { explainForeign } from './foreign-errors.ts';

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

/** The code of an error, for a log line or a report; of several errors that of the first. `Unexpected` if it
 *  has none of ours. */
export function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError) return codeOf(cause.errors[0]);
  return cause instanceof CertrelayError || cause instanceof PartError ? cause.code : 'Unexpected';
}

/** The message of an error and of its causes, joined by colons; without stacks. What a message repeats of its
 *  cause is there once, and errors of Node and of libraries are told in words for people. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(describeError))].join('; ');
  if (!(error instanceof Error)) return String(error);
  const isOurs = error instanceof CertrelayError || error instanceof PartError;
  const words = isOurs ? undefined : explainForeign(error);
  if (words !== undefined) return words;
  const message = withoutEcho(error.message);
  const cause = error.cause instanceof Error ? describeError(error.cause) : '';
  if (cause.startsWith(message) && message.length >= fewestWords) return cause;
  const isNamed = namesCode(message, error.cause) || repeats(message, cause);
  return isNamed ? message : `${message}: ${cause}`;
}

/** The text once, if it is the same sentences twice, as some services write: `it failed. it failed` is
 *  `it failed`. */
function withoutEcho(text: string): string {
  const body = text.replace(/\.$/, '');
  for (const gap of [' ', '. ', ': ', '; ', ', ']) {
    const length = (body.length - gap.length) / 2;
    const [first, rest] = [body.slice(0, length), body.slice(length + gap.length)];
    if (length >= fewestWords && first === rest && body.startsWith(gap, length)) return first;
  }
  return text;
}

/** Whether a message has the code of its cause in brackets, as in `no answer (ECONNREFUSED)`: the words of
 *  Node say no more. */
function namesCode(message: string, cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return (
    typeof code === 'string' && /^(?:E[A-Z]+|UND_ERR_[A-Z_]+)$/.test(code) && message.includes(`(${code}`)
  );
}

/** Words that are shorter may stand in a message by chance. */
const fewestWords = 12;

/** Whether a message already has what its cause says, with or without who said it, as in
 *  `ca.example refused: …`. */
function repeats(message: string, cause: string): boolean {
  const [, ...tails] = cause.split(': ').map((_, index, parts) => parts.slice(index).join(': '));
  return (
    message.includes(cause) || tails.some((tail) => tail.length >= fewestWords && message.includes(tail))
  );
}

/** What is known of a `PartError` beside its cause. */
interface PartDetails {
  /** Absent: the code of the cause. */
  readonly code?: string | undefined;
  /** The shell command with which a person goes on. */
  readonly command?: string | undefined;
  /** Whether it is recorded where `status` reads it: a level tells of it as long as it lasts. */
  readonly isTold?: boolean;
}

/** Why one part of a call failed, such as a certificate or a target. The others went on. Its message is both:
 *  `shop: no answer`. */
export class PartError extends Error {
  /** Name of the certificate, target (`cluster/namespace/secret`) or cluster. */
  readonly part: string;
  readonly code: string;
  readonly command: string | undefined;
  /** Whether `status` tells it as long as it lasts, so that a schedule's call need not fail for it. */
  readonly isTold: boolean;
  override readonly cause: Error;

  constructor(part: string, cause: Error, { code, command, isTold = false }: PartDetails = {}) {
    super(`${part}: ${describeError(cause)}`, { cause });
    this.name = 'PartError';
    this.part = part;
    this.code = code ?? codeOf(cause);
    this.command = command;
    this.isTold = isTold;
    this.cause = cause;
  }
}

/** The words of an error without the name of its part, which stands beside them. */
export function wordsOf(error: unknown): string {
  return describeError(error instanceof PartError ? error.cause : error);
}

/** The error of the part, unless it says already of which part it is. */
export function errorOfPart(part: string, error: unknown): PartError {
  return error instanceof PartError ? error : new PartError(part, toError(error));
}

/** The same failure, told by `status` as long as it lasts. */
export function asTold({ part, cause, code, command }: PartError): PartError {
  return new PartError(part, cause, { code, command, isTold: true });
}
