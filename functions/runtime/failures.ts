// What a call tells of its failures: as fields of its report, or as the error that it ends with.
import { oneLine, takeFitting } from '../../lib/policy/bounds.ts';
import { codeOf, describeError, PartError } from '../../lib/ports/errors.ts';
import { describeLine, groupAlike } from './alike.ts';

/** One failure of a call. */
export interface CallFailure {
  /** The certificate, target or cluster that failed, or the function if it is none of these. */
  readonly what: string;
  /** The code of the error; `Unexpected` if it has none. */
  readonly code: string;
  /** On one line. */
  readonly message: string;
  /** The shell command with which a person goes on; absent if there is none. */
  readonly command?: string;
}

/** Characters of one failure's message. */
const longestMessage = 1_000;
/** Lines and bytes of failures in an error. Lambda takes 256 KB, and an error contains its message twice. */
const mostNamed = 100;
const mostErrorBytes = 60_000;
/** Commands that an error ends with. */
const mostCommands = 5;
/** Bytes of the failures in a report; the rest of Lambda's 6 MB is for the answer. */
const mostReportBytes = 500_000;

/** Whether `status` tells the failure, or all of a list, as long as it lasts. */
export function isTold(failure: unknown): boolean {
  if (Array.isArray(failure)) return failure.every(isTold);
  return failure instanceof PartError && failure.isTold;
}

/** Those of the failures that `status` does not tell. */
export function untold<Failure>(failures: ReadonlyMap<string, Failure>): ReadonlyMap<string, Failure> {
  return new Map([...failures].filter(([, failure]) => !isTold(failure)));
}

/** The failures as fields. `call`: the function, for errors that are of no part. */
export function describeFailures(failures: readonly Error[], call = 'certrelay'): readonly CallFailure[] {
  return failures.map((failure) => {
    const [what, error, command] =
      failure instanceof PartError ? [failure.part, failure.cause, failure.command] : [call, failure];
    return {
      what: oneLine(what, 300),
      code: codeOf(failure),
      message: oneLine(joinList(describeError(error)), longestMessage),
      ...(command === undefined ? {} : { command }),
    };
  });
}

/** A list below a line, as that of an inventory's mistakes, as the end of the line. */
function joinList(text: string): string {
  return text.replace(/:\n {2}/g, ': ').replace(/\n {2}/g, '; ');
}

/** The report of a call, beside the fields of its answer. */
export interface CallReport {
  /** Whether all went well. Also false if the answer says so itself. */
  readonly ok: boolean;
  readonly failures: readonly CallFailure[];
  /** How many failures have no room; absent if all have. */
  readonly failuresOmitted?: number;
}

/** The answer of a call with its failures. `undefined`: it failed before there was one. */
export function makeCallReport(answer: unknown, failures: readonly CallFailure[]): CallReport {
  const fields = typeof answer === 'object' && answer !== null ? answer : {};
  const isOk = failures.length === 0 && !('ok' in fields && fields.ok === false);
  const listed = takeFitting(failures, mostReportBytes);
  const omitted = failures.length - listed.length;
  return {
    ...fields,
    ok: isOk,
    failures: listed,
    ...(omitted > 0 ? { failuresOmitted: omitted } : {}),
  };
}

/** The error of a call. It has one line a failure, with code and words, and ends with commands. Its name is
 *  that of an error that ended the whole call. */
export class CallError extends AggregateError {
  readonly code: string;

  /** @param commands Shell commands that help with all failures; those of the failures come first. */
  constructor(causes: readonly Error[], failures: readonly CallFailure[], commands: readonly string[]) {
    super(causes, describeCall(failures, commands));
    const [first] = causes;
    const isWhole = causes.length === 1 && first && !(first instanceof PartError);
    this.name = isWhole ? first.name : 'AggregateError';
    this.code = failures[0]?.code ?? 'Unexpected';
  }
}

function describeCall(failures: readonly CallFailure[], commands: readonly string[]): string {
  const alike = [...groupAlike(failures)];
  const lines = alike.slice(0, mostNamed).map(([words, parts]) => describeLine(words, parts));
  const named = takeFitting(lines, mostErrorBytes);
  const rest = alike.slice(named.length).reduce((sum, [, parts]) => sum + parts.length, 0);
  const own = alike.slice(0, named.length).flatMap(([, [first]]) => first?.command ?? []);
  const shown = [...new Set([...own, ...commands])].slice(0, mostCommands);
  return [
    ...named,
    ...(rest > 0 ? [`and ${rest} more: the log has all of them`] : []),
    ...(shown.length > 0 ? ['to go on, run:', ...shown.map((command) => `  ${command}`)] : []),
  ].join('\n');
}
