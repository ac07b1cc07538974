// Describes mistakes in what a user wrote: the path of each, what is wrong and what to write instead.
import type * as z from 'zod';

/** Stands for the path of a mistake that concerns the whole input. */
export const topLevel = 'top level';

/** One mistake, ready to show. */
export interface InventoryProblem {
  /** A path such as `certificates[2].domains[0]`. For text that is not YAML, a position such as `line 3,
   *  column 5`. */
  readonly path: string;
  /** What is wrong and what to write. Continues a sentence that begins with the path. */
  readonly message: string;
  /** Line of the file, from 1. Absent if the input was not a file. */
  readonly line?: number;
}

/** A text for people with one line per mistake. `file` is the path of the inventory. Its keys and values may
 *  be a stranger's, who proposes a change: none begins a line, or controls a terminal. */
export function describeProblems(file: string, problems: readonly InventoryProblem[]): string {
  const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`;
  const lines = problems.map(
    // The path of a mistake in YAML is its line already.
    ({ path, message, line }) =>
      `  ${line === undefined || path.startsWith('line ') ? '' : `line ${line}, `}${path}: ${message}`,
  );
  return [`the inventory ${file} has ${count}:`, ...lines.map(toOneLine)].join('\n');
}

function toOneLine(text: string): string {
  return text.slice(0, mostCharacters).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** Longest line of a mistake. */
const mostCharacters = 2_000;

/** A mistake with its path as a list of keys and indexes. */
export interface InventoryMistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The path as text: `certificates[2].domains[0]`; unusual keys are quoted: `issuers["a b"]`. `top level` for
 *  an empty path. */
export function formatPath(path: readonly PropertyKey[]): string {
  const parts = path.map((part, index) => {
    if (typeof part === 'number') return `[${part}]`;
    const key = String(part);
    if (!/^[\w-]+$/.test(key)) return `[${JSON.stringify(key.slice(0, 80))}]`;
    return index === 0 ? key : `.${key}`;
  });
  return parts.join('') || topLevel;
}

/** How inputs are parsed, so that each mistake has a message. */
export const parseManner = { error: explainIssue, reportInput: true } as const;

/** One mistake for each issue of a schema, with `prefix` before its path. Each unknown key is a mistake of
 *  its own. For a union, the mistakes of the branch that the user most likely wanted. */
export function mistakesOf(
  issues: readonly z.core.$ZodIssue[],
  prefix: readonly PropertyKey[] = [],
): readonly InventoryMistake[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key], message: issue.message }));
    }
    const inner = issue.code === 'invalid_union' ? findIntendedBranch(issue.errors) : undefined;
    return inner === undefined ? [{ path, message: explainFormat(issue) }] : mistakesOf(inner, path);
  });
}

/** The message, with the text that has not the form which it asks for. A secret that was written in place of
 *  its name is not shown. */
function explainFormat({ code, input, message, path }: z.core.$ZodIssue): string {
  const isFormat = code === 'invalid_format' && typeof input === 'string' && message.startsWith('is not ');
  const mayBeSecret = /^(?:secret|password|url)$/.test(String(path.at(-1)));
  return isFormat && !mayBeSecret ? `${describeInput(input)} ${message}` : message;
}

/** The message for an issue that has none in the schema. */
function explainIssue(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type')
    return `is ${describeInput(issue.input)}; write ${typeNames[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value')
    return `is ${describeInput(issue.input)}; write one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => message).join('; ');
  return 'is not valid here';
}

/** A value for a message: `missing`, `empty`, `a list`, `a mapping`, or JSON of at most 80 characters. */
export function describeInput(input: unknown): string {
  if (input === undefined) return 'missing';
  if (input === null) return 'empty';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a mapping';
  const text = JSON.stringify(input) ?? typeof input;
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

const typeNames: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
  object: 'a mapping',
  record: 'a mapping',
  string: 'text',
};

type Issues = readonly z.core.$ZodIssue[];

/** The branch of a union that the user most likely wanted: of those with the same form as the input, the
 *  first with the fewest unknown keys. */
function findIntendedBranch(branches: readonly Issues[]): Issues | undefined {
  const unknown = (issues: Issues) =>
    issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [])).length;
  return branches.filter(isSameForm).toSorted((first, second) => unknown(first) - unknown(second))[0];
}

function isSameForm(issues: Issues): boolean {
  return issues.every(
    ({ code, path }) =>
      path.length > 0 || (code !== 'invalid_type' && code !== 'invalid_value' && code !== 'invalid_union'),
  );
}
